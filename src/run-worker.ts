/** The life of a worker process: read, connect, build, run, stop. */
import { IllegalStateError } from '@temporalio/common';
import { GracefulShutdownPeriodExpiredError } from '@temporalio/worker';
import type { NativeConnection, Runtime, Worker, WorkflowBundleOption } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';
import { isConfigError } from './config-error.ts';
import type { LoadedConfig } from './config.ts';
import { ConnectError } from './connect-error.ts';
import { connectWorker } from './connect-worker.ts';
import { createWorker } from './create-worker.ts';
import { tuneHeaps } from './heaps.ts';
import { createLogger } from './logger.ts';
import { listenForStop, whenAborted } from './stop-signals.ts';
import { startRuntime } from './worker-runtime.ts';
import { readSetup } from './worker-setup.ts';
import type { Setup, SetupOptions } from './worker-setup.ts';

/** What a running worker hands to {@link RunWorkerOptions.onRunning}. */
export interface RunningWorker {
  readonly config: LoadedConfig;
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly logger: PinoLogger;
  /** Aborted when the worker is told to stop. */
  readonly signal: AbortSignal;
}

export interface RunWorkerOptions extends SetupOptions {
  /** Drover's workflows, bundled. @default the build's bundle where there is one, else bundled here */
  readonly bundle?: WorkflowBundleOption;
  /** Called once the worker takes work, beside it: its error is logged and ends nothing. */
  readonly onRunning?: (worker: RunningWorker) => Promise<void>;
}

/**
 * Runs a worker until SIGTERM or SIGINT. Then it takes no more work, hands waits back at once, lets tools
 * finish within the grace time, and returns 0, also where a tool ignores its signal. A second signal, more
 * than a second after the first, ends it at once.
 *
 * @returns the exit code: 0 where it was told to stop, 1 where it could not start or failed. The caller
 *   should exit with it, since a tool that ignores its signal keeps the process alive.
 */
export async function runWorker(options: RunWorkerOptions = {}): Promise<number> {
  const stop = listenForStop();
  tuneHeaps();
  try {
    // A configuration may take long to load, or for ever.
    const setup = await Promise.race([readSetup(options), whenAborted(stop.signal).then(() => null)]);
    if (setup === null) return 0;
    const logger = createLogger({ level: setup.environment.logLevel, format: setup.environment.logFormat });
    return await Promise.race([startAndRun(setup, options, logger, stop.signal), stop.forced.then(() => 0)]);
  } catch (error) {
    if (!isConfigError(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    stop.close();
  }
}

async function startAndRun(
  setup: Setup,
  options: RunWorkerOptions,
  logger: PinoLogger,
  signal: AbortSignal,
): Promise<number> {
  const { config, environment, settings, taskQueue } = setup;
  const { address, namespace } = settings;
  for (const variable of environment.unknown) {
    logger.warn({ variable }, 'unknown environment variable, is it misspelt?');
  }
  let runtime: Runtime | null = null;
  try {
    runtime = await startRuntime(setup, logger);
    const connection = await connectWorker(settings, { seconds: environment.connectSeconds, logger, signal });
    try {
      const { bundle } = options;
      const worker = await createWorker({
        config,
        connection,
        namespace,
        taskQueue,
        ...(bundle === undefined ? {} : { bundle }),
      });
      const facts = { address, namespace, taskQueue, configPath: setup.configPath };
      return await runUntilStopped(worker, { facts, logger, signal }, () =>
        options.onRunning?.({ config, connection, namespace, taskQueue, logger, signal }),
      );
    } finally {
      await settle(connection.close());
    }
  } catch (error) {
    if (signal.aborted && error === signal.reason) return 0;
    report(error, logger);
    return 1;
  } finally {
    if (runtime !== null) await flush(runtime);
  }
}

interface Run {
  readonly facts: Readonly<Record<string, string>>;
  readonly logger: PinoLogger;
  readonly signal: AbortSignal;
}

async function runUntilStopped(
  worker: Worker,
  { facts, logger, signal }: Run,
  onRunning: () => Promise<void> | undefined,
): Promise<number> {
  if (signal.aborted) return 0;
  const running = worker.run();
  const shutdown = (): void => {
    logger.info({ taskQueue: facts['taskQueue'] }, 'worker stopping');
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', shutdown, { once: true });
  logger.info({ ...facts, pid: process.pid }, 'worker running');
  announce();
  onRunning()?.catch((error: unknown) => logger.warn({ err: error }, 'work beside the worker failed'));
  try {
    await running;
  } catch (error) {
    if (!signal.aborted || !isForced(error)) throw error;
    logger.warn({ taskQueue: facts['taskQueue'] }, 'worker stopped although a tool ignored its signal');
  } finally {
    signal.removeEventListener('abort', shutdown);
  }
  logger.info({ taskQueue: facts['taskQueue'] }, 'worker stopped');
  return 0;
}

/** The force time is over: the SDK says so, or stumbles over the activity that still holds its core. */
function isForced(error: unknown): boolean {
  return error instanceof GracefulShutdownPeriodExpiredError || error instanceof IllegalStateError;
}

/** Tells a parent process that forked this one, such as `drover dev`, that work is taken. */
function announce(): void {
  if (process.connected) process.send?.('ready');
}

function report(error: unknown, logger: PinoLogger): void {
  if (isConfigError(error) || error instanceof ConnectError) {
    logger.error({ code: error.code }, error.message);
    return;
  }
  logger.error({ err: error }, 'worker failed');
}

const CLOSING_MS = 2_000;

/** Waits for a clean-up, but not for ever: after a forced stop the core may keep it waiting. */
async function settle(closing: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, CLOSING_MS);
  });
  await Promise.race([closing.catch(() => undefined), limit]);
  clearTimeout(timer);
}

/** The runtime holds log lines back for a moment to sort them. */
async function flush(runtime: Runtime): Promise<void> {
  runtime.flushLogs();
  await settle(runtime.shutdown());
}
