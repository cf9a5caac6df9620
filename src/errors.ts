/**
 * What services catch. Every message says what happened, with ids, then what to do; none holds
 * prompt text, arguments, outputs or keys. Pure: workflow code may load it.
 */
import type { Issue, RunResult } from './contract.ts';
import type { DecisionRefusal } from './decisions.ts';
import { failureMessage, isEndCode } from './failures.ts';
import type { EndCode } from './failures.ts';

/** Marks the errors of every copy of the package. */
const BRAND = Symbol.for('drover.error');

/** The base of every error that Drover throws at a service. Tell them apart by `code`, or by the guards. */
export class DroverError extends Error {
  readonly code: string;

  get [BRAND](): true {
    return true;
  }

  constructor(name: string, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = name;
    this.code = code;
  }
}

const SHOWN_ISSUES = 20;

/** One line for an issue: field, what is wrong, the limit and the value where there are any. */
export function describeIssue(issue: Issue): string {
  const facts = [
    ...(issue.limit === undefined ? [] : [`limit ${issue.limit}`]),
    ...(issue.value === undefined ? [] : [`value ${JSON.stringify(issue.value)}`]),
  ];
  const where = issue.field === '' ? 'the request' : issue.field;
  return `${where}: ${issue.message}${facts.length > 0 ? ` (${facts.join(', ')})` : ''}`;
}

function listIssues(issues: readonly Issue[]): string {
  const lines = issues.slice(0, SHOWN_ISSUES).map((issue) => `  - ${describeIssue(issue)}`);
  const rest = issues.length - lines.length;
  return [...lines, ...(rest > 0 ? [`  - and ${rest} more, see \`issues\``] : [])].join('\n');
}

/** The request was refused before anything was created; `issues` has every mistake at once. */
export class InvalidRequestError extends DroverError {
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[], options: { readonly cause?: unknown } = {}) {
    const count = issues.length === 1 ? 'one mistake' : `${issues.length} mistakes`;
    super(
      'InvalidRequestError',
      'invalid_request',
      `The run request has ${count}; nothing was created. Mend each and send it again:\n${listIssues(issues)}`,
      options.cause,
    );
    this.issues = issues;
  }
}

/** The id belongs to a run of another request. */
export class RunConflictError extends DroverError {
  readonly runId: string;

  constructor(runId: string, options: { readonly foreign?: boolean; readonly cause?: unknown } = {}) {
    const holder = options.foreign === true ? 'a workflow that is no run' : 'a run with another request';
    super(
      'RunConflictError',
      'run_conflict',
      `The id ${runId} is taken by ${holder}. Give this request an id of its own, or send the same request to attach.`,
      options.cause,
    );
    this.runId = runId;
  }
}

/** No run has this id: it was never started, or its history is past the namespace's retention. */
export class RunNotFoundError extends DroverError {
  readonly runId: string;

  constructor(runId: string, cause?: unknown) {
    super(
      'RunNotFoundError',
      'run_not_found',
      `There is no run ${runId} in this namespace. Check the id and the namespace; a closed run is gone after the retention period.`,
      cause,
    );
    this.runId = runId;
  }
}

/** The run ended other than completed. `code` is one of `failures.ts`, `result` tells all that happened. */
export class RunEndedError extends DroverError {
  declare readonly code: EndCode;
  readonly runId: string;
  readonly result: RunResult;

  constructor(runId: string, code: EndCode, result: RunResult, cause?: unknown) {
    super('RunEndedError', code, endMessage(runId, code, result), cause);
    this.runId = runId;
    this.result = result;
  }
}

/** The message of a run's end: the workflow's own where it left one, else the table's. */
export function endMessage(runId: string, code: EndCode, result: RunResult | null): string {
  return (
    result?.message ?? failureMessage(code, { run: runId, attempt: result?.attempts.at(-1)?.id ?? undefined })
  );
}

/**
 * - `terminated`, `timed_out`: the workflow was ended from outside; no code ran, so there is no result.
 * - `cancelled`: the run was cancelled, and nobody could be asked for its result.
 * - `no_result`: the workflow closed in a way that carries no result of a run.
 */
export type LostCode = 'terminated' | 'timed_out' | 'cancelled' | 'no_result';

const LOST: Readonly<Record<LostCode, readonly [what: string, todo: string]>> = {
  terminated: [
    'was terminated, so it has no result',
    'Its attempt may live on at the provider: `drover sweep` cancels it. Cancel a run instead of terminating it.',
  ],
  timed_out: [
    'was ended by a workflow timeout, so it has no result',
    'Its attempt may live on at the provider: `drover sweep` cancels it. Use `limits.deadline_seconds` instead.',
  ],
  cancelled: [
    'was cancelled, and its result could not be read',
    'Ask again for its result while a worker of its task queue is running.',
  ],
  no_result: [
    'closed without a result',
    'Read its history in Temporal UI: it is no run of this version of Drover.',
  ],
};

/** The run has closed, but there is no result of it to give. */
export class RunLostError extends DroverError {
  declare readonly code: LostCode;
  readonly runId: string;

  constructor(runId: string, code: LostCode, cause?: unknown) {
    super('RunLostError', code, lostMessage(runId, code), cause);
    this.runId = runId;
  }
}

export function lostMessage(runId: string, code: LostCode): string {
  const [what, todo] = LOST[code];
  return `Run ${runId} ${what}. ${todo}`;
}

