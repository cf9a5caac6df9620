/** A run as a plain sample would drive it: create, sleep, look, run the tools, submit, until it has ended. */
import { ApplicationFailure, proxyActivities, sleep } from '@temporalio/workflow';
import type { SampleRun, TextbookActivities, TextbookInput } from './activities.ts';

const { createRun, retrieveRun, runTool, submitToolOutputs, readAnswer } =
  proxyActivities<TextbookActivities>({
    startToCloseTimeout: '1 minute',
  });

const isAtWork = ({ status }: SampleRun): boolean => status === 'queued' || status === 'in_progress';

/** @returns the text of the last message */
export async function textbookRun(input: TextbookInput): Promise<string> {
  let run = await createRun(input);
  for (;;) {
    while (isAtWork(run)) {
      await sleep(input.poll_ms ?? 1_000);
      run = await retrieveRun(run);
    }
    if (run.status === 'completed') return await readAnswer(run);
    if (run.status !== 'requires_action') {
      throw ApplicationFailure.nonRetryable(`The run ${run.id} ended as ${run.status}.`, 'RunEnded');
    }
    const outputs = await Promise.all(run.calls.map((call) => runTool(call)));
    run = await submitToolOutputs(run, outputs);
  }
}
