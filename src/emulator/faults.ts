/** Faults that can be switched on: which requests they meet, and what they do to them. */
import { z } from 'zod';
import type { WireName } from './journal.ts';

export interface FaultMatch {
  readonly method?: string;
  /** A part of the path, or a pattern between slashes (`/runs$/`). */
  readonly path?: string;
  readonly wire?: WireName;
  /** Only the nth (from 1) request that matches. */
  readonly nth?: number;
  readonly model?: string;
  /** Only requests that ask for a stream, or only those that do not. */
  readonly stream?: boolean;
}

export type FaultAction =
  /** `after`: the request acts at once, and its answer is held back. @default false */
  | { readonly latency_ms: number; readonly after?: boolean }
  /** `after`: the request acts first, then this answer comes. @default false */
  | {
      readonly status: number;
      readonly retry_after_s?: number;
      readonly code?: string;
      readonly type?: string;
      readonly message?: string;
      readonly after?: boolean;
    }
  /** The socket is destroyed before or after the request acted. */
  | { readonly reset: 'before' | 'after' }
  /** The request acts, and its answer is no answer of this wire. */
  | { readonly malformed: 'html' | 'empty' | 'truncated' | 'other_id' }
  /** The request acts, and a run is shown as it was before it took its last outputs. */
  | { readonly stale: true }
  /** A stream ends in the middle, after so many events; any other answer comes whole. */
  | { readonly cut_after_events: number }
  /** The thread or conversation works for somebody else. */
  | { readonly busy: true };

export interface Fault {
  readonly match: FaultMatch;
  /** How often it strikes. @default once with `match.nth`, else always */
  readonly times?: number;
  /** @default 1 */
  readonly probability?: number;
  readonly do: FaultAction;
}

const ACTION = z.union([
  z.strictObject({ latency_ms: z.number().min(0), after: z.boolean().optional() }),
  z.strictObject({
    status: z.int().min(400).max(599),
    retry_after_s: z.number().min(0).optional(),
    code: z.string().optional(),
    type: z.string().optional(),
    message: z.string().optional(),
    after: z.boolean().optional(),
  }),
  z.strictObject({ reset: z.enum(['before', 'after']) }),
  z.strictObject({ malformed: z.enum(['html', 'empty', 'truncated', 'other_id']) }),
  z.strictObject({ stale: z.literal(true) }),
  z.strictObject({ cut_after_events: z.int().min(0) }),
  z.strictObject({ busy: z.literal(true) }),
]);

const isPattern = (path: string): boolean => path.length > 2 && path.startsWith('/') && path.endsWith('/');

function compiles(path: string): boolean {
  try {
    return !isPattern(path) || new RegExp(path.slice(1, -1), 'u').source !== '';
  } catch {
    return false;
  }
}

const FAULT = z.strictObject({
  match: z.strictObject({
    method: z.string().optional(),
    path: z.string().refine(compiles, 'is no pattern that compiles').optional(),
    wire: z.enum(['assistants', 'responses']).optional(),
    nth: z.int().min(1).optional(),
    model: z.string().optional(),
    stream: z.boolean().optional(),
  }),
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
  do: ACTION,
});

/** A fault that says something it cannot mean. `mistakes` names each. */
export class FaultError extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`The fault has ${mistakes.length} mistake(s): ${mistakes.join('; ')}. Correct them.`);
    this.name = 'FaultError';
    this.mistakes = mistakes;
  }
}

/**
 * Reads a fault.
 *
 * @throws {FaultError} with every mistake named.
 */
export function checkFault(value: unknown): Fault {
  const checked = FAULT.safeParse(value);
  if (checked.success) return structuredClone(value) as Fault;
  throw new FaultError(
    checked.error.issues.map((issue) => `${issue.path.join('.') || 'fault'}: ${issue.message}`),
  );
}

export interface FaultSubject {
  readonly method: string;
  readonly path: string;
  readonly wire: WireName | null;
  readonly model: string | null;
  readonly stream: boolean;
}

/** What strikes a request: every latency, and the first of all else. */
export interface Strike {
  /** Before the request acts. */
  readonly latencyMs: number;
  /** Between acting and answering. */
  readonly answerLatencyMs: number;
  readonly action: Exclude<FaultAction, { latency_ms: number }> | null;
}

interface Armed {
  readonly fault: Fault;
  seen: number;
  left: number;
}

function matches(match: FaultMatch, subject: FaultSubject): boolean {
  if (match.method !== undefined && match.method.toUpperCase() !== subject.method) return false;
  if (match.wire !== undefined && match.wire !== subject.wire) return false;
  if (match.model !== undefined && match.model !== subject.model) return false;
  if (match.stream !== undefined && match.stream !== subject.stream) return false;
  if (match.path === undefined) return true;
  return isPattern(match.path)
    ? new RegExp(match.path.slice(1, -1), 'u').test(subject.path)
    : subject.path.includes(match.path);
}

export class Faults {
  #armed: Armed[] = [];
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  add(fault: Fault): void {
    const times = fault.times ?? (fault.match.nth === undefined ? Number.POSITIVE_INFINITY : 1);
    // Spent ones would be asked for ever.
    this.#armed = [...this.#armed.filter((armed) => armed.left > 0), { fault, seen: 0, left: times }];
  }

  clear(): void {
    this.#armed = [];
  }

  list(): readonly Fault[] {
    return this.#armed.filter((armed) => armed.left > 0).map((armed) => armed.fault);
  }

  /** What strikes this request. Asking counts: call it once a request. */
  strike(subject: FaultSubject): Strike {
    let latencyMs = 0;
    let answerLatencyMs = 0;
    let action: Strike['action'] = null;
    for (const armed of this.#armed) {
      const { match, probability } = armed.fault;
      const what = armed.fault.do;
      if (armed.left <= 0 || !matches(match, subject)) continue;
      armed.seen += 1;
      if (match.nth !== undefined && armed.seen !== match.nth) continue;
      if (!('latency_ms' in what) && action !== null) continue;
      if (probability !== undefined && this.#random() >= probability) continue;
      armed.left -= 1;
      if ('latency_ms' in what && what.after === true) answerLatencyMs += what.latency_ms;
      else if ('latency_ms' in what) latencyMs += what.latency_ms;
      else action = what;
    }
    return { latencyMs, answerLatencyMs, action };
  }
}
