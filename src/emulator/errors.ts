/** The errors of the wires, with the words in which the providers say them. */
import type { Rejection } from './engine.ts';

export interface WireErrorOptions {
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly retryAfterSeconds?: number;
}

/** An answer other than 2xx. */
export class WireError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, message: string, options: WireErrorOptions = {}) {
    super(message);
    this.name = 'WireError';
    this.status = status;
    this.type = options.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
    this.param = options.param ?? null;
    this.code = options.code ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
  }

  body(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

const list = (ids: readonly string[]): string => `[${ids.map((id) => `'${id}'`).join(', ')}]`;
const bad = (message: string, options?: WireErrorOptions): WireError => new WireError(400, message, options);

/** Assistants wire, `run-apis` facts 1.5. */
export const notFound = (what: string, id: string): WireError =>
  new WireError(404, `No ${what} found with id '${id}'.`);
export const malformedId = (param: string, id: string, prefix: string): WireError =>
  bad(`Invalid '${param}': '${id.slice(0, 64)}'. Expected an ID that begins with '${prefix}'.`, {
    param,
    code: 'invalid_value',
  });
export const activeRun = (thread: string, run: string): WireError =>
  bad(`Thread ${thread} already has an active run ${run}.`);
export const messageWhileActive = (thread: string, run: string): WireError =>
  bad(`Can't add messages to ${thread} while a run ${run} is active.`);
export const outputsNotAccepted = (status: string): WireError =>
  bad(`Runs in status "${status}" do not accept tool outputs.`);
export const wrongOutputs = (expected: readonly string[], got: readonly string[]): WireError =>
  bad(`Expected tool outputs for call_ids ${list(expected)}, got ${list(got)}`);
export const cannotCancel = (status: string): WireError => bad(`Cannot cancel run with status '${status}'.`);
export const betaHeaderMissing = (): WireError =>
  new WireError(
    401,
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
    { code: 'invalid_beta' },
  );
export const wrongKey = (): WireError =>
  new WireError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });

/** Responses wire, `run-apis` facts 3.5. */
export const responseNotFound = (id: string): WireError =>
  new WireError(404, `Response with id '${id}' not found.`);
export const previousNotFound = (id: string): WireError =>
  bad(`Previous response with id '${id}' not found.`, {
    param: 'previous_response_id',
    code: 'previous_response_not_found',
  });
export const conversationNotFound = (id: string): WireError =>
  new WireError(404, `Conversation with id '${id}' not found.`);
export const conversationLocked = (): WireError =>
  bad('Another process is currently operating on this conversation. Please retry in a few seconds.', {
    param: 'conversation',
    code: 'conversation_locked',
  });
export const missingOutput = (callId: string): WireError =>
  bad(`No tool output found for function call ${callId}.`, { param: 'input' });
export const missingCall = (callId: string): WireError =>
  bad(`No tool call found for function call output with call_id ${callId}.`, { param: 'input' });
export const cannotCancelForeground = (): WireError => bad('Cannot cancel a synchronous response.');
export const backgroundNeedsStore = (): WireError =>
  bad("Background mode requires 'store' to be true.", { param: 'store' });
export const noStreaming = (): WireError =>
  bad("The emulator streams responses in the background only. Leave 'stream' out.", {
    param: 'stream',
    code: 'unsupported_value',
  });
export const notStreamed = (): WireError =>
  bad('This response was not created with `stream=true`: it cannot be streamed.', { param: 'stream' });
export const exclusive = (one: string, other: string): WireError =>
  bad(
    `Mutually exclusive parameters: '${one}'. Ensure you are only providing one of: '${one}' or '${other}'.`,
    { param: one, code: 'mutually_exclusive_parameters' },
  );
export const badJson = (): WireError =>
  bad(
    'We could not parse the JSON body of your request. Send a JSON object, and its length as Content-Length.',
  );
export const unknownUrl = (method: string, path: string): WireError =>
  new WireError(404, `Invalid URL (${method} ${path})`);

/** A `reject` step of a script. */
export function rejected(rejection: Rejection): WireError {
  return new WireError(rejection.status, rejection.message, {
    ...(rejection.type === undefined ? {} : { type: rejection.type }),
    code: rejection.code ?? null,
    param: rejection.param ?? null,
    ...(rejection.retry_after_s === undefined ? {} : { retryAfterSeconds: rejection.retry_after_s }),
  });
}
