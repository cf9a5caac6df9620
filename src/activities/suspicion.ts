/** Whose turn it is, and whether an earlier try of this step may have acted at the provider. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Beat } from './beat.ts';

/** What a plain activity leaves for its next try: `clean` when the provider refused for certain. */
export interface ActingMark {
  readonly clean: boolean;
}

/** Whether this try of a step may act. */
export interface Standing {
  /** The workflow task that this step belongs to is this worker's. Always so for a plain activity. */
  readonly ours: boolean;
  /** An earlier try may have acted although its answer was lost. */
  readonly suspect: boolean;
}

/** `temporal.api.enums.v1.TimeoutType`. */
const SCHEDULE_TO_START = 2;
const PAGE = 5;

type HistoryPage = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistoryReverse']>>;
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
 * Reads an execution's events, the last one first.
 *
 * `ours`: the last one is a workflow task that started for this worker. Anything else is no task to act in: a query
 * has the worker run the workflow's code up to where it stands, local activities included, while another worker is in
 * that very task, or after the workflow was terminated.
 *
 * `suspect`: a workflow task was given up after the last one that completed. Where none has completed yet the reading
 * goes on in the execution that was continued as new: the try that was lost there may have gone further than the one
 * that continued.
 *
 * @param events of an execution by its run id, the last one first
 */
export async function readStanding(
  events: (runId: string) => AsyncIterable<HistoryEvent>,
  runId: string,
  identity: string,
): Promise<Standing> {
  let ours: boolean | null = null;
  for (let at: string | null | undefined = runId; at != null && at !== '';) {
    let passOver = at === runId ? 0 : 1;
    let before: string | null | undefined = null;
    for await (const event of events(at)) {
      ours ??= event.workflowTaskStartedEventAttributes?.identity === identity;
      const trace = readTrace(event);
      if (trace === 'lost') return { ours, suspect: true };
      if (trace === 'completed' && passOver-- === 0) return { ours, suspect: false };
      if (trace === 'started')
        before = event.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    }
    at = before;
  }
  return { ours: ours ?? false, suspect: false };
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
async function standingOfTask(context: Context): Promise<Standing> {
  const runId = context.info.workflowExecution?.runId ?? '';
  try {
    return await readStanding((at) => readBackwards(context, at), runId, context.client.options.identity);
  } catch {
    return { ours: false, suspect: true };
  }
}

/** @param suspected the workflow suspects an earlier try already */
export async function standingOf(suspected: boolean): Promise<Standing> {
  const context = Context.current();
  const { info } = context;
  if (info.isLocal) {
    const { ours, suspect } = await standingOfTask(context);
    return { ours, suspect: suspected || suspect || info.attempt > 1 };
  }
  const mark = info.heartbeatDetails as ActingMark | null | undefined;
  const suspect = mark === null || mark === undefined ? info.attempt > 1 : !mark.clean;
  return { ours: true, suspect: suspected || suspect };
}

/** Marks a plain activity as acting; false where it is no longer ours and must not act. */
export function markActing(beat: Beat<ActingMark>): Promise<boolean> {
  return beat.record({ clean: false });
}
