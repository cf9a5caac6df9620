/** The poll loop that a plain sample shows. */
import { fileURLToPath } from 'node:url';
import type { Stage } from '../stage.ts';
import type { TextbookInput } from '../textbook/workflow.ts';
import { startWorkflowDriver } from './workflow-driver.ts';
import type { StartOptions, WorkflowDriver } from './workflow-driver.ts';

const WORKER = fileURLToPath(new URL('../textbook-worker.ts', import.meta.url));

export async function startTextbook(stage: Stage, options: StartOptions = {}): Promise<WorkflowDriver> {
  return await startWorkflowDriver(stage, {
    ...options,
    name: 'textbook',
    entry: WORKER,
    begin: async ({ id, wire, threadId, instructions }, taskQueue) => {
      const input: TextbookInput = {
        assistant_id: id,
        model: id,
        wire,
        ...(threadId === undefined ? {} : { thread_id: threadId }),
        input: 'Look it up.',
        ...(instructions === undefined ? {} : { instructions }),
      };
      await stage.client.workflow.start('textbookRun', { workflowId: id, taskQueue, args: [input] });
    },
    knows: 'retrieveRun',
  });
}
