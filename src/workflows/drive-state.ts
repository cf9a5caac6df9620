/** What the workflow knows of its run, and how each step changes it. JSON, so that it can be continued as new. */
import type {
  AttemptReason,
  AttemptResult,
  RetryPolicy,
  RunLimits,
  RunRequest,
  ToolCallResult,
  Warning,
} from '../contract.ts';
import { DEFAULTS } from '../contract.ts';
import type { DecisionRecord } from '../decisions.ts';
import type { RunObject, RunUsage } from '../run.ts';
import type { AttemptOutput, AttemptOverrides, AttemptRef, Created, ToolOutput } from '../steps.ts';
import { beginAttempt, emptyLedger, type LedgerState } from './effect-ledger.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface LiveAttempt {
  ref: AttemptRef;
  readonly created_ms: number;
  /** Outputs of the last finished round; `submitted` once the attempt was given them. */
  outputs: readonly ToolOutput[];
  submitted: boolean;
  /** Whatever a lost step of it made at the provider can be found again. */
  readonly findable: boolean;
  /** A submit failed or was cut short after it may have acted. */
  suspect: boolean;
  /** Its outputs were handed in before. Absent: false. */
  again?: boolean;
  /** What people took while it waited; absent: nothing. */
  paused_ms?: number;
}

/** What people said of a call, so that nobody is asked the same twice. */
export interface Decided extends DecisionRecord {
  readonly key: string;
  readonly name: string;
  /** The effect without its ordinal: equal calls of one attempt share it. */
  readonly effect_digest: string;
  readonly arguments_digest: string;
}

export interface DriveState {
  readonly started_ms: number;
  deadline_ms: number;
  thread_id: string | null;
  backend: string | null;
  limits: RunLimits;
  retry: RetryPolicy;
  search_attributes: boolean;
  /** The messages stand in the thread. */
  input_landed: boolean;
  /** Number of the attempt under way, or of the last one. */
  number: number;
  /** When the attempt's first create was tried; null before. */
  since_ms: number | null;
  /** A create of this attempt may have acted although its answer was lost. */
  suspect: boolean;
  overrides: AttemptOverrides;
  live: LiveAttempt | null;
  /** The attempt before this one and the outputs it was given last: a backend may go on from there. */
  previous: { readonly ref: AttemptRef; readonly outputs: readonly ToolOutput[] } | null;
  /** The last attempt, where it ended badly and its thread may hold calls that nobody answers. */
  left?: AttemptRef;
  /** When the first attempt was picked up, as the provider says; unix seconds. */
  first_started_at: number | null;
  /** The run object as last seen, whichever attempt it was of. */
  last_run: RunObject | null;
  last_output: AttemptOutput | null;
  readonly attempts: Mutable<AttemptResult>[];
  rounds: number;
  readonly calls: Mutable<ToolCallResult>[];
  ledger: LedgerState;
  readonly warnings: Warning[];
  /** The namespace has the attribute of runs that wait. Absent in the state of an older Drover. */
  waiting_attribute?: boolean;
  /** How long people were waited for. */
  paused_ms?: number;
  decisions?: Decided[];
  /** The first execution of the run, where this one was started to retry it: ledger keys are made of it. */
  origin_run_id?: string;
  /** The last attempt before this try of the run: the limit of attempts counts from there. */
  number_base?: number;
  /** Updates that this execution has accepted: Temporal takes 2,000 of an execution. */
  updates?: number;
}

/** The request may be anything yet: the first step checks it. Until then a deadline that is none is the default. */
export function firstDeadlineSeconds(limits: RunLimits): number {
  const given: unknown = limits.deadline_seconds;
  return typeof given === 'number' && given > 0 ? given : DEFAULTS.deadlineSeconds;
}

export function initialState(request: RunRequest, nowMs: number): DriveState {
  const limits = request.limits ?? {};
  return {
    started_ms: nowMs,
    deadline_ms: nowMs + firstDeadlineSeconds(limits) * 1000,
    thread_id: request.thread_id ?? null,
    backend: request.backend ?? null,
    limits,
    retry: request.retry ?? {},
    search_attributes: false,
    input_landed: false,
    number: 1,
    since_ms: null,
    suspect: false,
    overrides: {},
    live: null,
    previous: null,
    first_started_at: null,
    last_run: null,
    last_output: null,
    attempts: [],
    rounds: 0,
    calls: [],
    ledger: emptyLedger(),
    warnings: [],
  };
}

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** The attempt exists at the provider. */
export function attemptCreated(state: DriveState, created: Created, nowMs: number): void {
  const { attempt } = created;
  state.live = {
    ref: attempt,
    created_ms: nowMs,
    outputs: [],
    submitted: true,
    findable: created.findable,
    suspect: false,
  };
  state.thread_id = attempt.thread_id ?? state.thread_id;
  state.backend = created.backend;
  state.limits = created.limits;
  state.retry = created.retry;
  state.deadline_ms =
    state.started_ms +
    (created.limits.deadline_seconds ?? DEFAULTS.deadlineSeconds) * 1000 +
    (state.paused_ms ?? 0);
  state.search_attributes = created.search_attributes;
  state.waiting_attribute = created.waiting_attribute ?? false;
  state.input_landed = true;
  state.suspect = false;
  state.previous = null;
  delete state.left;
  state.last_run = created.run;
  state.first_started_at ??= created.run.started_at;
  if (!created.resumed) state.ledger = beginAttempt(state.ledger);
  state.attempts.push({
    number: state.number,
    id: attempt.id,
    provider_ids: attempt.provider_ids,
    status: created.run.status,
    reason: null,
    raw_code: null,
    created_at: created.run.created_at ?? seconds(nowMs),
    ended_at: null,
    adopted: created.adopted,
    ambiguous_create: created.ambiguous,
    usage: null,
  });
  if (created.ambiguous) stepAmbiguous(state);
}

