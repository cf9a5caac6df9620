/** Has the run's own history hold the thread that a step has made, before anything runs on it (decision 026). */
import { Context } from '@temporalio/activity';
import { assertNotStopped } from '../backends/act-guard.ts';
import { NAMES } from '../contract.ts';

/** How long the server may take to write it down, in milliseconds. */
const WRITE_MS = 1_000;

/**
 * Signals this very execution: while its workflow task is under way the server keeps the word, whatever becomes of the task.
 *
 * @returns false where the server may not have it
 */
export async function announceThread(threadId: string): Promise<boolean> {
  const { client, info } = Context.current();
  if (info.workflowExecution === undefined) return false;
  const { workflowId, runId } = info.workflowExecution;
  try {
    assertNotStopped();
    await client.withDeadline(Date.now() + WRITE_MS, () =>
      client.workflow.getHandle(workflowId, runId).signal<[string]>(NAMES.signals.thread, threadId),
    );
    return true;
  } catch {
    return false;
  }
}
