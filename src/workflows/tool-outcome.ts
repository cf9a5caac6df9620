/** Reads what became of a tool's activity from its failure. Pure. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { ACTIVITY_FAILURES, isStartedMark, type ToolFailureDetails, type ToolPolicy } from '../steps.ts';

export type ToolOutcome =
  | { readonly kind: 'done'; readonly output: string }
  /** Nothing was done, or the tool may repeat it; the output says so to the model. */
  | { readonly kind: 'failed'; readonly output: string }
  /** The effect did not start: dispatch again under the same key. */
  | { readonly kind: 'not_started'; readonly why: 'refused' | 'nobody_polls' }
  /** Nobody took it, this time: an earlier try had started, and was paused or reset. */
  | { readonly kind: 'not_started_again' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'cancelled' };

export function errorOutput(code: string, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

/** A tool's value as the text that the model reads: a string as it is, anything else as JSON. */
export function outputText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** Type that the SDK gives to a result past Temporal's limit. */
const TOO_LARGE = 'PayloadsTooLarge';

function failed(policy: ToolPolicy, output: string): ToolOutcome {
  return policy.effect === 'once' ? { kind: 'unknown' } : { kind: 'failed', output };
}

function readToolFailure(cause: ApplicationFailure): ToolFailureDetails | null {
  const details: unknown = cause.details?.[0];
  if (typeof details !== 'object' || details === null) return null;
  const { output, effect } = details as Partial<ToolFailureDetails>;
  return typeof output === 'string' && (effect === 'none' || effect === 'unknown')
    ? { output, effect }
    : null;
}

/**
 * Whatever does not prove that nothing happened counts as unknown for a `once` tool; the other classes
 * may be repeated, so for them it is a failure that the model reads.
 */
export function readOutcome(name: string, error: unknown, policy: ToolPolicy): ToolOutcome {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof CancelledFailure)
    return policy.effect === 'once' ? { kind: 'unknown' } : { kind: 'cancelled' };
  if (cause instanceof TimeoutFailure) {
    if (cause.timeoutType === 'SCHEDULE_TO_START') {
      const hadStarted = isStartedMark(cause.lastHeartbeatDetails) || cause.cause !== undefined;
      if (policy.effect === 'once' && hadStarted) return { kind: 'not_started_again' };
      return { kind: 'not_started', why: 'nobody_polls' };
    }
    return failed(policy, errorOutput('timeout', `${name} did not finish in time.`));
  }
  if (cause instanceof ApplicationFailure) {
    if (cause.type === ACTIVITY_FAILURES.notStarted) return { kind: 'not_started', why: 'refused' };
    if (cause.type === TOO_LARGE) {
      return {
        kind: 'done',
        output: errorOutput('output_too_large', `${name} was done, but its output was too large to show.`),
      };
    }
    if (cause.type === ACTIVITY_FAILURES.toolFailed) {
      const details = readToolFailure(cause);
      if (details?.effect === 'none') return { kind: 'failed', output: details.output };
      if (details) return failed(policy, details.output);
    }
  }
  return failed(policy, errorOutput('tool_failed', `${name} failed.`));
}