function attemptMoved(state: DriveState, attempt: AttemptRef): void {
  const record = state.attempts.at(-1);
  if (state.live) state.live.ref = attempt;
  state.thread_id = attempt.thread_id ?? state.thread_id;
  if (record === undefined) return;
  record.id = attempt.id;
  record.provider_ids = attempt.provider_ids;
}

/** The attempt was given the outputs of its round, or no longer wants them. */
export function outputsSubmitted(state: DriveState, attempt: AttemptRef, ambiguous: boolean): void {
  attemptMoved(state, attempt);
  if (state.live) {
    state.live.submitted = true;
    delete state.live.again;
  }
  if (ambiguous) stepAmbiguous(state);
}

export function stepAmbiguous(state: DriveState): void {
  const record = state.attempts.at(-1);
  // A create that was lost has no record: the last one is of the attempt before.
  if (record?.number === state.number) record.ambiguous_create = true;
  const message = `The answer to a step of attempt ${state.number} was lost and this wire cannot find it: another response may live at the provider.`;
  warn(state, 'create_ambiguous', message);
}

/** What a wait saw of the live attempt. */
export function attemptSeen(
  state: DriveState,
  seen: {
    readonly attempt: AttemptRef;
    readonly run: RunObject;
    readonly raw_code: string | null;
    readonly ambiguous: boolean;
    readonly spent?: RunUsage;
    readonly cost?: number;
  },
): void {
  attemptMoved(state, seen.attempt);
  if (seen.ambiguous) stepAmbiguous(state);
  runSeen(state, seen.run);
  const record = state.attempts.at(-1);
  if (record === undefined) return;
  record.raw_code = seen.raw_code ?? record.raw_code;
  record.usage = seen.run.usage ?? seen.spent ?? record.usage;
  attemptCost(state, seen.cost);
}

/** What the last attempt costs, where that is known. */
export function attemptCost(state: DriveState, cost: number | undefined): void {
  const record = state.attempts.at(-1);
  if (record !== undefined && cost !== undefined) record.cost = cost;
}

export function runSeen(state: DriveState, run: RunObject): void {
  state.last_run = run;
  state.first_started_at ??= run.started_at;
  const record = state.attempts.at(-1);
  if (record === undefined) return;
  record.status = run.status;
  record.usage = run.usage ?? record.usage;
}

/** The live attempt is over. */
export function attemptEnded(state: DriveState, reason: AttemptReason, nowMs: number): void {
  const record = state.attempts.at(-1);
  if (record && record.reason === null) {
    record.reason = reason;
    record.ended_at = seconds(nowMs);
  }
  state.live = null;
}

/** An attempt that was given up turned out to have ended by itself: it is looked at once more. */
export function attemptResumed(state: DriveState, live: LiveAttempt): void {
  const record = state.attempts.at(-1);
  if (record) {
    record.reason = null;
    record.ended_at = null;
  }
  state.live = live;
}

/** Makes room for the next attempt. */
export function nextAttempt(
  state: DriveState,
  overrides: AttemptOverrides,
  previous: DriveState['previous'],
): void {
  state.number += 1;
  state.since_ms = null;
  state.suspect = false;
  state.overrides = overrides;
  state.previous = previous;
}

export function warn(state: DriveState, code: Warning['code'], message: string): void {
  if (!state.warnings.some((known) => known.code === code && known.message === message)) {
    state.warnings.push({ code, message });
  }
}

/** Usage over all attempts: what was paid for, whatever became of it. */
export function totalUsage(state: DriveState): RunUsage {
  const total = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  for (const { usage } of state.attempts) {
    if (usage === null) continue;
    total.prompt_tokens += usage.prompt_tokens;
    total.completion_tokens += usage.completion_tokens;
    total.total_tokens += usage.total_tokens;
  }
  return total;
}

/** Cost over all attempts; undefined where none has one. */
export function totalCost(state: DriveState): number | undefined {
  const told = state.attempts.flatMap(({ cost }) => cost ?? []);
  return told.length === 0 ? undefined : told.reduce((sum, cost) => sum + cost, 0);
}
