/** What a judge can find: each kind is a key of the report. */

export const FINDING_KINDS = [
  'lost',
  'wrong_end',
  'late_ends',
  'attempts_live_over_one',
  'orphaned_attempts',
  'needless_attempts',
  'unasked_effects',
  'duplicate_once_effects',
  'duplicate_effects_by_effect_key',
  'idempotent_key_changes',
  'unreused_effects',
  'missing_outputs',
  'double_submits',
  'inputs_repeated',
  'inputs_unsaid',
  'threads_left_unusable',
  'lost_answers',
  'repeated_questions',
  'unapproved_effects',
  'order_violations',
  'duplicate_deltas',
  'over_budget',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly kind: FindingKind;
  readonly run: string;
  /** One sentence of what is wrong. */
  readonly what: string;
  /** Lines of the journals that show it: `provider:12` by number, `tools:` and `nemesis:` by time. */
  readonly lines: readonly string[];
}

export const providerLine = (seq: number): string => `provider:${seq}`;
export const toolLine = (entry: {
  readonly at: number;
  readonly event: string;
  readonly receipt: string;
}): string => `tools:${entry.at} ${entry.event} ${entry.receipt}`;
