/** The floor of the engine. */
import { fileURLToPath } from 'node:url';
import type { Stage } from '../stage.ts';
import { startWorkflowDriver } from './workflow-driver.ts';
import type { StartOptions, WorkflowDriver } from './workflow-driver.ts';

const WORKER = fileURLToPath(new URL('../noop/worker.ts', import.meta.url));

export async function startNoop(stage: Stage, options: StartOptions = {}): Promise<WorkflowDriver> {
  return await startWorkflowDriver(stage, {
    ...options,
    name: 'noop',
    entry: WORKER,
    begin: async ({ id }, taskQueue) => {
      await stage.client.workflow.start('noopRun', { workflowId: id, taskQueue });
    },
    knows: 'nothing',
  });
}
