/** What a fault run plays on: a Temporal server with its data in a file, the emulator, workers, journals. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { connectClient } from '../src/connection.ts';
import { findTemporalCli } from '../src/dev/find-temporal.ts';
import { startTemporalServer } from '../src/dev/temporal-server.ts';
import type { TemporalServer } from '../src/dev/temporal-server.ts';
import { startEmulator } from '../src/emulator/index.ts';
import type { Emulator } from '../src/emulator/index.ts';
import { appendJsonLine } from './journal-file.ts';
import type { NemesisDeed } from './nemesis-journal.ts';
import { Random } from './random.ts';
import { ASSISTANT } from './plan.ts';
import type { RunPlan } from './plan.ts';
import { filesIn } from './kept.ts';
import type { Files } from './kept.ts';
import { receiveWebhooks } from './webhooks.ts';
import { toEnvironment } from './worker-env.ts';
import { WorkerPool } from './worker-pool.ts';

const TASK_QUEUE = 'faults';
/** Runs of the Assistants wire expire by the clock after so long: few do, held up by faults. */
const EXPIRES_AFTER_MS = 60_000;
const WORKERS = 4;

export interface StageOptions {
  readonly seed: number;
  readonly plans: readonly RunPlan[];
  /** Whether anything goes wrong on purpose. */
  readonly faults: boolean;
  /** The worker's own file, and the file that holds the bundled workflows, once written. */
  readonly workerEntry: string;
  readonly writeBundle: (file: string) => Promise<void>;
  readonly onProgress: (message: string) => void;
}

export interface Stage {
  readonly files: Files;
  readonly emulator: Emulator;
  readonly client: Client;
  readonly taskQueue: string;
  readonly pool: WorkerPool;
  readonly temporalVersion: string;
  /** What the harness itself could not do, for whoever reads the folder. */
  log(line: string): void;
  note(deed: NemesisDeed): void;
  /** Kills the server and starts it again on the same file and port. */
  restartServer(downMs: number): Promise<void>;
  stop(): Promise<void>;
  tidy(): void;
}

/** Starts all of it. What was started is stopped again where a part fails. */
export async function setStage(options: StageOptions): Promise<Stage> {
  const { plans, seed, onProgress } = options;
  const cli = await findTemporalCli({ onProgress });
  const folder = mkdtempSync(join(tmpdir(), 'drover-faults-'));
  const tidy = (): void => rmSync(folder, { recursive: true, force: true });
  const files = filesIn(folder);
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (let last = undo.pop(); last !== undefined; last = undo.pop()) await last();
  };
  try {
    const settings = { cli: cli.path, uiPort: null, dbFilename: join(folder, 'temporal.db') };
    let server: TemporalServer = await startTemporalServer(settings);
    const { address, namespace } = server;
    const port = Number(address.split(':').at(-1));
    undo.push(() => server.stop());
    const random = new Random(seed, -2);
    const emulator = await startEmulator({
      scripts: Object.fromEntries(plans.map((plan) => [plan.id, plan.script])),
      expiresAfterMs: EXPIRES_AFTER_MS,
      journalFile: files.provider,
      random: () => random.fraction(),
    });
    undo.push(() => emulator.close());
    emulator.createAssistant({ id: ASSISTANT, model: 'nobody' });
    // Never closed: a retry of the SDK's own that is due then would throw where nobody can catch it.
    const client = await connectClient({ address, namespace, options: { address } });
    const webhooks = await receiveWebhooks(emulator, client, {
      faults: options.faults,
      onLine: (line) => appendFileSync(join(folder, 'webhooks.log'), line),
    });
    undo.push(() => webhooks.close());
    const bundle = join(folder, 'workflows.cjs');
    await options.writeBundle(bundle);
    const log = join(folder, 'workers.log');
    const pool = new WorkerPool({
      size: WORKERS,
      entry: options.workerEntry,
      onLine: (line) => appendFileSync(log, `${line}\n`),
      env: {
        ...toEnvironment({
          emulatorUrl: emulator.url,
          toolJournal: files.tools,
          bundle,
          taskQueue: TASK_QUEUE,
          address,
          namespace,
        }),
        TEMPORAL_ADDRESS: address,
        TEMPORAL_NAMESPACE: namespace,
        DROVER_LOG_FORMAT: 'json',
        DROVER_LOG_LEVEL: 'warn',
        // Compiled once, not by each of hundreds of workers.
        NODE_COMPILE_CACHE: join(folder, 'compiled'),
      },
    });
    undo.push(() => pool.close());
    await pool.ready(WORKERS);
    const note = (deed: NemesisDeed): void => appendJsonLine(files.nemesis, { at: Date.now(), ...deed });
    return {
      files,
      emulator,
      client,
      taskQueue: TASK_QUEUE,
      pool,
      temporalVersion: cli.version,
      note,
      log: (line) => appendFileSync(join(folder, 'harness.log'), `${new Date().toISOString()} ${line}\n`),
      restartServer: async (downMs) => {
        process.kill(server.pid, 'SIGKILL');
        note({ kind: 'server_killed' });
        await server.exited;
        await sleep(downMs);
        server = await startTemporalServer({ ...settings, port });
        note({ kind: 'server_back' });
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
