/** A heartbeat whose answer is awaited: the SDK's own is throttled and sent into the dark. */
import type { Context } from '@temporalio/activity';

/**
 * Has the server write down the details, and waits for its word.
 *
 * @param patienceMs how long the server may take; later its word is worth nothing
 * @throws where it did not take them: the activity timed out, was cancelled, paused or reset, its workflow is
 *   closed, or the server could not be asked. Each has its own class of `@temporalio/client`.
 */
export async function confirmHeartbeat(
  context: Context,
  details: unknown,
  patienceMs: number,
): Promise<void> {
  const { client, info } = context;
  const { namespace, activityId, isLocal, workflowExecution } = info;
  const serializationContext = {
    type: 'activity' as const,
    namespace,
    activityId,
    isLocal,
    ...(workflowExecution === undefined ? {} : { workflowId: workflowExecution.workflowId }),
  };
  await client.withDeadline(Date.now() + patienceMs, () =>
    client.activity.heartbeat(info.taskToken, details, { serializationContext }),
  );
}
