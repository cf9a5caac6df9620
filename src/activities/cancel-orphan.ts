/** What a wait does with its attempt once somebody has closed its workflow from outside. */
import type { Context } from '@temporalio/activity';
import { askAttempt } from '../ask-attempt.ts';
import type { Backend } from '../backends/backend.ts';
import { standsWith } from '../same-attempt.ts';
import type { AttemptRef } from '../steps.ts';

const CANCEL_MS = 10_000;

/**
 * Whether the execution that a reset has put in the place of this one has the attempt, or will take it up by its key: it
 * may stand in the history that both share.
 */
async function isTakenUp(
  { client, info }: Context,
  successor: string,
  { backend, attempt }: { readonly backend: Backend; readonly attempt: AttemptRef },
): Promise<boolean> {
  const live = await askAttempt(client, info.workflowExecution?.workflowId ?? '', successor);
  const stands = live === null ? 'behind' : standsWith(live.attempt, attempt);
  return stands === 'behind' ? backend.capabilities.findByKey : stands === 'has';
}

/** A workflow that was terminated runs no code of its own: whoever still waits for its attempt cancels it. */
export async function cancelOrphan(context: Context, backend: Backend, attempt: AttemptRef): Promise<void> {
  const { client, info, log } = context;
  if (info.workflowExecution === undefined) return;
  const { workflowId, runId } = info.workflowExecution;
  try {
    const { status, raw } = await client.workflow.getHandle(workflowId, runId).describe();
    if (status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW') return;
    const successor = raw.workflowExtendedInfo?.resetRunId ?? '';
    if (successor !== '' && (await isTakenUp(context, successor, { backend, attempt }))) return;
    await backend.cancel(attempt, AbortSignal.timeout(CANCEL_MS));
  } catch (error) {
    log.warn('could not cancel the attempt of a closed run', {
      runId: workflowId,
      attemptId: attempt.id,
      err: error,
    });
  }
}
