/** One HTTP request on the official `openai` client: no retries, no environment, errors in the port's words. */
import { OpenAI } from 'openai';
import { Stream } from 'openai/streaming';
import { isNestedDeeper } from '../json-depth.ts';
import { isId } from '../run.ts';
import { assertNotStopped } from './act-guard.ts';
import { boundBody, isBodyTooLarge } from './bounded-body.ts';
import { BackendError } from './backend.ts';
import { pollAfterMs } from './poll.ts';
import { malformedAnswer, toBackendError } from './provider-errors.ts';
import { shortCode } from './redact.ts';
import { untilAborted } from './until-aborted.ts';

/** A key, or a function that is asked for it at every request, so that it can be rotated. */
export type ApiKey = string | (() => string | Promise<string>);

/** What every backend on this client can be told. */
export interface WireOptions {
  /** Where the API lives. @default 'https://api.openai.com/v1' */
  readonly baseURL?: string;
  /** Sent as `Authorization: Bearer`. @default none: no such header is sent, and no environment variable read */
  readonly apiKey?: ApiKey;
  /** Query parameters of every request, such as Azure's `api-version`. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long one request may take, the fetching of the key included, in milliseconds. @default 60000 */
  readonly timeoutMs?: number;
}

export interface WireRequest {
  /** What is tried, with ids, for the error's message: "creating a run on thread thread_1". */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly body?: object;
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;
  /** Instead of {@link WireOptions.timeoutMs}. */
  readonly timeoutMs?: number;
}

export interface WireAnswer {
  /** Parsed where it was JSON, whatever its content type said; else text, or undefined. Not checked. */
  readonly body: unknown;
  /** The provider's wish for the next look, in milliseconds. */
  readonly pollAfterMs: number | null;
  readonly requestId: string | null;
}

export interface Wire {
  /** @throws BackendError and nothing else. */
  call(method: 'get' | 'post' | 'delete', path: string, request: WireRequest): Promise<WireAnswer>;
  /**
   * The events of a stream, as they come; one that answers without streaming is one event. Leaving the loop closes the
   * connection. The first one may take as long as a request may.
   *
   * @throws BackendError and nothing else
   */
  events(
    method: 'get' | 'post',
    path: string,
    request: WireRequest,
  ): AsyncGenerator<unknown, void, undefined>;
  /** The `malformed` error for an answer that is not of the wire; `why` quotes nothing of it. */
  malformed(what: string, why: string, requestId?: string | null): BackendError;
}

/** What every client of the SDK's is told. */
export const BARE_CLIENT = {
  // Said to be null, so that the client reads no environment variable for them.
  adminAPIKey: null,
  organization: null,
  project: null,
  webhookSecret: null,
  // The client's own log would hold prompts and outputs.
  logLevel: 'off',
} as const;

const TIMEOUT_MS = 60_000;
/** Keys rotate: the last ones are remembered, to be taken out of errors. */
const KEYS_REMEMBERED = 8;
const SECRET_NAME = /key|token|auth|secret|cookie|sig|password|^code$/i;

/**
 * Opens a wire to one provider. Nothing is sent before the first call.
 *
 * @param name the backend's name in the configuration, for its errors.
 * @param defaults headers of the wire itself; those of the options win.
 */
