/** Why Temporal could not be reached, or refused: one line that says what to do. Loads no native worker. */
import type { ConnectionSettings } from './connection.ts';
import { DroverError } from './errors.ts';

/** Temporal could not be reached, or would not have this caller. The message is one line and says what to do. */
export class ConnectError extends DroverError {
  readonly address: string;
  readonly namespace: string;
  /** The message without what to do. */
  readonly what: string;
  readonly todo: string;

  constructor(settings: ConnectionSettings, what: string, todo: string, cause?: unknown) {
    const said = `Temporal at ${settings.address} (namespace ${settings.namespace}) ${what}.`;
    super('ConnectError', 'connect', `${said} ${todo}`, cause);
    this.what = said;
    this.todo = todo;
    this.address = settings.address;
    this.namespace = settings.namespace;
  }
}

/** gRPC status codes. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

export const CHECK_CREDENTIALS =
  'Check TEMPORAL_API_KEY, or the certificate in TEMPORAL_TLS_CLIENT_CERT_PATH, and that they are for this namespace.';

/** The native client names the code of its own first call in words only, which are those of its gRPC library. */
const CODES_IN_WORDS = new Map([
  ["code: 'The caller does not have permission to execute the specified operation'", PERMISSION_DENIED],
  ["code: 'The request does not have valid authentication credentials'", UNAUTHENTICATED],
]);

function codeOf(error: unknown): number | null {
  if (error instanceof Error && error.name === 'TransportError') {
    for (const [words, code] of CODES_IN_WORDS) if (error.message.includes(words)) return code;
  }
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  if (typeof code === 'number') return code;
  return cause === undefined ? null : codeOf(cause);
}

/** The server's own words; empty where it gave none. */
function detailsOf(error: unknown): string {
  const { details, cause } = (error ?? {}) as { readonly details?: unknown; readonly cause?: unknown };
  if (typeof details === 'string') return firstLine(details);
  return cause === undefined ? '' : detailsOf(cause);
}

/** Whether Temporal knew the caller too little, or allows it too little. */
export function isCredentialRefusal(error: unknown): boolean {
  const code = codeOf(error);
  return code === PERMISSION_DENIED || code === UNAUTHENTICATED;
}

/** What an error of a connection, or of a look at the namespace, says of a refusal; null where it is none. */
export function explainRefusal(error: unknown, settings: ConnectionSettings): ConnectError | null {
  if (isCredentialRefusal(error)) {
    const details = detailsOf(error);
    const what = `refused the credentials${details === '' ? '' : `: ${details}`}`;
    return new ConnectError(settings, what, CHECK_CREDENTIALS, error);
  }
  if (codeOf(error) !== NOT_FOUND) return null;
  return new ConnectError(
    settings,
    'does not know the namespace',
    'Create it with `temporal operator namespace create`, or mend TEMPORAL_NAMESPACE.',
    error,
  );
}

export function unreachable(error: unknown, settings: ConnectionSettings): ConnectError {
  return new ConnectError(
    settings,
    `could not be reached: ${reasonOf(error)}`,
    'Check TEMPORAL_ADDRESS, TEMPORAL_TLS and that the server runs; `drover dev` starts one here.',
    error,
  );
}

/** The innermost words of the SDK's nested error. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) return reasonOf(error.cause);
  const message = error instanceof Error ? error.message : String(error);
  return firstLine(/message: "([^"]+)"/.exec(message)?.[1] ?? message);
}

/** Without its full stop, as more follows, nor the note that gRPC leaves empty. */
const firstLine = (text: string): string =>
  (text.split('\n', 1)[0] ?? '').replace(/(\.| Resolution note: )+$/, '');
