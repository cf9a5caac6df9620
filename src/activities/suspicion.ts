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
export type HistoryEvent = NonNullable<NonNullable<HistoryPage['history']>['events']>[number];

/**
 * What a history says of the workflow task that a local activity runs in. `first`: its worker's, and no try before
 * it. `again`: one before it started and did not complete. `not_ours`: it is another worker's, or no task is under
 * way at all; whoever runs in it runs what a query made of newer events, or was stopped and woke up too late.
 */
export type TaskSign = 'first' | 'again' | 'not_ours';

/**
 * Reads events, the newest first, on to the last task that completed. Tasks that failed more than once leave no
 * event of their own while they run: then nobody can tell whose they are.
 *
 * @param isOpen no event of a task was among the newer ones
 * @returns the sign, or, where older events have to be read, whether that still holds
 */
export function readTaskEvents(
  newestFirst: readonly HistoryEvent[],
  identity: string,
  isOpen = true,
): TaskSign | { readonly isOpen: boolean } {
  let open = isOpen;
  for (const event of newestFirst) {
    const { workflowTaskStartedEventAttributes: started, workflowTaskTimedOutEventAttributes: timedOut } =
      event;
    if (event.workflowTaskFailedEventAttributes) return 'again';
    // A dead worker's own queue: the task had not started there.
    if (timedOut && Number(timedOut.timeoutType) !== SCHEDULE_TO_START) return 'again';
    if (open && event.workflowTaskScheduledEventAttributes) return 'not_ours';
    if (open && started) {
      if (started.identity !== identity) return 'not_ours';
      open = false;
    }
    if (event.workflowTaskCompletedEventAttributes || event.workflowExecutionStartedEventAttributes)
      return open ? 'not_ours' : 'first';
  }
  return { isOpen: open };
}

/**
 * A local activity leaves no trace when its worker dies: the new one runs it as if for the first time.
 * But the history then has a workflow task that started and did not complete, after the last one that did.
 * (The task's own attempt number does not tell: it begins anew when a sticky worker is given up.)
 */
async function readOwnTask({ client, info }: Context): Promise<TaskSign> {
  const { identity } = client.options;
  let nextPageToken: Uint8Array | null = null;
  let isOpen = true;
  try {
    do {
      const page: HistoryPage = await client.workflowService.getWorkflowExecutionHistoryReverse({
        namespace: info.namespace,
        execution: info.workflowExecution ?? null,
        maximumPageSize: 5,
        ...(nextPageToken === null ? {} : { nextPageToken }),
      });
      const sign = readTaskEvents(page.history?.events ?? [], identity, isOpen);
      if (typeof sign === 'string') return sign;
      ({ isOpen } = sign);
      nextPageToken = page.nextPageToken && page.nextPageToken.length > 0 ? page.nextPageToken : null;
    } while (nextPageToken !== null);
    return 'first';
  } catch {
    return 'again';
  }
}

/** Whether a step may act now, and whether it has to look first for what an earlier try did. */
export type Standing = 'act' | 'look_first' | 'not_ours';

export async function readStanding(told: boolean): Promise<Standing> {
  const context = Context.current();
  if (!context.info.isLocal) return (await earlierTryMayHaveActed(told)) ? 'look_first' : 'act';
  const sign = await readOwnTask(context);
  if (sign === 'not_ours') return sign;
  return told || sign === 'again' || context.info.attempt > 1 ? 'look_first' : 'act';
}

export async function earlierTryMayHaveActed(told: boolean): Promise<boolean> {
  const context = Context.current();
  const { info } = context;
  if (told) return true;
  if (info.isLocal) return info.attempt > 1 || (await readOwnTask(context)) === 'again';
  const mark = info.heartbeatDetails as ActingMark | null | undefined;
  return mark === null || mark === undefined ? info.attempt > 1 : !mark.clean;
}

/** Marks a plain activity as acting; false where it is no longer ours and must not act. */
export function markActing(beat: Beat<ActingMark>): Promise<boolean> {
  return beat.record({ clean: false });
}
