/** The part that all drivers on Temporal share: a worker in a process of its own, and workflows by the job's id. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startWorkerChild } from '../../src/dev/worker-child.ts';
import { lastCompletedAt } from '../history-facts.ts';
import type { HistoryEvent } from '../history-facts.ts';
import type { Stage } from '../stage.ts';
import type { Driver, DriverName, Job } from './driver.ts';

export interface WorkflowDriver extends Driver {
  readonly taskQueue: string;
  readonly history: (job: Job) => Promise<readonly HistoryEvent[]>;
  /** kill -9 of the worker. */
  kill(): Promise<void>;
  /** Starts a worker in the place of the one that was killed, and waits until it takes work. */
  restart(): Promise<void>;
}

export interface WorkflowDriverOptions {
  readonly name: DriverName;
  /** The worker's entry. */
  readonly entry: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly begin: (job: Job, taskQueue: string) => Promise<void>;
  /** The activity whose completion tells that the provider's run has ended. */
  readonly knows: string;
}

export interface StartOptions {
  /** What the worker connects to. @default the stage's server */
  readonly address?: string;
}

let lastQueue = 0;

export async function startWorkflowDriver(
  stage: Stage,
  options: WorkflowDriverOptions & StartOptions,
): Promise<WorkflowDriver> {
  const { name, begin, knows } = options;
  const taskQueue = `queue-${name}-${(lastQueue += 1)}`;
  const log = join(stage.folder, `${name}.log`);
  const start = (): ReturnType<typeof startWorkerChild> =>
    startWorkerChild({
      env: {
        ...stage.env,
        ...options.env,
        DROVER_TASK_QUEUE: taskQueue,
        ...(options.address === undefined ? {} : { TEMPORAL_ADDRESS: options.address }),
      },
      onLine: (line) => appendFileSync(log, `${line}\n`),
      entry: options.entry,
    });
  let worker = start();
  const ready = async (): Promise<void> => {
    await worker.ready.catch((error: unknown) => {
      throw new Error(`The worker of ${name} did not start:\n${readFileSync(log, 'utf8')}`, { cause: error });
    });
  };
  await ready();
  const history: WorkflowDriver['history'] = async ({ id }) =>
    (await stage.client.workflow.getHandle(id).fetchHistory()).events ?? [];
  return {
    name,
    taskQueue,
    get pid() {
      return worker.pid;
    },
    start: (job) => begin(job, taskQueue),
    ended: async ({ id }) => {
      await stage.client.workflow.result(id);
    },
    knownAt: async (job) => {
      const at = lastCompletedAt(await history(job), knows);
      if (at === null) throw new Error(`No ${knows} of the run ${job.id} was completed.`);
      return at;
    },
    history,
    kill: async () => {
      worker.kill('SIGKILL');
      await worker.exited;
    },
    restart: async () => {
      worker = start();
      await ready();
    },
    stop: async () => {
      await worker.stop();
    },
  };
}
