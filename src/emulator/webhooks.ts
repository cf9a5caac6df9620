/** Tells an address of responses that have ended, as the Standard Webhooks specification signs and repeats it. */
import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { nowSeconds } from './ids.ts';
import type { Journal } from './journal.ts';
import type { Timers } from './timers.ts';

export interface WebhookTarget {
  readonly url: string;
  /** `whsec_` and base64. */
  readonly secret: string;
  /** Of the events, how many are never sent. @default 0 */
  readonly lose?: number;
  /** Of the events, how many are sent twice at once. @default 0 */
  readonly double?: number;
}

export class WebhookTargetError extends Error {
  override readonly name = 'WebhookTargetError';
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`These webhooks have mistakes: ${mistakes.join('; ')}.`);
    this.mistakes = mistakes;
  }
}

const TARGET = z.strictObject({
  url: z.url(),
  secret: z.string().regex(/^whsec_[A-Za-z0-9+/]+=*$/, 'is not `whsec_` and base64'),
  lose: z.number().min(0).max(1).optional(),
  double: z.number().min(0).max(1).optional(),
});

/** @throws {WebhookTargetError} that names every mistake */
export function checkTarget(given: unknown): WebhookTarget {
  const checked = TARGET.safeParse(given);
  if (checked.success) return checked.data as WebhookTarget;
  throw new WebhookTargetError(
    checked.error.issues.map(({ path, message }) => `\`${path.join('.')}\`: ${message}`),
  );
}

/** The official endpoint repeats for three days; here a test has to see the end. */
const TRIES = 8;
const FIRST_BACKOFF_MS = 100;
const ANSWER_MS = 5_000;

/** Headers of one delivery: id, time, and the signature over both and the body. */
export function signDelivery(
  secret: string,
  delivery: { readonly id: string; readonly seconds: number; readonly body: string },
): Readonly<Record<string, string>> {
  const { id, seconds, body } = delivery;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}

export class Webhooks {
  readonly #journal: Journal;
  readonly #timers: Timers;
  readonly #random: () => number;
  readonly #closed = new AbortController();
  target: WebhookTarget | null = null;

  constructor(journal: Journal, timers: Timers, random: () => number = Math.random) {
    this.#journal = journal;
    this.#timers = timers;
    this.#random = random;
  }

  /** Sends, and repeats until somebody takes it, in the background. */
  announce(type: string, subject: string): void {
    const { target } = this;
    if (target === null) return;
    const id = `evt_${randomBytes(12).toString('hex')}`;
    if (this.#random() < (target.lose ?? 0)) {
      this.#journal.add({ kind: 'webhook', event: id, type, id: subject, nth: 0, status: null });
      return;
    }
    const copies = this.#random() < (target.double ?? 0) ? 2 : 1;
    const body = JSON.stringify({
      object: 'event',
      id,
      type,
      created_at: nowSeconds(),
      data: { id: subject },
    });
    for (let copy = 0; copy < copies; copy += 1) void this.#deliver(target, { id, type, subject, body }, 1);
  }

  async #deliver(
    target: WebhookTarget,
    event: {
      readonly id: string;
      readonly type: string;
      readonly subject: string;
      readonly body: string;
    },
    nth: number,
  ): Promise<void> {
    const { id, type, subject, body } = event;
    const status = await fetch(target.url, {
      method: 'POST',
      body,
      headers: signDelivery(target.secret, { id, seconds: nowSeconds(), body }),
      redirect: 'manual',
      signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(ANSWER_MS)]),
    }).then(
      (answer) => answer.status,
      () => null,
    );
    if (this.#closed.signal.aborted) return;
    this.#journal.add({ kind: 'webhook', event: id, type, id: subject, nth, status });
    const isTaken = status !== null && status >= 200 && status < 300;
    if (isTaken || nth === TRIES) return;
    await this.#timers.delay(FIRST_BACKOFF_MS * 2 ** (nth - 1));
    if (!this.#closed.signal.aborted) await this.#deliver(target, event, nth + 1);
  }

  close(): void {
    this.#closed.abort();
  }
}
