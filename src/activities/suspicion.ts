/** Whose turn it is, and whether an earlier try of this step may have acted at the provider. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Beat } from './beat.ts';
import { isUntouchedFirstTry } from './first-try.ts';

/** What a plain activity leaves for its next try: `clean` when the provider refused for certain. */
export interface ActingMark {
  readonly clean: boolean;
}

export type Turn = 'ours' | 'not_ours' | 'unknown';

/** Whether this try of a step may act. */
export interface Standing {
  /** The workflow task that this step belongs to is this worker's, or it is not, or nothing tells. */
  readonly turn: Turn;
  /** An earlier try may have acted although its answer was lost. */
  readonly suspect: boolean;
}

/** A standing, and what it was read from. */
export interface Reading extends Standing {
  /** Of the last event, by the server's clock, in epoch milliseconds: where the turn is ours, the task's start. */
  readonly begunMs: number;
}

/**
 * A task that is older may be over before the server is told what a step in it has made: half of the 5 seconds that
 * Drover's clients ask for (decision 014).
 */
const OLDEST_TASK_MS = 2_500;

/** What a step in an old task would make is left to a plain activity, which has all the time. Pure. */
export function standingAt({ begunMs, ...standing }: Reading, nowMs: number): Standing {
  const isLate = standing.turn === 'ours' && nowMs - begunMs > OLDEST_TASK_MS;
  return isLate ? { ...standing, turn: 'unknown' } : standing;
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

/** Events that a workflow task has yet to take up. */
const NEWS = [
  'workflowTaskScheduledEventAttributes',
  'activityTaskStartedEventAttributes',
  'activityTaskCompletedEventAttributes',
  'activityTaskFailedEventAttributes',
  'activityTaskTimedOutEventAttributes',
  'activityTaskCanceledEventAttributes',
  'timerFiredEventAttributes',
  'workflowExecutionSignaledEventAttributes',
  'workflowExecutionCancelRequestedEventAttributes',
] as const satisfies readonly (keyof HistoryEvent)[];

/**
 * Whose turn it is, by the last event. A workflow task that started for this worker is ours. One that started for
 * another, or news that no task has taken up, are not: a query has the worker run the workflow's code up to there, local
 * activities included. All else (a task that is tried again or an Update's, which leave no event, or a closed workflow)
 * does not tell.
 */
function turnBy(last: HistoryEvent, identity: string): Turn {
  const started = last.workflowTaskStartedEventAttributes;
  if (started) return started.identity === identity ? 'ours' : 'not_ours';
  return NEWS.some((field) => Boolean(last[field])) ? 'not_ours' : 'unknown';
}

/** What the workflow's own commands leave: after them the step that they followed is over. */
const PROGRESS = [
  'markerRecordedEventAttributes',
  'activityTaskScheduledEventAttributes',
  'activityTaskCancelRequestedEventAttributes',
  'timerStartedEventAttributes',
  'timerCanceledEventAttributes',
  'upsertWorkflowSearchAttributesEventAttributes',
] as const satisfies readonly (keyof HistoryEvent)[];

/** A step, by where it stands. */
export interface StepOfTask {
  readonly runId: string;
  /** Of the worker that runs it. */
  readonly identity: string;
  /** Events of the execution when the workflow's code came to it. */
  readonly events: number;
  /** When it was scheduled, by the worker's clock; epoch milliseconds. */
  readonly scheduledMs: number;
}

const timeOf = ({ eventTime }: HistoryEvent): number =>
  Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;

/**
 * Reads an execution's events, the last one first.
 *
 * A worker that was stopped in a task and wakes up in the next one that it was given still holds the steps of the first:
 * they are not its turn once the workflow has gone on without them. Nor may a step act that is older than the task under
 * way, where its own was given up: the task under way has a step like it. (Clocks that differ cost a retry, or nothing.)
 *
 * `suspect`: a workflow task was given up after the last one that completed. Where none has completed yet the reading
 * goes on in the execution that was continued as new: the try that was lost there may have gone further than the one
 * that continued. Tasks that completed after the step began only kept it alive, and say nothing.
 *
 * @param events of an execution by its run id, the last one first
 */
export async function readStanding(
  events: (runId: string) => AsyncIterable<HistoryEvent>,
  step: StepOfTask,
): Promise<Reading> {
  let turn: Turn | null = null;
  let begunMs = 0;
  for (let at: string | null | undefined = step.runId; at != null && at !== '';) {
    let passOver = at === step.runId ? 0 : 1;
    let before: string | null | undefined = null;
    for await (const event of events(at)) {
      if (turn === null) {
        turn = turnBy(event, step.identity);
        begunMs = timeOf(event);
      }
      const since = at === step.runId && Number(event.eventId) > step.events;
      if (since && PROGRESS.some((field) => Boolean(event[field])))
        return { turn: 'not_ours', suspect: true, begunMs };
      const trace = readTrace(event);
      if (trace === 'lost') {
        const isOlder = since && turn === 'ours' && step.scheduledMs < begunMs;
        return { turn: isOlder ? 'unknown' : turn, suspect: true, begunMs };
      }
      if (trace === 'completed' && !since && passOver-- === 0) return { turn, suspect: false, begunMs };
      if (trace === 'started')
        before = event.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    }
    at = before;
  }
  return { turn: turn ?? 'unknown', suspect: false, begunMs };
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
async function standingOfTask(context: Context, events: number): Promise<Standing> {
  const runId = context.info.workflowExecution?.runId ?? '';
  const { identity } = context.client.options;
  const step = { runId, identity, events, scheduledMs: context.info.scheduledTimestampMs };
  try {
    const reading = await readStanding((at) => readBackwards(context, at), step);
    return standingAt(reading, Date.now());
  } catch {
    return { turn: 'unknown', suspect: true };
  }
}

/** What the workflow says of the step. */
interface ToldStep {
  /** An earlier try is suspected already. */
  readonly suspect: boolean;
  readonly events?: number;
}

export async function standingOf({ suspect: suspected, events = Infinity }: ToldStep): Promise<Standing> {
  const context = Context.current();
  const { info } = context;
  if (info.isLocal) {
    const { turn, suspect } = await standingOfTask(context, events);
    return { turn, suspect: suspected || suspect || info.attempt > 1 };
  }
  const mark = info.heartbeatDetails as ActingMark | null | undefined;
  const suspect = mark === null || mark === undefined ? !isUntouchedFirstTry(info) : !mark.clean;
  return { turn: 'ours', suspect: suspected || suspect };
}

/** Marks a plain activity as acting; false where it is no longer ours and must not act. */
export function markActing(beat: Beat<ActingMark>): Promise<boolean> {
  return beat.record({ clean: false });
}
