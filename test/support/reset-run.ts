/** Resets a run as somebody in Temporal UI does. */
import type { Client } from '@temporalio/client';
import type { RunHandle } from '../../src/client.ts';

/** To its first workflow task: all that it did is done again. */
export async function resetRun(client: Client, run: RunHandle): Promise<void> {
  const { events } = await run.workflow.fetchHistory();
  const finish = events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: run.id },
    reason: 'test',
    workflowTaskFinishEventId: finish ?? null,
    requestId: run.id,
  });
}
