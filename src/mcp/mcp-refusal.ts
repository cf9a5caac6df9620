/** What an error says of the server behind it, and of a call that it was sent. Pure. */
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';

/** Why a call was not taken, so that nothing was done. */
export type Refusal = 'away' | 'unaccepted' | 'credentials' | 'busy';

/** A server whose transport says so has not read the message, or not accepted it (MCP, "Streamable HTTP"). */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [400, 'unaccepted'],
  [401, 'credentials'],
  [403, 'credentials'],
  [404, 'away'],
  [405, 'unaccepted'],
  [415, 'unaccepted'],
  [429, 'busy'],
]);
/** Servers answer so where they do not know the session: nobody answers the calls of it any more. */
const NO_SESSION: ReadonlySet<number> = new Set([400, 404]);

/** Why the server has not taken the call; null where it may have. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof StreamableHTTPError) return REFUSALS.get(error.code ?? 0) ?? null;
  const cause = error instanceof Error ? error.cause : undefined;
  const all = cause instanceof AggregateError ? (cause.errors as readonly unknown[]) : [cause];
  const isRefused = (one: unknown): boolean =>
    one instanceof Error && 'code' in one && one.code === 'ECONNREFUSED';
  return all.length > 0 && all.every(isRefused) ? 'away' : null;
}

/**
 * The server's own words, be they that it does not know the method: it is there. A connection that has closed needs no
 * closing, so only the time that is over counts as silence.
 */
export function isAnswer(error: unknown): boolean {
  if (error instanceof McpError) return error.code !== (ErrorCode.RequestTimeout as number);
  if (!(error instanceof StreamableHTTPError)) return false;
  const status = error.code ?? 0;
  return REFUSALS.has(status) && !NO_SESSION.has(status);
}

interface Told {
  readonly message: string;
  readonly retryable: boolean;
}

/** What the model reads of it. */
export function tellRefusal(name: string, refusal: Refusal): Told {
  switch (refusal) {
    case 'away':
      return { message: `${name} cannot be reached now. Nothing was done.`, retryable: true };
    case 'busy':
      return { message: `The server of ${name} takes no more calls now. Nothing was done.`, retryable: true };
    case 'credentials':
      return {
        message: `The server of ${name} refused the credentials that this worker has for it. Nothing was done.`,
        retryable: false,
      };
    case 'unaccepted':
      return {
        message: `The server of ${name} did not accept the call. Nothing was done.`,
        retryable: false,
      };
  }
}
