/** What becomes of a webhook: checked, told apart from those seen before, and turned into a look of its run. */
import type { Client } from '@temporalio/client';
import { LRUCache } from 'lru-cache';
import { isBackendError } from '../backends/backend.ts';
import type { Backend, WebhookEvent, Webhooks } from '../backends/backend.ts';
import { wakeRun } from './wake.ts';
import type { Wake } from './wake.ts';

export type WebhookOutcome =
  | 'woken'
  | 'not_waiting'
  /** An event with this id had come before. */
  | 'repeated'
  /** It is about something else than a run of Drover. */
  | 'not_ours'
  /** Not signed with the backend's secret, too old, or no event. */
  | 'refused'
  | 'unknown_backend'
  /** The provider or Temporal could not be asked: deliver it again. */
  | 'failed';

export interface Received {
  /** To answer with; outside of 2xx the provider delivers again. */
  readonly status: number;
  readonly outcome: WebhookOutcome;
  readonly eventId: string | null;
  readonly type: string | null;
  readonly attemptId: string | null;
  readonly runId: string | null;
  readonly error: unknown;
}

export interface Delivery {
  /** The backend's name in the configuration. */
  readonly backend: string;
  /** As it came: the signature is over its bytes. */
  readonly body: string;
  readonly headers: Headers;
}

export interface ReceiverOptions {
  readonly client: Client;
  readonly backends: ReadonlyMap<string, Backend>;
  /** How a run is told. @default 'reset' */
  readonly wake?: Wake;
}

const STATUS: Readonly<Record<WebhookOutcome, number>> = {
  woken: 204,
  not_waiting: 204,
  repeated: 204,
  not_ours: 204,
  refused: 400,
  unknown_backend: 404,
  failed: 503,
};

/** Twice the age at which an event is refused anyway. */
const REMEMBER_MS = 600_000;
const REMEMBER_MOST = 50_000;
/** What either may take: the provider's word on whose response it is, and Temporal's. */
const LOOK_MS = 15_000;

type Facts = Omit<Received, 'status'>;

export class WebhookReceiver {
  readonly #client: Client;
  readonly #backends: ReadonlyMap<string, Backend>;
  readonly #how: Wake;
  /** Handled, or being handled: whoever comes second waits for what the first one achieves. */
  readonly #seen = new LRUCache<string, Promise<Facts>>({ max: REMEMBER_MOST, ttl: REMEMBER_MS });

  constructor(options: ReceiverOptions) {
    this.#client = options.client;
    this.#backends = options.backends;
    this.#how = options.wake ?? 'reset';
  }

  /** Never throws: what went wrong stands in the answer. */
  async receive(delivery: Delivery): Promise<Received> {
    const facts = await this.#receive(delivery);
    return { ...facts, status: STATUS[facts.outcome] };
  }

  async #receive({ backend: name, body, headers }: Delivery): Promise<Facts> {
    const nothing = { eventId: null, type: null, attemptId: null, runId: null, error: null };
    const webhooks = this.#backends.get(name)?.webhooks;
    if (webhooks === undefined) return { ...nothing, outcome: 'unknown_backend' };
    let event: WebhookEvent;
    try {
      event = await webhooks.read(body, headers);
    } catch (error) {
      return { ...nothing, outcome: isBackendError(error) ? 'refused' : 'failed', error };
    }
    const facts = { ...nothing, eventId: event.id, type: event.type, attemptId: event.attempt_id };
    const { attempt_id: attemptId } = event;
    if (attemptId === null) return { ...facts, outcome: 'not_ours' };
    const key = `${name} ${event.id}`;
    const before = await this.#seen.get(key);
    if (before !== undefined && before.outcome !== 'failed') return { ...before, outcome: 'repeated' };
    const handling = this.#wake(webhooks, { ...facts, attemptId });
    this.#seen.set(key, handling);
    const handled = await handling;
    if (handled.outcome === 'failed') this.#seen.delete(key);
    return handled;
  }

  async #wake(
    webhooks: Webhooks,
    facts: Omit<Facts, 'outcome'> & { readonly attemptId: string },
  ): Promise<Facts> {
    const { attemptId } = facts;
    let runId: string | null = null;
    try {
      const id = await webhooks.runOf(attemptId, AbortSignal.timeout(LOOK_MS));
      if (id === null) return { ...facts, outcome: 'not_ours' };
      runId = id;
      const outcome = await this.#client.withDeadline(Date.now() + LOOK_MS, () =>
        wakeRun(this.#client, { id, attemptId, wake: this.#how }),
      );
      return { ...facts, runId, outcome };
    } catch (error) {
      const isGone = isBackendError(error) && error.kind === 'not_found';
      return { ...facts, runId, outcome: isGone ? 'not_ours' : 'failed', error };
    }
  }
}
