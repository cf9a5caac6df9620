/** Whether an earlier try of this step may have acted at the provider. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Beat } from './beat.ts';

/** What a plain activity leaves for its next try: `clean` when the provider refused for certain. */
export interface ActingMark {
  readonly clean: boolean;
}

/** What a step is told of its earlier tries by the workflow. */
export interface ToldOfTries {
  /** An earlier try may have acted although its answer was lost. */
  readonly suspect: boolean;
  /** True where no earlier try can have been, so that nobody need be asked. */
  readonly fresh?: boolean;
}

/** `temporal.api.enums.v1.TimeoutType`. */
const SCHEDULE_TO_START = 2;
const PAGE = 5;

type Service = Client['workflowService'];
type HistoryPage = Awaited<ReturnType<Service['getWorkflowExecutionHistoryReverse']>>;
export type HistoryEvent = NonNullable<NonNullable<HistoryPage['history']>['events']>[number];

/** What an event says of the workflow task that is under way: given up before, none before, or nothing. */
type Trace = 'lost' | 'completed' | 'started' | null;

function readTrace(event: HistoryEvent): Trace {
  if (event.workflowTaskFailedEventAttributes) return 'lost';
  const timedOut = event.workflowTaskTimedOutEventAttributes;
  // A dead worker's own queue: the task had not started there.
  if (timedOut && Number(timedOut.timeoutType) !== SCHEDULE_TO_START) return 'lost';
  if (event.workflowTaskCompletedEventAttributes) return 'completed';
  return event.workflowExecutionStartedEventAttributes ? 'started' : null;
}

/**
 * Reads an execution's events, the last one first, and says whether a workflow task was given up after the last one
 * that completed. Where none has completed yet it goes on in the execution that was continued as new: the try that
 * was lost there may have gone further than the one that continued.
 *
 * @param events of an execution by its run id, the last one first
 */
export async function wasTaskLost(
  events: (runId: string) => AsyncIterable<HistoryEvent>,
  runId: string,
): Promise<boolean> {
  let own = true;
  for (let at: string | null | undefined = runId; at != null && at !== ''; own = false) {
    let passOver = own ? 0 : 1;
    let before: string | null | undefined = null;
    for await (const event of events(at)) {
      const trace = readTrace(event);
      if (trace === 'lost') return true;
      if (trace === 'completed' && passOver-- === 0) return false;
      if (trace === 'started')
        before = event.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    }
    at = before;
  }
  return false;
}

async function* readBackwards({ client, info }: Context, runId: string): AsyncGenerator<HistoryEvent> {
  const workflowId = info.workflowExecution?.workflowId ?? '';
  let nextPageToken: Uint8Array | null = null;
  do {
    const page: HistoryPage = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: info.namespace,
      execution: { workflowId, runId },
      maximumPageSize: PAGE,
      ...(nextPageToken === null ? {} : { nextPageToken }),
    });
    yield* page.history?.events ?? [];
    nextPageToken = page.nextPageToken && page.nextPageToken.length > 0 ? page.nextPageToken : null;
  } while (nextPageToken !== null);
}

/**
 * A local activity leaves no trace when its worker dies: the new one runs it as if for the first time.
 * But the history then has a workflow task that started and did not complete, after the last one that did.
 * (The task's own attempt number does not tell: it begins anew when a sticky worker is given up.)
 */
async function workflowTaskTriedBefore(context: Context): Promise<boolean> {
  try {
    return await wasTaskLost((at) => readBackwards(context, at), context.info.workflowExecution?.runId ?? '');
  } catch {
    return true;
  }
}

export async function earlierTryMayHaveActed({ suspect, fresh = false }: ToldOfTries): Promise<boolean> {
  const context = Context.current();
  const { info } = context;
  if (suspect) return true;
  if (info.isLocal) return info.attempt > 1 || (!fresh && (await workflowTaskTriedBefore(context)));
  const mark = info.heartbeatDetails as ActingMark | null | undefined;
  return mark === null || mark === undefined ? info.attempt > 1 : !mark.clean;
}

/** Marks a plain activity as acting; false where it is no longer ours and must not act. */
export function markActing(beat: Beat<ActingMark>): Promise<boolean> {
  return beat.record({ clean: false });
}
