/** What follows when an attempt has ended: one table, by reason, each row overridable by request. Pure. */
import { DEFAULTS, LIMITS, type AttemptReason, type RetryPolicy } from '../contract.ts';
import type { EndCode } from '../failures.ts';
import type { RunObject } from '../run.ts';
import type { AttemptOverrides } from '../steps.ts';

export interface Ended {
  readonly reason: AttemptReason;
  /** Attempt number, from 1. */
  readonly number: number;
  readonly run: RunObject | null;
  /** The provider's own wish, where it gave one. */
  readonly retry_after_ms: number | null;
  readonly overrides: AttemptOverrides;
  readonly now_ms: number;
  readonly deadline_ms: number;
}

export type Decision =
  | { readonly action: 'finish'; readonly code: EndCode | null }
  | {
      readonly action: 'again';
      readonly delay_ms: number;
      readonly overrides: AttemptOverrides;
    };

interface Row {
  /** Retried by default; a request may say otherwise where `override` names its field. */
  readonly retry: boolean;
  readonly override: keyof RetryPolicy | null;
  /** The run's code where it is not tried again. */
  readonly code: EndCode | null;
}

/** Design, section 6. */
export const ROWS: Readonly<Record<AttemptReason, Row>> = {
  completed: { retry: false, override: null, code: null },
  expired: { retry: true, override: 'expired', code: 'expired' },
  attempt_timeout: { retry: true, override: 'expired', code: 'expired' },
  gone: { retry: true, override: 'gone', code: 'attempt_gone' },
  max_completion_tokens: { retry: true, override: 'max_completion_tokens', code: 'token_budget' },
  max_prompt_tokens: { retry: true, override: 'max_prompt_tokens', code: 'token_budget' },
  content_filter: { retry: false, override: 'content_filter', code: 'content_filter' },
  incomplete: { retry: false, override: null, code: 'incomplete' },
  rate_limit_exceeded: { retry: true, override: 'rate_limit_exceeded', code: 'rate_limit_exceeded' },
  quota_exceeded: { retry: false, override: null, code: 'quota_exceeded' },
  server_error: { retry: true, override: 'server_error', code: 'server_error' },
  invalid_prompt: { retry: false, override: 'invalid_prompt', code: 'invalid_prompt' },
  failed: { retry: false, override: null, code: 'run_failed' },
  cancelled: { retry: false, override: null, code: 'cancelled' },
  cancelled_elsewhere: { retry: false, override: 'cancelled_elsewhere', code: 'cancelled_elsewhere' },
  invalid_output: { retry: true, override: 'invalid_output', code: 'invalid_output' },
  given_up: { retry: false, override: null, code: 'internal' },
};

/** Waits of a doubling back-off, from the first one, capped. */
export function backoffMs(number: number, policy: RetryPolicy): number {
  const first = (policy.backoff_seconds ?? DEFAULTS.backoffSeconds) * 1000;
  return Math.min(first * 2 ** (number - 1), Math.max(first, DEFAULTS.maxBackoffSeconds * 1000));
}

/** Never below what the wire takes: what an attempt used up may be less than that. */
function enlarge(last: number | null | undefined, policy: RetryPolicy): number | null {
  if (last === null || last === undefined || last <= 0) return null;
  const ceiling = policy.budget_ceiling_tokens ?? DEFAULTS.budgetCeilingTokens;
  const wanted = Math.ceil(last * (policy.budget_factor ?? DEFAULTS.budgetFactor));
  const larger = Math.min(Math.max(wanted, LIMITS.minTokens), ceiling);
  return larger > last ? larger : null;
}

/** What the model is told whose answer did not fit. */
export const FIT_THE_FORMAT =
  'Your last answer did not fit the response format. Answer again, with nothing but JSON of that format.';

/** What changes for the next attempt; null where nothing that Drover may change would help. */
function changedOverrides(ended: Ended, policy: RetryPolicy): AttemptOverrides | null {
  const { overrides, run } = ended;
  if (ended.reason === 'max_completion_tokens') {
    const last =
      overrides.max_completion_tokens ?? run?.max_completion_tokens ?? run?.usage?.completion_tokens;
    const larger = enlarge(last, policy);
    return larger === null ? null : { ...overrides, max_completion_tokens: larger };
  }
  if (ended.reason === 'invalid_output') return { ...overrides, additional_instructions: FIT_THE_FORMAT };
  if (ended.reason === 'max_prompt_tokens') {
    const larger = enlarge(overrides.max_prompt_tokens ?? run?.max_prompt_tokens, policy);
    if (larger !== null) return { ...overrides, max_prompt_tokens: larger };
    return overrides.truncation_strategy ? null : { ...overrides, truncation_strategy: { type: 'auto' } };
  }
  return overrides;
}

function delayMs(ended: Ended, policy: RetryPolicy): number {
  switch (ended.reason) {
    case 'rate_limit_exceeded':
      return ended.retry_after_ms ?? backoffMs(ended.number, policy);
    case 'server_error':
    case 'invalid_prompt':
    case 'content_filter':
    case 'cancelled_elsewhere':
      return Math.max(backoffMs(ended.number, policy), ended.retry_after_ms ?? 0);
    default:
      return 0;
  }
}

/** The table's answer. Never waits past the deadline: a wait that would is the end, by `deadline_exceeded`. */
export function decide(ended: Ended, policy: RetryPolicy): Decision {
  const row = ROWS[ended.reason];
  const override = row.override === null ? undefined : policy[row.override];
  const retry = override === undefined ? row.retry : override === 'retry';
  if (!retry) return { action: 'finish', code: row.code };
  if (ended.number >= (policy.attempts ?? DEFAULTS.attempts)) {
    return {
      action: 'finish',
      code: (policy.attempts ?? DEFAULTS.attempts) === 1 ? row.code : 'attempts_exhausted',
    };
  }
  const overrides = changedOverrides(ended, policy);
  if (overrides === null) return { action: 'finish', code: row.code };
  const delay = delayMs(ended, policy);
  if (ended.now_ms + delay >= ended.deadline_ms) return { action: 'finish', code: 'deadline_exceeded' };
  return { action: 'again', delay_ms: delay, overrides };
}
