/** Whether an earlier try of this step may have acted at the provider. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Beat } from './beat.ts';

/** What a plain activity leaves for its next try: `clean` when the provider refused for certain. */
export interface ActingMark {
  readonly clean: boolean;
}

/** `temporal.api.enums.v1.TimeoutType`. */
const SCHEDULE_TO_START = 2;

type HistoryPage = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistoryReverse']>>;
type HistoryEvent = NonNullable<NonNullable<HistoryPage['history']>['events']>[number];

/** True for a task that was given up after it had started, false for one that completed, null for all else. */
function readTaskEvent(event: HistoryEvent): boolean | null {
  if (event.workflowTaskFailedEventAttributes) return true;
  const timedOut = event.workflowTaskTimedOutEventAttributes;
  // A dead worker's own queue: the task had not started there.
  if (timedOut && Number(timedOut.timeoutType) !== SCHEDULE_TO_START) return true;
  if (event.workflowTaskCompletedEventAttributes || event.workflowExecutionStartedEventAttributes)
    return false;
  return null;
}

/**
 * A local activity leaves no trace when its worker dies: the new one runs it as if for the first time.
 * But the history then has a workflow task that started and did not complete, after the last one that did.
 * (The task's own attempt number does not tell: it begins anew when a sticky worker is given up.)
 */
async function workflowTaskTriedBefore(context: Context): Promise<boolean> {
  const { client, info } = context;
  let nextPageToken: Uint8Array | null = null;
  try {
    do {
      const page: HistoryPage = await client.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: info.namespace,
        execution: info.workflowExecution ?? null,
        maximumPageSize: 5,
        ...(nextPageToken === null ? {} : { nextPageToken }),
      });
      for (const event of page.history?.events ?? []) {
        const answer = readTaskEvent(event);
        if (answer !== null) return answer;
      }
      nextPageToken = page.nextPageToken && page.nextPageToken.length > 0 ? page.nextPageToken : null;
    } while (nextPageToken !== null);
    return false;
  } catch {
    return true;
  }
}

export async function earlierTryMayHaveActed(told: boolean): Promise<boolean> {
  const context = Context.current();
  const { info } = context;
  if (told) return true;
  if (info.isLocal) return info.attempt > 1 || workflowTaskTriedBefore(context);
  const mark = info.heartbeatDetails as ActingMark | null | undefined;
  return mark === null || mark === undefined ? info.attempt > 1 : !mark.clean;
}

/** Marks a plain activity as acting; false where it is no longer ours and must not act. */
export function markActing(beat: Beat<ActingMark>): Promise<boolean> {
  return beat.record({ clean: false });
}
