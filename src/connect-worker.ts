/** A worker's connection to Temporal: tried for a while, and explained where it fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, TransportError } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';
import type { ConnectionSettings } from './connection.ts';
import { DroverError } from './errors.ts';

/** Temporal could not be reached, or would not have this worker. The message is one line and says what to do. */
export class ConnectError extends DroverError {
  readonly address: string;
  readonly namespace: string;

  constructor(settings: ConnectionSettings, what: string, todo: string, cause?: unknown) {
    const where = `Temporal at ${settings.address} (namespace ${settings.namespace})`;
    super('ConnectError', 'connect', `${where} ${what}. ${todo}`, cause);
    this.address = settings.address;
    this.namespace = settings.namespace;
  }
}

export interface ConnectOptions {
  /** How long to keep trying, in seconds; a refusal is not tried again. */
  readonly seconds: number;
  readonly logger: PinoLogger;
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
/** Where nothing answers at all, no error comes either. In milliseconds. */
const ATTEMPT_MS = 10_000;

/** gRPC status codes. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/**
 * Connects, and asks for the namespace, since a worker without one would only find out later.
 *
 * @throws {ConnectError}; the signal's reason where it is aborted
 */
export async function connectWorker(
  settings: ConnectionSettings,
  options: ConnectOptions,
): Promise<NativeConnection> {
  const until = Date.now() + options.seconds * 1_000;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    try {
      return await tryConnect(settings, options.signal);
    } catch (error) {
      options.signal.throwIfAborted();
      const refusal = explainRefusal(error, settings);
      if (refusal !== null) throw refusal;
      if (Date.now() + pause > until) throw unreachable(error, settings);
      options.logger.warn(
        { address: settings.address, retryInMs: pause, reason: reasonOf(error) },
        'temporal not reached, trying again',
      );
      await sleep(pause, undefined, { signal: options.signal }).catch(() => undefined);
      options.signal.throwIfAborted();
    }
  }
}

/** Where no TLS is wanted the server is near: packing what is said costs more than it saves (decision 027). Pure. */
export function compressionFor({
  tls,
  apiKey,
}: ConnectionSettings['options']): Pick<NativeConnectionOptions, 'grpcCompression'> {
  const isPlain = (tls === undefined || tls === null || tls === false) && apiKey === undefined;
  return isPlain ? { grpcCompression: { codec: 'none' } } : {};
}

async function tryConnect(settings: ConnectionSettings, stop: AbortSignal): Promise<NativeConnection> {
  const connection = await within(
    NativeConnection.connect({ ...settings.options, ...compressionFor(settings.options) }),
    stop,
  );
  try {
    await connection.withDeadline(Date.now() + ATTEMPT_MS, () =>
      connection.workflowService.describeNamespace({ namespace: settings.namespace }),
    );
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Rejects after {@link ATTEMPT_MS}, or when told to stop; what comes later is closed. */
async function within(connecting: Promise<NativeConnection>, stop: AbortSignal): Promise<NativeConnection> {
  const limit = AbortSignal.any([stop, AbortSignal.timeout(ATTEMPT_MS)]);
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error(`no answer within ${ATTEMPT_MS / 1_000} seconds`));
    limit.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } catch (error) {
    connecting.then(
      (late) => late.close(),
      () => undefined,
    );
    throw error;
  } finally {
    limit.removeEventListener('abort', onAbort);
  }
}

/** The native client names the code of its own first call in words only, which are those of its gRPC library. */
const CODES_IN_WORDS = new Map([
  ["code: 'The caller does not have permission to execute the specified operation'", PERMISSION_DENIED],
  ["code: 'The request does not have valid authentication credentials'", UNAUTHENTICATED],
]);

function codeOf(error: unknown): number | null {
  if (error instanceof TransportError) {
    for (const [words, code] of CODES_IN_WORDS) if (error.message.includes(words)) return code;
  }
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  if (typeof code === 'number') return code;
  return cause === undefined ? null : codeOf(cause);
}

function explainRefusal(error: unknown, settings: ConnectionSettings): ConnectError | null {
  switch (codeOf(error)) {
    case NOT_FOUND:
      return new ConnectError(
        settings,
        'does not know the namespace',
        'Create it with `temporal operator namespace create`, or mend TEMPORAL_NAMESPACE.',
        error,
      );
    case PERMISSION_DENIED:
    case UNAUTHENTICATED:
      return new ConnectError(
        settings,
        'refused the credentials',
        'Check TEMPORAL_API_KEY, or the certificate in TEMPORAL_TLS_CLIENT_CERT_PATH, and that they are for this namespace.',
        error,
      );
    default:
      return null;
  }
}

function unreachable(error: unknown, settings: ConnectionSettings): ConnectError {
  return new ConnectError(
    settings,
    `could not be reached: ${reasonOf(error)}`,
    'Check TEMPORAL_ADDRESS and that the server runs; `drover dev` starts one here.',
    error,
  );
}

/** The innermost words of the SDK's nested error. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const quoted = /message: "([^"]+)"/.exec(message)?.[1];
  return (quoted ?? message).split('\n', 1)[0] ?? '';
}
