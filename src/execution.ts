/** What Temporal says of one execution of a run. */
import type { Client, WorkflowExecutionStatusName } from '@temporalio/client';

export interface Execution {
  readonly runId: string;
  readonly status: WorkflowExecutionStatusName;
  readonly startMs: number;
  /** The first one of its chain: those that were continued as new, or reset. Empty where an old server does not say. */
  readonly first: string;
  /** The one that the last reset of this one began. Temporal tells it of no other: not of the one that ran then. */
  readonly reset: string | null;
}

/** @param runId empty for the latest one */
export async function describeExecution(client: Client, id: string, runId = ''): Promise<Execution> {
  const described = await client.workflow.getHandle(id, ...(runId === '' ? [] : [runId])).describe();
  const { workflowExecutionInfo: info, workflowExtendedInfo: extended } = described.raw;
  return {
    runId: described.runId,
    status: described.status.name,
    startMs: described.startTime.getTime(),
    first: info?.firstRunId ?? '',
    reset: extended?.resetRunId || null,
  };
}
