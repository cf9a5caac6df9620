/** Listens to an attempt between two looks, where its backend streams. What it hears is shown, and never believed. */
import type { Context } from '@temporalio/activity';
import { isBackendError } from '../backends/backend.ts';
import type { Backend } from '../backends/backend.ts';
import type { Said } from '../run-events.ts';
import type { AttemptRef } from '../steps.ts';
import { confirmHeartbeat } from './confirm-heartbeat.ts';

/** Even a stream that says nothing is looked after so often: its connection may be dead. */
const QUIET_MS = 30_000;
/** Of what the model has said, so many last characters stand in a heartbeat. */
const SAID_CHARS = 8_000;
/** Between two heartbeats that show more text. */
const SHOW_MS = 1_000;
const SHOW_PATIENCE_MS = 5_000;
/** Streams cut one after the other, with nothing heard, before a wait goes on without. */
const MOST_CUTS = 3;

type Listening = Required<Pick<Backend, 'listen'>>;

const canListen = (backend: Backend): backend is Backend & Listening => backend.listen !== undefined;

export class Listener {
  readonly #backend: Backend;
  readonly #context: Context;
  readonly #details: () => unknown;
  #id = '';
  #cursor: number | null = null;
  #text = '';
  #isDeaf = false;
  #cuts = 0;
  #shownChars = 0;
  #shownAt = 0;

  /** @param details what the wait's heartbeats carry */
  constructor(backend: Backend, context: Context, details: () => unknown) {
    this.#backend = backend;
    this.#context = context;
    this.#details = details;
  }

  /** What was heard of the attempt so far; null where nothing was. */
  get said(): Said | null {
    if (this.#text === '') return null;
    const text = this.#text.slice(-SAID_CHARS);
    return { id: this.#id, from: this.#text.length - text.length, text };
  }

  /**
   * Listens until there may be something to see.
   *
   * @param left fires when the time of the wait is over
   * @returns false where it cannot: the wait then looks at its own pace
   */
  async listen(attempt: AttemptRef, signal: AbortSignal, left: AbortSignal): Promise<boolean> {
    const backend = this.#backend;
    if (!canListen(backend) || this.#isDeaf) return false;
    if (this.#id !== attempt.id) {
      this.#id = attempt.id;
      this.#cursor = null;
      this.#text = '';
      this.#shownChars = 0;
    }
    const leave = new AbortController();
    const quiet = setTimeout(() => leave.abort(), QUIET_MS);
    const before = this.#cursor;
    try {
      const both = AbortSignal.any([signal, left, leave.signal]);
      for await (const heard of backend.listen(attempt, { cursor: this.#cursor, signal: both })) {
        quiet.refresh();
        // Whatever came before is told again by a server that does not know the cursor.
        if (this.#cursor !== null && heard.cursor <= this.#cursor) continue;
        this.#cursor = heard.cursor;
        if (heard.text !== null) this.#text += heard.text;
        if (heard.text !== null) void this.#show();
        if (heard.news) return true;
      }
      // It ended without news: cancelled, or cut off politely.
      return this.#goesOn(before);
    } catch (error) {
      if (signal.aborted || !isBackendError(error)) throw error;
      if (leave.signal.aborted || left.aborted) return true;
      if (!error.retryable) this.#isDeaf = true;
      return this.#goesOn(before);
    } finally {
      clearTimeout(quiet);
    }
  }

  #goesOn(before: number | null): boolean {
    this.#cuts = this.#cursor === before ? this.#cuts + 1 : 0;
    if (this.#cuts >= MOST_CUTS) this.#isDeaf = true;
    return this.#cuts === 0;
  }

  /** The SDK's own heartbeats are held back for seconds. That one is lost does no harm: the next one says it all. */
  async #show(): Promise<void> {
    const now = Date.now();
    if (now - this.#shownAt < SHOW_MS || this.#text.length === this.#shownChars) return;
    this.#shownAt = now;
    this.#shownChars = this.#text.length;
    await confirmHeartbeat(this.#context, this.#details(), SHOW_PATIENCE_MS).catch(() => undefined);
  }
}
