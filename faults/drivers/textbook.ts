/** The textbook loop, judged as Drover is. It promises no second attempt: a run ends as its first attempt ends. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { textbookRun, TextbookInput } from '../../bench/textbook/workflow.ts';
import { METADATA_KEYS } from '../../src/contract.ts';
import { ASSISTANT } from '../plan.ts';
import type { RunPlan } from '../plan.ts';
import type { Driver, FinalState } from './driver.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function inputOf(plan: RunPlan, threadId: string | null): TextbookInput {
  return {
    assistant_id: ASSISTANT,
    model: plan.id,
    input: plan.input,
    wire: plan.wire,
    thread_id: threadId,
    // By this the scripted model tells one attempt of a run from the next.
    metadata: { [METADATA_KEYS.run]: plan.id },
    max_completion_tokens: plan.budget,
  };
}

const wordFor = (code: string | null, text: string): FinalState['word'] => ({
  code,
  text,
  ambiguous: false,
  calls: null,
});

export const textbook: Driver = {
  name: 'textbook',
  workerEntry: here('../textbook-worker.ts'),
  writeBundle: async (file) => {
    const workflowsPath = here('../../bench/textbook/workflow.ts');
    const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
    await writeFile(file, code);
  },
  start: async ({ client, taskQueue }, plan, threadId) => {
    try {
      await client.workflow.start<typeof textbookRun>('textbookRun', {
        workflowId: plan.id,
        taskQueue,
        args: [inputOf(plan, threadId)],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  },
  cancel: async ({ client }, plan) => {
    const handle = client.workflow.getHandle(plan.id);
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') await handle.cancel();
  },
  waiting: () => Promise.resolve([]),
  decide: () => Promise.resolve(),
  settle: () => Promise.resolve(),
  word: async ({ client }, plan) => {
    try {
      const { text } = await client.workflow.getHandle<typeof textbookRun>(plan.id).result();
      return wordFor(null, text);
    } catch (error) {
      if (error instanceof WorkflowFailedError) return wordFor('failed', '');
      throw error;
    }
  },
  promises: {
    ends: ({ shape, attempts: [first] }) => {
      // A create that was repeated plays the next attempt, and later steps of a chain have no budget.
      const mayFail = shape === 'cancelled_by_service' || first?.end !== 'answer';
      return mayFail ? [null, 'failed'] : [null];
    },
    closesAs: (code) => (code === null ? ['COMPLETED'] : ['FAILED', 'CANCELLED']),
    namedIsOne: false,
    asksPeople: false,
    takesTurns: false,
    keepsLimits: false,
    freesThreads: false,
  },
};
