/** Shapes and habits in which other servers of these wires differ from the official description. */
import type { WireError } from './errors.ts';
import type { WireName } from './journal.ts';

export const QUIRKS = [
  /** Times carry a fraction. */
  'float_timestamps',
  /** Times that are not known yet are 0. */
  'zero_timestamps',
  /** What is null is left out. */
  'absent_nulls',
  /** `required_action: {}` instead of null. */
  'empty_required_action',
  /** Ids are bare hex, without a prefix. */
  'bare_ids',
  /** Ids have 200 characters. */
  'long_ids',
  /** `last_error` and a response's `error` are a plain string. */
  'string_last_error',
  'plain_text_errors',
  /** Errors are `{"detail": …}`. */
  'detail_errors',
  /** Errors come without the `error` around them. */
  'unwrapped_errors',
  'error_500_for_wrong_call_id',
  'partial_submit_accepted',
  /** Every cancel is answered 400 and does nothing. */
  'cancel_400',
  /** A cancelled run stays `cancelling` (a response: `in_progress`) for ever. */
  'cancel_sticks',
  /** A cancel turns a completed run into a cancelled one. */
  'cancel_flips_completed',
  'no_thread_lock',
  /** A conversation holds a response's input as soon as it is made, and keeps it whatever becomes of the response. */
  'input_enters_at_create',
  /** A budget that ran out is called `length`. */
  'reason_length',
  /** A queued answer has almost every field null. */
  'sparse_queued',
  /** A response in background mode is answered when it has ended. */
  'ignores_background',
  'never_queued',
  /** Body fields that nobody knows are ignored instead of refused. */
  'accepts_unknown_fields',
] as const;
export type Quirk = (typeof QUIRKS)[number];

export function isQuirk(value: unknown): value is Quirk {
  return (QUIRKS as readonly unknown[]).includes(value);
}

type Wire = Record<string, unknown>;

const TIMES: Readonly<Record<WireName, readonly string[]>> = {
  assistants: ['created_at', 'expires_at', 'started_at', 'cancelled_at', 'failed_at', 'completed_at'],
  responses: ['created_at', 'completed_at'],
};

const BUDGET_REASONS: ReadonlySet<unknown> = new Set(['max_completion_tokens', 'max_output_tokens']);
const KEPT_WHEN_SPARSE: ReadonlySet<string> = new Set(['id', 'object', 'status', 'created_at', 'metadata']);

function bendTimes(run: Wire, wire: WireName, quirks: ReadonlySet<Quirk>): void {
  for (const field of TIMES[wire]) {
    if (quirks.has('zero_timestamps') && run[field] === null) run[field] = 0;
    const held = run[field];
    if (quirks.has('float_timestamps') && typeof held === 'number' && held !== 0) run[field] = held + 0.25;
  }
}

/** A run or response as a server with these quirks would show it. */
export function bendRun(run: Wire, wire: WireName, quirks: ReadonlySet<Quirk>): Wire {
  if (quirks.size === 0) return run;
  let bent: Wire = { ...run };
  bendTimes(bent, wire, quirks);
  if (quirks.has('empty_required_action') && bent['required_action'] === null) bent['required_action'] = {};
  const errorField = wire === 'assistants' ? 'last_error' : 'error';
  const error = bent[errorField];
  if (quirks.has('string_last_error') && typeof error === 'object' && error !== null && 'message' in error)
    bent[errorField] = error.message;
  const details = bent['incomplete_details'];
  if (quirks.has('reason_length') && typeof details === 'object' && details !== null && 'reason' in details)
    if (BUDGET_REASONS.has(details.reason)) bent['incomplete_details'] = { reason: 'length' };
  if (quirks.has('sparse_queued') && bent['status'] === 'queued')
    bent = Object.fromEntries(
      Object.entries(bent).map(([key, held]) => [key, KEPT_WHEN_SPARSE.has(key) ? held : null]),
    );
  if (quirks.has('absent_nulls'))
    bent = Object.fromEntries(Object.entries(bent).filter(([, held]) => held !== null));
  return bent;
}

/** An error's body as a server with these quirks would send it. */
export function bendError(
  error: WireError,
  quirks: ReadonlySet<Quirk>,
): { readonly body: unknown; readonly contentType: string } {
  const contentType = 'application/json; charset=utf-8';
  if (quirks.has('plain_text_errors'))
    return { body: error.message, contentType: 'text/plain; charset=utf-8' };
  if (quirks.has('detail_errors')) return { body: { detail: error.message }, contentType };
  if (quirks.has('unwrapped_errors')) return { body: error.body().error, contentType };
  return { body: error.body(), contentType };
}
