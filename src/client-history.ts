/** Reads a workflow's history, as it grows, into the facts of it that are told to watchers. */
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { NAMES } from './contract.ts';
import { codeOfType } from './failures.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

type Answer = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistory']>>;
type HistoryEvent = NonNullable<NonNullable<Answer['history']>['events']>[number];
type Payloads = NonNullable<HistoryEvent['workflowExecutionStartedEventAttributes']>['input'];

export type Fact =
  | { readonly kind: 'started'; readonly place: unknown }
  | { readonly kind: 'stepped'; readonly activity: string; readonly input: unknown; readonly output: unknown }
  | { readonly kind: 'tool_scheduled'; readonly input: unknown }
  | {
      readonly kind: 'tool_closed';
      readonly input: unknown;
      readonly how: 'completed' | 'failed' | 'timed_out' | 'cancelled';
      readonly failure: string | null;
    }
  | { readonly kind: 'waiting_shown'; readonly value: unknown }
  | { readonly kind: 'decided'; readonly update: string; readonly words: unknown }
  | { readonly kind: 'signaled'; readonly signal: string; readonly word: unknown }
  | { readonly kind: 'cancel_requested' }
  | { readonly kind: 'closed'; readonly status: string; readonly code: string | null };

export interface Recorded {
  readonly event_id: number;
  readonly at_ms: number;
  readonly fact: Fact;
}

export interface Page {
  readonly recorded: readonly Recorded[];
  /** To read on from; null where the execution has closed, or has nothing more to read now. */
  readonly token: Uint8Array | null;
  /** The execution that goes on in this one's place. */
  readonly next: string | null;
}

/** Whose input and output are read: all else of Drover's own is nobody's business. */
const STEPS: ReadonlySet<string> = new Set([
  NAMES.activities.createRun,
  NAMES.activities.submitOutputs,
  NAMES.activities.awaitRun,
  NAMES.activities.cancelRun,
]);
const OWN = 'drover.';

type UpdateCompleted = NonNullable<HistoryEvent['workflowExecutionUpdateCompletedEventAttributes']>;
type UpdateInput = NonNullable<
  NonNullable<
    NonNullable<HistoryEvent['workflowExecutionUpdateAcceptedEventAttributes']>['acceptedRequest']
  >['input']
>;

interface Scheduled {
  readonly activity: string;
  readonly input: unknown;
}

const msOf = ({ eventTime }: HistoryEvent): number =>
  Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1_000_000);

/** Reads one execution's history. Its calls have to come one after the other. */
export class HistoryReader {
  readonly #client: Client;
  readonly #workflowId: string;
  readonly #runId: string;
  readonly #scheduled = new Map<number, Scheduled>();
  /** Updates that were let in, by event id: what became of each stands further on. */
  readonly #accepted = new Map<string, UpdateInput>();

  constructor(client: Client, workflowId: string, runId: string) {
    this.#client = client;
    this.#workflowId = workflowId;
    this.#runId = runId;
  }

