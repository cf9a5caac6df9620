/** What the server says of the activity that runs here. */
import type { Context } from '@temporalio/activity';
import type { WorkflowExecutionDescription } from '@temporalio/client';

/** How long the server may take to tell, in milliseconds. */
const TELL_MS = 5_000;

export type PendingActivity = NonNullable<WorkflowExecutionDescription['raw']['pendingActivities']>[number];

/** Undefined where it knows of none: the activity has ended for it, or its workflow. */
export async function readPending({ client, info }: Context): Promise<PendingActivity | undefined> {
  const { workflowExecution, activityId } = info;
  if (workflowExecution === undefined) return undefined;
  const { workflowId, runId } = workflowExecution;
  const { raw } = await client.withDeadline(Date.now() + TELL_MS, () =>
    client.workflow.getHandle(workflowId, runId).describe(),
  );
  return raw.pendingActivities?.find((activity) => activity.activityId === activityId);
}
