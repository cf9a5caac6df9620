/** A worker's connection to Temporal: tried for a while, and explained where it fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection } from '@temporalio/worker';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';
import { explainRefusal, reasonOf, unreachable } from './connect-error.ts';
import type { ConnectionSettings } from './connection.ts';

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
