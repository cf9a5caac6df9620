/** Watches a run: its history, as it grows, told as events. Reads only; nothing of it stands in the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { EventReader, type Told } from './client-events.ts';
import { HistoryReader, type Page } from './client-history.ts';
import { isMissing } from './client-missing.ts';
import { NAMES } from './contract.ts';
import { InvalidOffsetError } from './client-errors.ts';
import { RunNotFoundError } from './errors.ts';
import type { WireStatus } from './run.ts';
import type { RunEvent } from './run-events.ts';

export interface WatchOptions {
  /** The `offset` of the last event that was seen: the next one is the first that is told. @default from the start */
  readonly after?: string;
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal;
}

/** How often heartbeats are read for a status that no event tells. */
const STATUS_MS = 2_000;

interface Place {
  /** Temporal's id of the execution. */
  readonly runId: string;
  readonly eventId: number;
  /** Which event of those that the one recorded made, from 0. */
  readonly index: number;
}

const offsetOf = ({ runId, eventId, index }: Place): string => `${runId}.${eventId}.${index}`;

/** @throws InvalidOffsetError */
function readOffset(offset: string): Place {
  const [, runId = '', eventId = '', index = ''] = /^([\w-]{1,64})\.(\d{1,9})\.(\d{1,3})$/.exec(offset) ?? [];
  if (runId === '') throw new InvalidOffsetError(offset);
  return { runId, eventId: Number(eventId), index: Number(index) };
}

const isBehind = (place: Place, after: Place | null): boolean =>
  after !== null &&
  place.runId === after.runId &&
  (place.eventId < after.eventId || (place.eventId === after.eventId && place.index <= after.index));

/** What the worker that waits for the attempt says of it; null where none does. */
async function statusNow(client: Client, id: string, runId: string): Promise<WireStatus | null> {
  const { raw } = await client.workflow.getHandle(id, runId).describe();
  const waiting = raw.pendingActivities?.find(
    ({ activityType }) => activityType?.name === NAMES.activities.awaitRun,
  );
  const { namespace, loadedDataConverter } = client.options;
  const [details] = await decodeArrayFromPayloads(
    loadedDataConverter,
    waiting?.heartbeatDetails?.payloads ?? [],
    {
      type: 'activity',
      namespace,
      workflowId: id,
      activityId: waiting?.activityId ?? '',
      isLocal: false,
    },
  );
  const { status = null } = (details ?? {}) as { readonly status?: WireStatus | null };
  return status;
}

/** The run's first execution: of those that were continued as new, what the latest says. */
async function firstExecution(client: Client, id: string): Promise<string> {
  const { raw, runId } = await client.workflow.getHandle(id).describe();
  const first = raw.workflowExecutionInfo?.firstRunId;
  return first === undefined || first === null || first === '' ? runId : first;
}

/** Rejects when the signal fires; a request that is under way is left to itself. */
function onAbort(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason as Error);
    else signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

class Watch {
  readonly #client: Client;
  readonly #id: string;
  readonly #after: Place | null;
  readonly #aborted: Promise<never>;
  readonly #events = new EventReader();
  #last = '';

  constructor(client: Client, id: string, options: WatchOptions) {
    this.#client = client;
    this.#id = id;
    this.#after = options.after === undefined ? null : readOffset(options.after);
    this.#aborted = onAbort(options.signal);
    this.#aborted.catch(() => undefined);
    this.#last = options.after ?? '';
  }

  async *events(): AsyncGenerator<RunEvent, void, undefined> {
    let runId: string | null = await this.#first();
    // Executions before the one of the offset have been told, but say where the run stood.
    let isTold = this.#after !== null;
    while (runId !== null) {
      if (runId === this.#after?.runId) isTold = false;
      runId = yield* this.#execution(runId, isTold);
    }
  }

  async #first(): Promise<string> {
    try {
      return await firstExecution(this.#client, this.#id);
    } catch (error) {
      throw isMissing(error) ? new RunNotFoundError(this.#id, error) : error;
    }
  }

  /** @returns the execution that goes on in its place */
  async *#execution(runId: string, isTold: boolean): AsyncGenerator<RunEvent, string | null, undefined> {
    const reader = new HistoryReader(this.#client, this.#id, runId);
    for (let token: Uint8Array | null = null; ;) {
      const reading: Promise<Page> = reader.read(token);
      const page: Page = yield* this.#meanwhile(reading, runId);
      for (const { fact, event_id: eventId, at_ms } of page.recorded) {
        // An execution that goes on with a run does not start it.
        const told = this.#events
          .read({ fact })
          .filter(({ type }) => !(type === 'started' && this.#last !== ''));
        for (const [index, event] of told.entries()) {
          const place: Place = { runId, eventId, index };
          if (isTold || isBehind(place, this.#after)) continue;
          this.#last = offsetOf(place);
          yield { ...event, offset: this.#last, at_ms };
        }
      }
      if (page.next !== null) return page.next;
      if (page.token === null) return null;
      token = page.token;
    }
  }

  /** Waits for the page; tells statuses that no event tells, once there is something to tell them of. */
  async *#meanwhile(reading: Promise<Page>, runId: string): AsyncGenerator<RunEvent, Page, undefined> {
    reading.catch(() => undefined);
    for (;;) {
      const timer = new AbortController();
      const tick = sleep(STATUS_MS, null, { signal: timer.signal }).catch(() => null);
      const page = await Promise.race([reading, tick, this.#aborted]).finally(() => timer.abort());
      if (page !== null) return page;
      const told = await this.#statusTold(runId);
      if (told !== null) yield { ...told, offset: this.#last, at_ms: Date.now() };
    }
  }

  async #statusTold(runId: string): Promise<Told | null> {
    if (this.#events.current === null) return null;
    const status = await statusNow(this.#client, this.#id, runId).catch(() => null);
    return status === null ? null : this.#events.seen(status);
  }
}

/** @throws InvalidOffsetError, RunNotFoundError; Temporal's errors where the server cannot be asked */
export async function* watchRun(
  client: Client,
  id: string,
  options: WatchOptions = {},
): AsyncGenerator<RunEvent, void, undefined> {
  try {
    yield* new Watch(client, id, options).events();
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  }
}
