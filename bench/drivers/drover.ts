/** Drover itself: its worker as it is shipped, its client. */
import { fileURLToPath } from 'node:url';
import { RunClient } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest } from '../../src/contract.ts';
import type { Stage } from '../stage.ts';
import type { Job } from './driver.ts';
import { startWorkflowDriver } from './workflow-driver.ts';
import type { StartOptions, WorkflowDriver } from './workflow-driver.ts';

const CONFIG = fileURLToPath(new URL('../drover.config.ts', import.meta.url));

function requestOf(job: Job): RunRequest {
  const who =
    job.wire === 'responses'
      ? { assistant_id: 'bench', model: job.id }
      : { assistant_id: job.id, backend: 'assistants' };
  return {
    ...who,
    input: 'Look it up.',
    ...(job.threadId === undefined ? {} : { thread_id: job.threadId }),
    ...(job.instructions === undefined ? {} : { instructions: job.instructions }),
  };
}

export async function startDrover(stage: Stage, options: StartOptions = {}): Promise<WorkflowDriver> {
  return await startWorkflowDriver(stage, {
    ...options,
    name: 'drover',
    env: { DROVER_CONFIG: CONFIG, DROVER_LOG_LEVEL: 'warn' },
    begin: async (job, taskQueue) => {
      await new RunClient({ client: stage.client, taskQueue }).start(requestOf(job), { id: job.id });
    },
    knows: NAMES.activities.awaitRun,
  });
}
