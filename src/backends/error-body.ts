/** The body of a provider's error in any of its shapes: wrapped, bare, `detail`, plain text, a web page. */
import type { APIError } from 'openai';

/** What the provider itself wrote, out of any shape of body. */
export interface Said {
  readonly code: string | null;
  readonly type: string | null;
  readonly message: string;
  /** The body was JSON. */
  readonly json: boolean;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** More of an error is not read: it is searched for wordings, and nobody is shown so much. */
const READ_CHARS = 8_192;
const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, READ_CHARS) : null;

/** FastAPI's list of faults: where and what, never the `input` that it echoes. */
function readDetail(detail: unknown): string | null {
  if (!Array.isArray(detail)) return textOf(detail) ?? (isRecord(detail) ? readMessage(detail) : null);
  const faults = detail.flatMap((fault: unknown) => {
    if (!isRecord(fault)) return [];
    const steps: readonly unknown[] = Array.isArray(fault['loc']) ? fault['loc'] : [];
    const named = steps.filter((step) => typeof step === 'string' || typeof step === 'number');
    const place = named.length > 0 ? `${named.join('.')}: ` : '';
    return [`${place}${textOf(fault['msg']) ?? 'invalid'}`];
  });
  return faults.length > 0 ? faults.join('; ').slice(0, READ_CHARS) : null;
}

const readMessage = (body: Record<string, unknown>): string | null =>
  textOf(body['message']) ?? readDetail(body['detail']) ?? textOf(body['error']) ?? textOf(body['title']);

/** Reads the body of an error's answer, whatever its shape. */
export function readErrorBody(error: APIError): Said {
  const body: unknown = error.error;
  if (isRecord(body)) {
    const inner = isRecord(body['innererror']) ? textOf(body['innererror']['code']) : null;
    const code = textOf(body['code']) ?? (typeof body['code'] === 'number' ? String(body['code']) : null);
    return {
      code: code === null || code === '' ? inner : code,
      type: [textOf(body['type']), inner].filter(Boolean).join(' ') || null,
      message: readMessage(body) ?? '',
      json: true,
    };
  }
  if (body !== undefined && body !== null) {
    return { code: null, type: null, message: textOf(body) ?? '', json: true };
  }
  // The client keeps a body that is no JSON only in its message: "<status> <text>".
  const text = error.message.slice(0, READ_CHARS).replace(/^\d{3} /, '');
  const empty = /^status code \(no body\)$/.test(text);
  return { code: null, type: null, message: empty ? '' : text, json: false };
}

/** A web page, as proxies send. */
export const looksLikeMarkup = (text: string): boolean =>
  /^\s*<(?:!doctype|html|\?xml|head|body)/i.test(text);
