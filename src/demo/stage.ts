/** What the demo plays on: a Temporal server, the emulator, workers in processes of their own, their journals. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { connectClient, readConnectionSettings } from '../connection.ts';
import type { ConnectionSettings } from '../connection.ts';
import { DEV_PORTS } from '../dev/dev.ts';
import { findTemporal } from '../dev/find-temporal.ts';
import type { TemporalCli } from '../dev/find-temporal.ts';
import { preferPort } from '../dev/ports.ts';
import { startTemporalServer, TemporalServerError } from '../dev/temporal-server.ts';
import type { TemporalServer } from '../dev/temporal-server.ts';
import { startWorkerChild } from '../dev/worker-child.ts';
import type { WorkerChild } from '../dev/worker-child.ts';
import { startEmulator } from '../emulator/index.ts';
import type { Emulator } from '../emulator/index.ts';
import { DemoError } from './demo-error.ts';
import { EXPIRES_AFTER_MS, SCENARIOS } from './scenarios.ts';

const DEMO_CONFIG = fileURLToPath(new URL(`./demo-config${extname(import.meta.url)}`, import.meta.url));

export interface StageOptions {
  /** Configuration file of the workers. @default the demo's own */
  readonly config?: string | undefined;
  readonly onProgress?: (message: string) => void;
}

export interface Stage {
  readonly address: string;
  readonly namespace: string;
  /** Null for a server that was running already: its UI is not known. */
  readonly uiUrl: string | null;
  readonly client: Client;
  readonly emulator: Emulator;
  /** Of its journals and of its workers' log. */
  readonly folder: string;
  readonly toolJournal: string;
  /** Settles when a server that it started ends by itself. */
  readonly serverGone: Promise<void>;
  startWorker(taskQueue: string): WorkerChild;
  /** Kills the workers, tools and all. */
  killWorkers(): void;
  /** Workers first, then the emulator, then Temporal. Twice is no error. */
  stop(): Promise<void>;
  /** Takes the journals and the log away. */
  tidy(): void;
}

/** The well-known ports where they are free. Somebody else may take one before the server does. */
async function startTemporal(cli: TemporalCli): Promise<TemporalServer> {
  try {
    const [port, uiPort] = [await preferPort(DEV_PORTS.temporal), await preferPort(DEV_PORTS.ui)];
    return await startTemporalServer({ cli: cli.path, port, uiPort });
  } catch (error) {
    if (!(error instanceof TemporalServerError)) throw error;
    return await startTemporalServer({ cli: cli.path });
  }
}

function startDemoEmulator(folder: string): Promise<Emulator> {
  return startEmulator({
    scripts: Object.fromEntries(SCENARIOS.map(({ model, script }) => [model, script])),
    expiresAfterMs: EXPIRES_AFTER_MS,
    journalFile: join(folder, 'provider.jsonl'),
  });
}

function connectionOf(server: TemporalServer | null): ConnectionSettings {
  if (server === null) return readConnectionSettings();
  const { address, namespace } = server;
  return { address, namespace, options: { address } };
}

async function connect(settings: ConnectionSettings): Promise<Client> {
  try {
    return await connectClient(settings);
  } catch (error) {
    throw new DemoError(
      `Temporal at ${settings.address} cannot be reached. Check TEMPORAL_ADDRESS, or unset it: the demo then starts a server of its own.`,
      { cause: error },
    );
  }
}

/**
 * Starts all of it but the workers. What was started is stopped again where a part fails.
 *
 * @throws {TemporalNotFoundError}, {TemporalServerError}, {DemoError}, or what the emulator failed with
 */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const { onProgress } = options;
  const found = await findTemporal(onProgress === undefined ? {} : { onProgress });
  const folder = mkdtempSync(join(tmpdir(), 'drover-demo-'));
  const tidy = (): void => rmSync(folder, { recursive: true, force: true });
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => (stopping ??= unwind(undo));
  try {
    const server = found.kind === 'address' ? null : await startTemporal(found);
    if (server !== null) undo.push(() => server.stop());
    const emulator = await startDemoEmulator(folder);
    undo.push(() => emulator.close());
    for (const { model, wire } of SCENARIOS) {
      if (wire === 'assistants') emulator.createAssistant({ id: model, model });
    }
    const settings = connectionOf(server);
    // It is never closed: a retry of the SDK's own that is due then would throw where nobody can catch it.
    const client = await connect(settings);
    const { address, namespace } = settings;
    const toolJournal = join(folder, 'tools.jsonl');
    const env = {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      DROVER_EMULATOR_URL: emulator.url,
      DROVER_CONFIG: options.config ?? DEMO_CONFIG,
    };
    const log = join(folder, 'workers.log');
    const workers = new Set<WorkerChild>();
    undo.push(() => Promise.all([...workers].map((worker) => worker.stop())));
    return {
      address,
      namespace,
      uiUrl: server?.uiUrl ?? null,
      client,
      emulator,
      folder,
      toolJournal,
      serverGone: server?.exited ?? new Promise(() => undefined),
      startWorker: (taskQueue) => {
        const worker = startWorkerChild({
          env: { ...env, DROVER_TASK_QUEUE: taskQueue, DROVER_TOOL_JOURNAL: toolJournal },
          onLine: (line) => appendFileSync(log, `${line}\n`),
        });
        workers.add(worker);
        void worker.exited.then(() => workers.delete(worker));
        return worker;
      },
      killWorkers: () => {
        for (const worker of workers) worker.kill('SIGKILL');
      },
      stop,
      tidy,
    };
  } catch (error) {
    await stop();
    tidy();
    throw error;
  }
}

async function unwind(undo: (() => Promise<unknown>)[]): Promise<void> {
  for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
}