  /** What came after the page that `token` is of; waits for news where there is none, if it is to. */
  async read(token: Uint8Array | null, { waits }: { readonly waits: boolean }): Promise<Page> {
    const { history, nextPageToken } = await this.#client.workflowService.getWorkflowExecutionHistory({
      namespace: this.#client.options.namespace,
      execution: { workflowId: this.#workflowId, runId: this.#runId },
      waitNewEvent: waits,
      ...(token === null ? {} : { nextPageToken: token }),
    });
    const events = history?.events ?? [];
    const recorded: Recorded[] = [];
    for (const event of events) {
      const fact = await this.#factOf(event);
      if (fact !== null) recorded.push({ event_id: Number(event.eventId), at_ms: msOf(event), fact });
    }
    const continued = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    const isOver = nextPageToken === null || nextPageToken === undefined || nextPageToken.length === 0;
    return { recorded, token: isOver ? null : nextPageToken, next: continued ?? null };
  }

  async #decode(payloads: Payloads, activityId: string | null = null): Promise<readonly unknown[]> {
    const { namespace, loadedDataConverter } = this.#client.options;
    const workflowId = this.#workflowId;
    return decodeArrayFromPayloads(
      loadedDataConverter,
      payloads?.payloads ?? [],
      activityId === null
        ? { type: 'workflow', namespace, workflowId }
        : { type: 'activity', namespace, workflowId, activityId, isLocal: false },
    );
  }

  async #factOf(event: HistoryEvent): Promise<Fact | null> {
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) return { kind: 'started', place: (await this.#decode(started.input))[2] };
    const signaled = event.workflowExecutionSignaledEventAttributes;
    if (signaled) {
      const [word] = await this.#decode(signaled.input);
      return { kind: 'signaled', signal: signaled.signalName ?? '', word };
    }
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
    if (accepted) this.#accepted.set(String(event.eventId), accepted);
    const completed = event.workflowExecutionUpdateCompletedEventAttributes;
    if (completed) return await this.#decidedFact(completed);
    const upserted = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields;
    const shown = upserted?.[SEARCH_ATTRIBUTES.waiting.name];
    if (shown) return { kind: 'waiting_shown', value: readPlain(shown.data) };
    if (event.workflowExecutionCancelRequestedEventAttributes) return { kind: 'cancel_requested' };
    return (await this.#activityFact(event)) ?? (await this.#closeFact(event));
  }

  /** One that was refused after all, by whoever authorizes it or as its time was over, decided nothing. */
  async #decidedFact(completed: UpdateCompleted): Promise<Fact | null> {
    const asked = this.#accepted.get(String(completed.acceptedEventId));
    if (asked === undefined || !completed.outcome?.success) return null;
    const [words] = await this.#decode(asked.args);
    return { kind: 'decided', update: asked.name ?? '', words };
  }

  async #activityFact(event: HistoryEvent): Promise<Fact | null> {
    const marker = event.markerRecordedEventAttributes;
    if (marker?.markerName === 'core_local_activity') {
      const { activity_type: activity = '' } = (readPlain(marker.details?.['data']?.payloads?.[0]?.data) ??
        {}) as { readonly activity_type?: string };
      if (!STEPS.has(activity)) return null;
      const [output] = await this.#decode(marker.details?.['result']);
      return { kind: 'stepped', activity, input: null, output };
    }
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const activity = scheduled.activityType?.name ?? '';
      const isTool = !activity.startsWith(OWN);
      if (!isTool && !STEPS.has(activity)) return null;
      const [input] = await this.#decode(scheduled.input, scheduled.activityId ?? '');
      this.#scheduled.set(Number(event.eventId), { activity, input });
      return isTool ? { kind: 'tool_scheduled', input } : null;
    }
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes;
    const timedOut = event.activityTaskTimedOutEventAttributes;
    const cancelled = event.activityTaskCanceledEventAttributes;
    const closed = completed ?? failed ?? timedOut ?? cancelled;
    if (!closed) return null;
    const { activity, input } = this.#scheduled.get(Number(closed.scheduledEventId)) ?? {};
    this.#scheduled.delete(Number(closed.scheduledEventId));
    if (activity === undefined) return null;
    if (STEPS.has(activity)) {
      if (!completed) return null;
      const [output] = await this.#decode(completed.result, '');
      return { kind: 'stepped', activity, input, output };
    }
    const failure = failed?.failure?.applicationFailureInfo?.type ?? null;
    const how = completed ? 'completed' : failed ? 'failed' : timedOut ? 'timed_out' : 'cancelled';
    return { kind: 'tool_closed', input, how, failure };
  }

  async #closeFact(event: HistoryEvent): Promise<Fact | null> {
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed) {
      const [result] = await this.#decode(completed.result);
      const { code = null } = (result ?? {}) as { readonly code?: string | null };
      return { kind: 'closed', status: 'COMPLETED', code };
    }
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed) {
      const code = codeOfType(failed.failure?.applicationFailureInfo?.type ?? undefined);
      return { kind: 'closed', status: 'FAILED', code };
    }
    if (event.workflowExecutionCanceledEventAttributes)
      return { kind: 'closed', status: 'CANCELLED', code: 'cancelled' };
    if (event.workflowExecutionTerminatedEventAttributes)
      return { kind: 'closed', status: 'TERMINATED', code: null };
    return event.workflowExecutionTimedOutEventAttributes
      ? { kind: 'closed', status: 'TIMED_OUT', code: null }
      : null;
  }
}

/** What neither Temporal's library nor a codec encodes otherwise than as JSON. */
function readPlain(data: Uint8Array | null | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(data ?? []).toString()) as unknown;
  } catch {
    return null;
  }
}