const REFUSED: Readonly<Record<DecisionRefusal, string>> = {
  unknown_call: 'List what waits with `drover waiting`; it may have been decided, timed out or cancelled.',
  other_arguments: 'Look at the call once more, and decide on what it asks for now.',
  already_decided: 'The first decision stands.',
  malformed: 'Mend the decision and send it again.',
  not_authorized: "Ask somebody whom the worker's `authorizeDecision` allows.",
};

/** A decision on a call was refused, and nothing came of it. */
export class DecisionRefusedError extends DroverError {
  declare readonly code: DecisionRefusal;
  readonly runId: string;

  constructor(runId: string, code: DecisionRefusal, message: string, cause?: unknown) {
    super('DecisionRefusedError', code, `Run ${runId}: ${message} ${REFUSED[code]}`, cause);
    this.runId = runId;
  }
}

export const isDecisionRefusal = (code: unknown): code is DecisionRefusal =>
  typeof code === 'string' && Object.hasOwn(REFUSED, code);

/**
 * - `run_active`: it has not ended.
 * - `run_completed`: there is nothing to try again.
 * - `run_lost`: it was terminated or timed out, and nothing says what it left at its provider.
 * - `run_too_large`: its request and what it has done are more than Temporal carries in one piece.
 */
export type NotRetryableCode = 'run_active' | 'run_completed' | 'run_lost' | 'run_too_large';

const NOT_RETRYABLE: Readonly<Record<NotRetryableCode, string>> = {
  run_active: 'has not ended. Wait for it, or cancel it first.',
  run_completed: 'has completed: there is nothing to try again. Start another run.',
  run_lost:
    'was ended from outside, and no code of it ran. Let `drover sweep` cancel what it left, and start another run.',
  run_too_large:
    'has a request, and effects to hand on, that are too large together for one more execution. Start another run with a smaller request: it knows nothing of what this one did, which `drover show` tells.',
};

/** A run cannot be tried again as it stands; nothing was started. */
export class RunNotRetryableError extends DroverError {
  declare readonly code: NotRetryableCode;
  readonly runId: string;

  constructor(runId: string, code: NotRetryableCode, cause?: unknown) {
    super('RunNotRetryableError', code, `Run ${runId} ${NOT_RETRYABLE[code]}`, cause);
    this.runId = runId;
  }
}

/** The worker cannot drive this request: its configuration lacks what the request names. Thrown in the worker. */
export class RunRefusedError extends DroverError {
  declare readonly code: EndCode;

  constructor(code: EndCode, message: string) {
    super('RunRefusedError', code, message);
  }
}

/** What every `RunEndedError` offers, the one thrown in workflow code included. */
export interface RunEnded extends Error {
  readonly code: EndCode;
  readonly runId: string;
  readonly result: RunResult;
}

/** What every `RunLostError` offers, the one thrown in workflow code included. */
export interface RunLost extends Error {
  readonly code: LostCode;
  readonly runId: string;
}

const NAMES: ReadonlySet<string> = new Set([
  'InvalidRequestError',
  'RunConflictError',
  'RunNotFoundError',
  'RunEndedError',
  'RunLostError',
  'RunRefusedError',
  'DecisionRefusedError',
  'RunNotRetryableError',
]);

type Named = { readonly name: string; readonly code?: unknown };

/** By name and not by class: errors cross copies of the package and the workflow sandbox. */
function named(error: unknown, name: string): boolean {
  return isErrorLike(error) && error.name === name;
}

function isErrorLike(error: unknown): error is Named {
  return (
    typeof error === 'object' &&
    error !== null &&
    typeof (error as { name?: unknown }).name === 'string' &&
    typeof (error as { message?: unknown }).message === 'string'
  );
}

/** True for each of Drover's errors, of any copy of the package. */
export function isDroverError(error: unknown): error is DroverError {
  if (!isErrorLike(error) || typeof error.code !== 'string') return false;
  return BRAND in error || NAMES.has(error.name);
}

export function isInvalidRequestError(error: unknown): error is InvalidRequestError {
  return named(error, 'InvalidRequestError') && Array.isArray((error as Partial<InvalidRequestError>).issues);
}

export function isRunConflictError(error: unknown): error is RunConflictError {
  return named(error, 'RunConflictError');
}

export function isRunNotFoundError(error: unknown): error is RunNotFoundError {
  return named(error, 'RunNotFoundError');
}

/** True for a run that ended other than completed, in a service and in workflow code. */
export function isRunEndedError(error: unknown): error is RunEnded {
  return (
    named(error, 'RunEndedError') &&
    isEndCode((error as Named).code) &&
    typeof (error as Partial<RunEnded>).result === 'object'
  );
}

/** True for a run that closed without a result, in a service and in workflow code. */
export function isRunLostError(error: unknown): error is RunLost {
  return named(error, 'RunLostError') && Object.hasOwn(LOST, String((error as Named).code));
}

export function isDecisionRefusedError(error: unknown): error is DecisionRefusedError {
  return named(error, 'DecisionRefusedError') && isDecisionRefusal((error as Named).code);
}

export function isRunNotRetryableError(error: unknown): error is RunNotRetryableError {
  return named(error, 'RunNotRetryableError') && Object.hasOwn(NOT_RETRYABLE, String((error as Named).code));
}

export function isRunRefusedError(error: unknown): error is RunRefusedError {
  return named(error, 'RunRefusedError') && isEndCode((error as Named).code);
}
