/** Resets a run as somebody in Temporal UI does. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { RunHandle } from '../../src/client.ts';

export interface ResetTo {
  /** An execution of the run. @default the latest */
  readonly execution?: string;
  /** Which of its workflow tasks is done again, as `at` of an array counts. @default the first: all is done again */
  readonly task?: number;
}

export async function resetRun(client: Client, run: RunHandle, to: ResetTo = {}): Promise<void> {
  const { execution, task = 0 } = to;
  const { events } = await client.workflow.getHandle(run.id, execution).fetchHistory();
  const finished = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: run.id, runId: execution ?? '' },
    reason: 'test',
    workflowTaskFinishEventId: finished.at(task)?.eventId ?? null,
    requestId: randomUUID(),
  });
}
