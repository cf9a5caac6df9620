/** What a wait does with its attempt once somebody has closed its workflow from outside. */
import type { Context } from '@temporalio/activity';
import type { Backend } from '../backends/backend.ts';
import { describeExecution } from '../execution.ts';
import type { AttemptRef } from '../steps.ts';
import { isTakenUp } from '../taken-up.ts';

const CANCEL_MS = 10_000;

/** A workflow that was terminated runs no code of its own: whoever still waits for its attempt cancels it. */
export async function cancelOrphan(context: Context, backend: Backend, attempt: AttemptRef): Promise<void> {
  const { client, info, log } = context;
  if (info.workflowExecution === undefined) return;
  const { workflowId, runId } = info.workflowExecution;
  try {
    const own = await describeExecution(client, workflowId, runId);
    if (own.status === 'RUNNING' || own.status === 'CONTINUED_AS_NEW') return;
    if (await isTakenUp(client, workflowId, own, { attempt, backend })) return;
    await backend.cancel(attempt, AbortSignal.timeout(CANCEL_MS));
  } catch (error) {
    log.warn('could not cancel the attempt of a closed run', {
      runId: workflowId,
      attemptId: attempt.id,
      err: error,
    });
  }
}
