/** Everything on one machine: a Temporal server, the emulator and a worker. */
import { startEmulator } from '../emulator/index.ts';
import type { Emulator, Script } from '../emulator/index.ts';
import { DEV_ASSISTANTS, DEV_SCRIPTS } from './dev-scripts.ts';
import { findTemporal } from './find-temporal.ts';
import type { RunningTemporal, TemporalCli } from './find-temporal.ts';
import { preferPort } from './ports.ts';
import { startTemporalServer } from './temporal-server.ts';
import type { TemporalServer } from './temporal-server.ts';
import { startWorkerChild } from './worker-child.ts';
import type { WorkerChild, WorkerChildOptions } from './worker-child.ts';

export const DEV_PORTS = { temporal: 7_233, ui: 8_233, emulator: 8_787 } as const;

export interface DevOptions {
  /** Any free port is taken where this one is not. @default 7233 */
  readonly temporalPort?: number;
  /** @default 8233 */
  readonly uiPort?: number;
  /** @default 8787 */
  readonly emulatorPort?: number;
  /** Where runs outlive the server. @default memory */
  readonly dbFilename?: string;
  /** @default a support and a weather assistant that use the example tools */
  readonly scripts?: Readonly<Record<string, Script>>;
  /** File to which the emulator appends its journal. @default none */
  readonly emulatorJournal?: string;
  /** Of the worker's process: folder, further environment, where its lines go. */
  readonly worker?: WorkerChildOptions;
  /** False starts none: the demo starts its own. @default true */
  readonly startWorker?: boolean;
  readonly onProgress?: (message: string) => void;
}

export interface Dev {
  readonly address: string;
  readonly namespace: string;
  /** Null for a server that was running already: its UI is not known. */
  readonly uiUrl: string | null;
  /** Null where `TEMPORAL_ADDRESS` named one that was running already. */
  readonly temporal: TemporalServer | null;
  readonly emulator: Emulator;
  /** What a worker and a client need in their environment to find both. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts another worker; the caller's to stop, as far as {@link Dev.stop} has not done it. */
  startWorker(options?: WorkerChildOptions): WorkerChild;
  /** Workers first, then the emulator, then Temporal. Twice is no error. */
  stop(): Promise<void>;
}

/**
 * Starts all of it and waits until the worker takes work. What was started is stopped again where a part fails.
 *
 * @throws {TemporalNotFoundError}, {TemporalServerError}, or what the emulator or the worker failed with
 */
export async function startDev(options: DevOptions = {}): Promise<Dev> {
  const found = await findTemporal(
    options.onProgress === undefined ? {} : { onProgress: options.onProgress },
  );
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= unwind(undo));
  try {
    const temporal = found.kind === 'address' ? null : await startTemporal(found, options);
    if (temporal !== null) undo.push(() => temporal.stop());
    const emulator = await startDevEmulator(options);
    undo.push(() => emulator.close());
    const { address, namespace } = place(found, temporal);
    const env = {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      DROVER_EMULATOR_URL: emulator.url,
    };
    const startWorker = (more: WorkerChildOptions = {}): WorkerChild => {
      const settings = { ...options.worker, ...more };
      const worker = startWorkerChild({ ...settings, env: { ...env, ...settings.env } });
      undo.push(() => worker.stop());
      return worker;
    };
    if (options.startWorker !== false) await startWorker().ready;
    return { address, namespace, uiUrl: temporal?.uiUrl ?? null, temporal, emulator, env, startWorker, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function unwind(undo: (() => Promise<unknown>)[]): Promise<void> {
  for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
}

function place(
  found: TemporalCli | RunningTemporal,
  temporal: TemporalServer | null,
): Pick<Dev, 'address' | 'namespace'> {
  if (temporal !== null) return temporal;
  const namespace = process.env['TEMPORAL_NAMESPACE'] ?? '';
  return {
    address: found.kind === 'address' ? found.address : '',
    namespace: namespace === '' ? 'default' : namespace,
  };
}

async function startTemporal(cli: TemporalCli, options: DevOptions): Promise<TemporalServer> {
  return await startTemporalServer({
    cli: cli.path,
    port: await preferPort(options.temporalPort ?? DEV_PORTS.temporal),
    uiPort: await preferPort(options.uiPort ?? DEV_PORTS.ui),
    promptTimers: true,
    ...(options.dbFilename === undefined ? {} : { dbFilename: options.dbFilename }),
  });
}

async function startDevEmulator(options: DevOptions): Promise<Emulator> {
  const emulator = await startEmulator({
    port: await preferPort(options.emulatorPort ?? DEV_PORTS.emulator),
    scripts: options.scripts ?? DEV_SCRIPTS,
    ...(options.emulatorJournal === undefined ? {} : { journalFile: options.emulatorJournal }),
  });
  if (options.scripts === undefined)
    for (const assistant of DEV_ASSISTANTS) emulator.createAssistant(assistant);
  return emulator;
}