export function openWire(
  name: string,
  options: WireOptions,
  defaults: Readonly<Record<string, string>> = {},
): Wire {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const fixed = [...Object.entries(options.headers ?? {}), ...Object.entries(options.query ?? {})]
    .filter(([key]) => SECRET_NAME.test(key))
    .map(([, value]) => value);
  const keys = new Set<string>();

  const client = new OpenAI({
    baseURL: options.baseURL ?? 'https://api.openai.com/v1',
    apiKey: options.apiKey === undefined ? 'none' : () => fetchKey(options.apiKey ?? '', timeoutMs, keys),
    ...BARE_CLIENT,
    maxRetries: 0,
    timeout: timeoutMs,
    fetch: async (input, init) => {
      if (init?.method?.toUpperCase() !== 'GET') assertNotStopped();
      // Followed, a POST becomes a GET or acts somewhere else, and the key may go with it.
      return boundBody(await fetch(input, { ...init, redirect: 'manual' }));
    },
    defaultHeaders: {
      ...(options.apiKey === undefined ? { Authorization: null } : {}),
      ...defaults,
      ...options.headers,
    },
    ...(options.query ? { defaultQuery: { ...options.query } } : {}),
  });

  const optionsOf = ({ body, query }: WireRequest) => ({
    ...(body === undefined ? {} : { body }),
    ...(query === undefined ? {} : { query: { ...query } }),
  });
  /** @throws BackendError `malformed` where it is nested so deeply that whoever walks it would fall */
  const checkDepth = (value: unknown, what: string, named: string): void => {
    if (isNestedDeeper(value, MAX_NESTING))
      throw malformedAnswer({ backend: name, what }, `${named} is nested too deeply`);
  };
  const failure = (error: unknown, { what, signal }: WireRequest): BackendError => {
    if (signal.aborted) return new BackendError('aborted', `Backend ${name}: ${what} was stopped.`);
    if (isBodyTooLarge(error)) return malformedAnswer({ backend: name, what }, 'the body is too large');
    return toBackendError(error, { backend: name, what, secrets: [...fixed, ...keys] });
  };

  return {
    async call(method, path, request) {
      const { what, signal } = request;
      try {
        signal.throwIfAborted();
        const asked = client[method]<unknown>(path, {
          signal,
          ...optionsOf(request),
          ...(request.timeoutMs === undefined ? {} : { timeout: request.timeoutMs }),
        }).withResponse();
        const { data, response, request_id: requestId } = await untilAborted(asked, signal);
        const body = parse(data);
        checkDepth(body, what, 'the body');
        return {
          body,
          pollAfterMs: pollAfterMs(response.headers),
          requestId: requestId === null ? null : shortCode(requestId),
        };
      } catch (error) {
        throw failure(error, request);
      }
    },
    async *events(method, path, request) {
      const { what, signal } = request;
      const controller = new AbortController();
      let isLate = false;
      const patience = setTimeout(() => {
        isLate = true;
        controller.abort();
      }, request.timeoutMs ?? timeoutMs);
      try {
        signal.throwIfAborted();
        const asked = client[method]<unknown>(path, {
          signal: AbortSignal.any([signal, controller.signal]),
          stream: true,
          ...optionsOf(request),
        }).asResponse();
        const response = await untilAborted(asked, signal);
        const isStreamed = response.headers.get('content-type')?.includes('text/event-stream') === true;
        if (!isStreamed) {
          const body = parse(await response.text());
          checkDepth(body, what, 'the body');
          yield body;
          return;
        }
        // Without the client, what cannot be read of a stream is printed: it may be what the model says.
        for await (const event of Stream.fromSSEResponse<unknown>(response, controller, client)) {
          checkDepth(event, what, 'an event');
          clearTimeout(patience);
          yield event;
        }
        // Aborted, the client's stream just ends.
        signal.throwIfAborted();
        if (isLate) throw new Error('late');
      } catch (error) {
        if (isLate && !signal.aborted)
          throw new BackendError('timeout', `Backend ${name}: ${what} had no answer in time.`);
        throw failure(error, request);
      } finally {
        clearTimeout(patience);
        controller.abort();
      }
    },
    malformed: (what, why, requestId = null) => malformedAnswer({ backend: name, what }, why, { requestId }),
  };
}

/** A key or a secret, from whoever gives it: one out of a file ends with a line break, which no header may hold. */
export async function fetchSecret(secret: ApiKey, timeoutMs: number): Promise<string> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const given = typeof secret === 'string' ? secret : await untilAborted(Promise.resolve(secret()), deadline);
  return given.trim();
}

async function fetchKey(apiKey: ApiKey, timeoutMs: number, keys: Set<string>): Promise<string> {
  const key = await fetchSecret(apiKey, timeoutMs);
  keys.delete(key);
  keys.add(key);
  for (const old of [...keys].slice(0, -KEYS_REMEMBERED)) keys.delete(old);
  return key;
}

/** Some servers send JSON as `text/plain`. */
function parse(data: unknown): unknown {
  if (typeof data !== 'string' || !/^\s*[[{]/.test(data)) return data;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** Deeper than any answer; what reads, copies and writes an answer recurses. */
const MAX_NESTING = 256;

/**
 * An id as one segment of a path.
 *
 * @throws BackendError of the kind given, where it is no id at all: nothing may reach another path.
 */
export function segment(id: string, kind: 'unknown_thread' | 'not_found', backend: string): string {
  if (!isId(id) || id === '.' || id === '..') {
    const shown = JSON.stringify(shortCode(id));
    throw new BackendError(kind, `Backend ${backend}: this is no id: ${shown}.`);
  }
  return encodeURIComponent(id);
}
