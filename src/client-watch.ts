/** Watches a run: its history, as it grows, told as events. Reads only; nothing of it stands in the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { Chain, eventKey, type Link } from './client-chain.ts';
import { EventReader, type Told } from './client-events.ts';
import { HistoryReader, type Page } from './client-history.ts';
import { InvalidOffsetError } from './client-errors.ts';
import { isMissing } from './client-missing.ts';
import { isBehind, offsetOf, readOffset, type Place } from './client-offset.ts';
import { NAMES } from './contract.ts';
import { RunNotFoundError } from './errors.ts';
import { describeExecution, type Execution } from './execution.ts';
import type { WireStatus } from './run.ts';
import type { RunEvent, Said } from './run-events.ts';

export interface WatchOptions {
  /** The `offset` of the last event that was seen: the next one is the first that is told. @default from the start */
  readonly after?: string;
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal;
}

/** How often heartbeats are read for what no event tells: a status, and what the model says. */
const STATUS_MS = 2_000;
const SAYING_MS = 500;

interface Shown {
  readonly status?: WireStatus | null;
  readonly said?: Said | null;
}

/** What the worker that waits for the attempt says of it. */
async function shownNow(client: Client, id: string, runId: string): Promise<Shown> {
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
  const shown: Shown = details ?? {};
  return shown;
}

const firstOf = ({ first, runId }: Execution): string => first || runId;

class Watch {
  readonly #client: Client;
  readonly #id: string;
  readonly #after: Place | null;
  readonly #signal: AbortSignal | undefined;
  #events = new EventReader();
  /** By its origin, how each execution found the reader: one that a reset began is read from the same start. */
  readonly #begun = new Map<string, EventReader>();
  #last: string;
  /** The recorded event that was told last. */
  #place: Place | null;
  #isSaying = false;

  constructor(client: Client, id: string, options: WatchOptions) {
    this.#client = client;
    this.#id = id;
    this.#after = options.after === undefined ? null : readOffset(options.after);
    this.#signal = options.signal;
    this.#last = options.after ?? '';
    this.#place = this.#after;
  }

  async *events(): AsyncGenerator<RunEvent, void, undefined> {
    const latest = await this.#latest();
    const first = await this.#firstOf(latest);
    const before = this.#last;
    yield* this.#chain(first, this.#after !== null);
    if (this.#last !== before || firstOf(latest) === first) return;
    // What ended there was begun anew since, by `runs.retry` for one.
    this.#events = new EventReader();
    yield* this.#chain(firstOf(latest), false);
  }

  async #latest(): Promise<Execution> {
    try {
      return await describeExecution(this.#client, this.#id);
    } catch (error) {
      throw isMissing(error) ? new RunNotFoundError(this.#id, error) : error;
    }
  }

  /** Where the chain begins that the offset is in. */
  async #firstOf(latest: Execution): Promise<string> {
    if (this.#after === null || this.#after.runId === latest.runId) return firstOf(latest);
    try {
      return firstOf(await describeExecution(this.#client, this.#id, this.#after.runId));
    } catch (error) {
      throw isMissing(error) ? new InvalidOffsetError(this.#last) : error;
    }
  }

  /** @param isTold whether the offset is still to come: what was told before it says where the run stood */
  async *#chain(first: string, isTold: boolean): AsyncGenerator<RunEvent, void, undefined> {
    const chain = new Chain(this.#client, this.#id);
    for (let link: Link | null = { runId: first, origin: first }; link !== null;) {
      if (link.runId === this.#after?.runId) isTold = false;
      const before = this.#begun.get(link.origin);
      if (before === undefined) this.#begun.set(link.origin, this.#events.clone());
      else this.#events = before.clone();
      link = yield* this.#execution(link, chain, isTold);
    }
    if (isTold) throw new InvalidOffsetError(this.#last);
  }

  /** @returns the execution that goes on in its place */
  async *#execution(
    link: Link,
    chain: Chain,
    isTold: boolean,
  ): AsyncGenerator<RunEvent, Link | null, undefined> {
    const { runId } = link;
    const reader = new HistoryReader(this.#client, this.#id, runId);
    const isFirst = chain.isEmpty;
    const copied = await chain.recordedLike(link);
    chain.pass(link);
    for (let token: Uint8Array | null = null; ;) {
      const reading: Promise<Page> = reader.read(token, { waits: !isTold });
      const page: Page = yield* this.#meanwhile(reading, runId);
      const isOver = page.token === null;
      const sought = isTold ? (this.#after?.runId ?? null) : null;
      const reset: Link | null = isOver && page.next === null ? await chain.afterReset(sought) : null;
      for (const { fact, event_id: eventId, at_ms } of page.recorded) {
        const isAgain = copied.has(eventKey(eventId, at_ms));
        const told = this.#events.read({ fact });
        for (const [index, event] of told.entries()) {
          if (event === null) continue;
          const place: Place = { runId, eventId, index, chars: this.#events.toldChars };
          // An execution that goes on with a run does not start it.
          if (isTold || isAgain || isBehind(place, this.#after) || (event.type === 'started' && !isFirst))
            continue;
          this.#place = place;
          this.#last = offsetOf(place);
          const isReset = event.type === 'ended' && reset !== null;
          yield { ...(isReset ? { type: 'reset' } : event), offset: this.#last, at_ms };
        }
        if (runId === this.#after?.runId && eventId === this.#after.eventId)
          this.#events.resume(this.#after.chars);
      }
      token = page.token;
      if (isOver) return page.next === null ? reset : { runId: page.next, origin: page.next };
    }
  }

  /** Waits for the page; tells statuses that no event tells, once there is something to tell them of. */
  async *#meanwhile(reading: Promise<Page>, runId: string): AsyncGenerator<RunEvent, Page, undefined> {
    reading.catch(() => undefined);
    for (;;) {
      const page = await this.#pageOrTick(reading);
      if (page !== null) return page;
      for (const told of await this.#shownTold(runId)) {
        if (told.type === 'text_delta' && this.#place !== null)
          this.#last = offsetOf({ ...this.#place, chars: this.#events.toldChars });
        yield { ...told, offset: this.#last, at_ms: Date.now() };
      }
    }
  }

  /** The page; null when it is time to read heartbeats. */
  async #pageOrTick(reading: Promise<Page>): Promise<Page | null> {
    const over = new AbortController();
    const signals = this.#signal === undefined ? [over.signal] : [over.signal, this.#signal];
    const tick = sleep(this.#isSaying ? SAYING_MS : STATUS_MS, null, { signal: AbortSignal.any(signals) });
    // Nothing of a tick outlives it: a watch may wait for days, and its signal for as long as the process.
    const late = tick.catch(() => {
      if (!over.signal.aborted) this.#signal?.throwIfAborted();
      return null;
    });
    return await Promise.race([reading, late]).finally(() => over.abort());
  }

  async #shownTold(runId: string): Promise<readonly Told[]> {
    if (this.#events.current === null) return [];
    const { status = null, said = null } = await shownNow(this.#client, this.#id, runId).catch(
      (): Shown => ({}),
    );
    this.#isSaying = said !== null;
    const told = [
      status === null ? null : this.#events.seen(status),
      said === null ? null : this.#events.heard(said),
    ];
    return told.filter((one) => one !== null);
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
