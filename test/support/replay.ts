/** Replays a workflow that ran, as a worker does that has never seen it. */
import type { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import type { ReplayWorkerOptions } from '@temporalio/worker';

/** What the replay fails with; null where it can be replayed. */
export async function replayError(
  client: Client,
  workflowId: string,
  options: ReplayWorkerOptions,
): Promise<unknown> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory();
  return await Worker.runReplayHistory(options, history, workflowId).then(
    () => null,
    (error: unknown) => error,
  );
}
