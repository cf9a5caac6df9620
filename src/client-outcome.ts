/** Reads how a run ended from what Temporal hands a client: a result, a failure, or neither. */
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import type { RunResult } from './contract.ts';
import type { LostCode } from './errors.ts';
import { codeOfType } from './failures.ts';

/** The value as a run's result; null where it is none. */
export function readResult(value: unknown): RunResult | null {
  if (typeof value !== 'object' || value === null) return null;
  const { run, attempts, tool_calls: calls } = value as Partial<RunResult>;
  const isResult = typeof run === 'object' && run !== null && Array.isArray(attempts) && Array.isArray(calls);
  return isResult ? (value as RunResult) : null;
}

export type Ending =
  | { readonly kind: 'result'; readonly result: RunResult }
  /** The result is read by the query `result`: the close of a cancelled workflow carries nothing. */
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'lost'; readonly code: Exclude<LostCode, 'cancelled'> };

/** What the cause of a failed workflow, or of a failed child, says about the run. */
export function readFailure(cause: unknown): Ending {
  if (cause instanceof ApplicationFailure && codeOfType(cause.type) !== null) {
    const result = readResult(cause.details?.[0]);
    if (result !== null) return { kind: 'result', result };
  }
  if (cause instanceof CancelledFailure) return { kind: 'cancelled' };
  if (cause instanceof TerminatedFailure) return { kind: 'lost', code: 'terminated' };
  if (cause instanceof TimeoutFailure) return { kind: 'lost', code: 'timed_out' };
  return { kind: 'lost', code: 'no_result' };
}
