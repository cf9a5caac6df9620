/** Drover itself: its worker as it is built, its client. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { RunClient } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest } from '../../src/contract.ts';
import { PUSHED } from '../pushed.ts';
import type { Stage } from '../stage.ts';
import type { Job } from './driver.ts';
import { startWorkflowDriver } from './workflow-driver.ts';
import type { StartOptions, WorkflowDriver } from './workflow-driver.ts';

/** What `npm run build` makes: a worker that starts without compiling and bundling anything. */
const WORKER = fileURLToPath(new URL('../../dist/worker.js', import.meta.url));
const CONFIG = fileURLToPath(new URL('../drover.config.ts', import.meta.url));

function requestOf(job: Job): RunRequest {
  const who =
    job.wire === 'responses'
      ? { assistant_id: 'bench', model: job.id, ...(job.pushed === true ? { backend: PUSHED } : {}) }
      : { assistant_id: job.id, backend: 'assistants' };
  return {
    ...who,
    input: 'Look it up.',
    ...(job.threadId === undefined ? {} : { thread_id: job.threadId }),
    ...(job.inTurn === false ? { on_busy_thread: 'proceed' } : {}),
    ...(job.instructions === undefined ? {} : { instructions: job.instructions }),
  };
}

export async function startDrover(
  stage: Stage,
  options: StartOptions & { readonly env?: Readonly<Record<string, string>> } = {},
): Promise<WorkflowDriver> {
  if (!existsSync(WORKER)) throw new Error('Drover is not built. Run `npm run build` first.');
  return await startWorkflowDriver(stage, {
    ...options,
    name: 'drover',
    entry: WORKER,
    env: { ...options.env, DROVER_CONFIG: CONFIG, DROVER_LOG_LEVEL: 'warn' },
    begin: async (job, taskQueue) => {
      await new RunClient({ client: stage.client, taskQueue }).start(requestOf(job), { id: job.id });
    },
    knows: NAMES.activities.awaitRun,
  });
}
