/** What a history says of its cost: pure. */
import type { WorkflowHandle } from '@temporalio/client';

export type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

export interface HistoryFacts {
  readonly events: number;
  readonly workflow_tasks: number;
  /** Tries of activities, the first ones included. */
  readonly activity_tries: number;
  readonly timers: number;
  readonly upserts: number;
  /** Signals and accepted updates. */
  readonly told: number;
  /** Workflow tasks that recorded the outcome of local activities. */
  readonly marker_tasks: number;
}

/** Workflow tasks that were completed only to keep a local activity alive: another one follows at once. */
function countTaskHeartbeats(events: readonly HistoryEvent[]): number {
  return events.filter(
    (event, index) =>
      event.workflowTaskCompletedEventAttributes && events[index + 1]?.workflowTaskScheduledEventAttributes,
  ).length;
}

export function historyFacts(events: readonly HistoryEvent[]): HistoryFacts {
  const markers = events.flatMap(({ markerRecordedEventAttributes: marker }) =>
    marker ? [String(marker.workflowTaskCompletedEventId)] : [],
  );
  return {
    events: events.length,
    workflow_tasks: events.filter((event) => event.workflowTaskCompletedEventAttributes).length,
    activity_tries: events.reduce(
      (sum, { activityTaskStartedEventAttributes: started }) => sum + (started ? (started.attempt ?? 1) : 0),
      0,
    ),
    timers: events.filter((event) => event.timerStartedEventAttributes).length,
    upserts: events.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes).length,
    told: events.filter(
      (event) =>
        event.workflowExecutionSignaledEventAttributes ??
        event.workflowExecutionUpdateAcceptedEventAttributes,
    ).length,
    marker_tasks: new Set(markers).size + countTaskHeartbeats(events),
  };
}

/**
 * Billable actions as Temporal Cloud's documentation has them (docs.temporal.io/cloud/actions): one for the start
 * of the workflow, each start or retry of an activity, each heartbeat that reaches the server, each timer, each
 * upsert of search attributes, each signal and update, all local activities of one workflow task together, and each
 * further task that only keeps one alive.
 */
export function billableActions(facts: HistoryFacts, heartbeats: number): number {
  const { activity_tries, timers, upserts, told, marker_tasks } = facts;
  return 1 + activity_tries + heartbeats + timers + upserts + told + marker_tasks;
}

const millis = (event: HistoryEvent): number =>
  Number(event.eventTime?.seconds ?? 0) * 1_000 + Math.floor((event.eventTime?.nanos ?? 0) / 1e6);

/** When the last activity of this type was completed; null where none was. */
export function lastCompletedAt(events: readonly HistoryEvent[], activity: string): number | null {
  const types = new Map(
    events.map((event) => [
      String(event.eventId),
      event.activityTaskScheduledEventAttributes?.activityType?.name,
    ]),
  );
  const last = events.findLast(
    ({ activityTaskCompletedEventAttributes: completed }) =>
      completed && types.get(String(completed.scheduledEventId)) === activity,
  );
  return last === undefined ? null : millis(last);
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** How often a text stands in a history, in its payloads too. */
export function countText(events: readonly HistoryEvent[], text: string): number {
  return textsIn(events).reduce((count, held) => count + held.split(text).length - 1, 0);
}
