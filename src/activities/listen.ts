/** Listens to an attempt between two looks, where its backend streams. What it hears is shown, and never believed. */
import { isBackendError } from '../backends/backend.ts';
import type { Backend, Heard } from '../backends/backend.ts';
import type { Said } from '../run-events.ts';
import type { AttemptRef } from '../steps.ts';

/** Even a stream that says nothing is looked after so often: its connection may be dead. */
const QUIET_MS = 30_000;
/** Of what the model has said, so many last characters stand in a heartbeat. */
const SAID_CHARS = 8_000;
/** Between two heartbeats that show more text. */
const SHOW_MS = 1_000;
/** Streams cut one after the other, with nothing heard, before a wait goes on without. */
const MOST_CUTS = 3;

/**
 * `news`: there may be something to see. `cut`: the stream broke off, and may be listened to again after a pause. `deaf`:
 * nothing can be listened to, now and later.
 */
export type Listened = 'news' | 'cut' | 'deaf';

const isHighSurrogate = (text: string): boolean => /[\uD800-\uDBFF]$/.test(text);
const isLowSurrogate = (text: string): boolean => /^[\uDC00-\uDFFF]/.test(text);

/** The end of what was said, and how much came before. */
class Tail {
  #from = 0;
  #text = '';

  add(text: string): void {
    this.#text += text;
    if (this.#text.length < 2 * SAID_CHARS) return;
    this.#from += this.#text.length - SAID_CHARS;
    this.#text = this.#text.slice(-SAID_CHARS);
  }

  /** Whole characters; null where there are none. */
  shown(id: string): Said | null {
    const cut = Math.max(this.#text.length - SAID_CHARS, 0);
    const start = isLowSurrogate(this.#text.slice(cut)) ? cut + 1 : cut;
    const text = this.#text.slice(start, isHighSurrogate(this.#text) ? -1 : undefined);
    return text === '' ? null : { id, from: this.#from + start, text };
  }
}

export class Listener {
  readonly #backend: Backend;
  readonly #show: () => void;
  #id = '';
  #cursor: number | null = null;
  #tail = new Tail();
  #isDeaf: boolean;
  #cuts = 0;
  #showing: NodeJS.Timeout | null = null;
  #shownAt = 0;

  /**
   * @param isDeaf whether an earlier try of the wait could not listen
   * @param show has the heartbeats show what {@link Listener.said} is now
   */
  constructor(backend: Backend, isDeaf: boolean, show: () => void) {
    this.#backend = backend;
    this.#isDeaf = isDeaf;
    this.#show = show;
  }

  /** What was heard of the attempt so far; null where nothing was. */
  get said(): Said | null {
    return this.#tail.shown(this.#id);
  }

  get isDeaf(): boolean {
    return this.#isDeaf;
  }

  /**
   * Listens until there may be something to see.
   *
   * @param left fires when the time of the wait is over
   */
  async listen(attempt: AttemptRef, signal: AbortSignal, left: AbortSignal): Promise<Listened> {
    const backend = this.#backend;
    if (backend.listen === undefined || this.#isDeaf) return 'deaf';
    this.#turnTo(attempt.id);
    const leave = new AbortController();
    const quiet = setTimeout(() => leave.abort(), QUIET_MS);
    const before = this.#cursor;
    try {
      const both = AbortSignal.any([signal, left, leave.signal]);
      for await (const heard of backend.listen(attempt, { cursor: this.#cursor, signal: both })) {
        quiet.refresh();
        if (!this.#isNext(heard)) continue;
        if (heard.text !== null) this.#hear(heard.text);
        if (heard.news) return 'news';
      }
      // It ended without news: cancelled, or cut off politely.
    } catch (error) {
      if (signal.aborted || !isBackendError(error)) throw error;
      if (leave.signal.aborted || left.aborted) return 'news';
      if (!error.retryable) this.#isDeaf = true;
    } finally {
      clearTimeout(quiet);
      if (this.#showing !== null) clearTimeout(this.#showing);
      this.#showing = null;
    }
    this.#cuts = this.#cursor === before ? this.#cuts + 1 : 0;
    if (this.#cuts >= MOST_CUTS) this.#isDeaf = true;
    return this.#isDeaf ? 'deaf' : 'cut';
  }

  #turnTo(id: string): void {
    if (this.#id === id) return;
    this.#id = id;
    this.#cursor = null;
    this.#tail = new Tail();
  }

  /** Whatever came before is told again by a server that does not know the cursor. */
  #isNext({ cursor }: Heard): boolean {
    if (this.#cursor !== null && cursor <= this.#cursor) return false;
    this.#cursor = cursor;
    return true;
  }

  #hear(text: string): void {
    this.#tail.add(text);
    if (this.#showing !== null) return;
    const wait = Math.max(this.#shownAt + SHOW_MS - Date.now(), 0);
    this.#showing = setTimeout(() => {
      this.#showing = null;
      this.#shownAt = Date.now();
      this.#show();
    }, wait);
  }
}
