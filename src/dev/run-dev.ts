/** `drover dev`: starts everything, says where it is, and stops it on Ctrl-C. */
import { isConfigError } from '../config-error.ts';
import { isDroverError } from '../errors.ts';
import { listenForStop, whenAborted } from '../stop-signals.ts';
import { DEV_PORTS, startDev } from './dev.ts';
import type { Dev, DevOptions } from './dev.ts';
import { TemporalNotFoundError } from './find-temporal.ts';
import { TemporalServerError } from './temporal-server.ts';

export interface RunDevOptions extends Omit<DevOptions, 'startWorker' | 'onProgress'> {
  /** How the CLI is called here, for the command to try. @default 'npx drover' */
  readonly command?: string;
  /** @default a line on standard output */
  readonly print?: (line: string) => void;
}

/**
 * Runs until SIGINT or SIGTERM. A worker that is killed is replaced, so that one can watch a run live on; one
 * that ends by itself ends all.
 *
 * @returns the exit code: 0 where it was told to stop, 1 where a part could not start or ended by itself
 */
export async function runDev(options: RunDevOptions = {}): Promise<number> {
  const print = options.print ?? ((line) => void process.stdout.write(`${line}\n`));
  const stop = listenForStop();
  let dev: Dev | null = null;
  try {
    print('Starting Temporal, the emulator and a worker …');
    dev = await startDev({ ...options, startWorker: false, onProgress: print });
    return await Promise.race([keepWorking(dev, options, print, stop.signal), stop.forced.then(() => 0)]);
  } catch (error) {
    if (!isExpected(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    await Promise.race([dev?.stop(), stop.forced]);
    stop.close();
  }
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof TemporalNotFoundError ||
    error instanceof TemporalServerError ||
    isConfigError(error) ||
    isDroverError(error)
  );
}

async function keepWorking(
  dev: Dev,
  options: RunDevOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const stopped = whenAborted(signal).then(() => 'stopped' as const);
  const serverGone = dev.temporal?.exited.then(() => 'server' as const);
  for (let first = true; ; first = false) {
    const worker = dev.startWorker();
    const started = worker.ready.then(
      () => 'ready' as const,
      () => 'failed' as const,
    );
    const events = serverGone === undefined ? [stopped] : [stopped, serverGone];
    const start = await Promise.race([...events, started]);
    if (start === 'ready' && first) for (const line of greeting(dev, options, worker.pid)) print(line);
    if (start === 'ready' && !first) print(`Worker replaced: process ${worker.pid} goes on with its runs.`);
    const end = await Promise.race([...events, worker.exited]);
    if (end === 'stopped') {
      print('Stopping …');
      return 0;
    }
    if (end === 'server') {
      print('The Temporal server ended by itself.');
      return 1;
    }
    if (end.signal === null) {
      print(`The worker ended by itself (exit code ${end.code}): read its log above.`);
      return 1;
    }
    print(`The worker was killed (${end.signal}).`);
  }
}

function greeting(dev: Dev, options: RunDevOptions, workerPid: number): readonly string[] {
  const command = options.command ?? 'npx drover';
  const elsewhere =
    dev.address === `127.0.0.1:${DEV_PORTS.temporal}` ? '' : `TEMPORAL_ADDRESS=${dev.address} `;
  return [
    '',
    `  Temporal     ${dev.address} (namespace ${dev.namespace})`,
    ...(dev.uiUrl === null ? [] : [`  Temporal UI  ${dev.uiUrl}`]),
    `  Emulator     ${dev.emulator.url}`,
    `  Worker       process ${workerPid}; kill it, and another one goes on with its runs`,
    '',
    'Try, in another terminal:',
    '',
    `  ${elsewhere}${command} run support "Refund order 1042" --follow`,
    '',
    'Ctrl-C stops all of it.',
    '',
  ];
}
