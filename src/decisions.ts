/**
 * What waits on people, and what they say: the vocabulary of approvals, of tools that a service runs itself, and of
 * effects whose outcome is unknown. Everything that is serialised is snake_case. Pure.
 */

/**
 * `approval`: a tool may not run before somebody allows it. `mcp_approval`: a tool of an MCP server, which the provider runs. `external`: the service hands in the output itself.
 * `unknown_outcome`: nobody knows whether a `once` effect was done.
 */
export type WaitKind = 'approval' | 'mcp_approval' | 'external' | 'unknown_outcome';

/** A tool call that waits on a person or a service, as the query `waiting` lists it. */
export interface WaitingCall {
  /** The effect ledger's key: by it the call is decided. */
  readonly key: string;
  readonly kind: WaitKind;
  readonly name: string;
  readonly tool_call_id: string;
  /** The model's own text. */
  readonly arguments: string;
  /** SHA-256 of the canonical arguments, in hex: a decision names it, so that it binds what was shown. */
  readonly arguments_digest: string;
  readonly attempt: number;
  readonly round: number;
  /** Unix seconds. */
  readonly since: number;
  /** Unix seconds at which it is settled without anybody's word. */
  readonly until: number;
}

interface DecisionBase {
  readonly key: string;
  /** As {@link WaitingCall.arguments_digest} was shown. */
  readonly arguments_digest: string;
  /** Who decides: at most 255 characters. Temporal does not check it; `authorizeDecision` can. */
  readonly by?: string;
  /** Why: at most 2,000 characters. Of a rejection the model reads it. */
  readonly reason?: string;
}

/**
 * Payload of the Update `decide`. An approval takes `approve`, `reject` and `answer`, one of an
 * MCP call the first two; an external call `answer` and
 * `reject`; an unknown outcome `done`, `not_done` and `end`.
 */
export type Decision = DecisionBase &
  (
    | { readonly outcome: 'approve' | 'reject' | 'not_done' | 'end' }
    /** `output` is what the model reads. */
    | { readonly outcome: 'answer' | 'done'; readonly output: string }
  );

export type DecisionOutcome = Decision['outcome'];

/** How a call that waited was settled, as it stands in the result. */
export interface DecisionRecord {
  readonly outcome: DecisionOutcome | 'timed_out';
  readonly by: string | null;
  readonly reason: string | null;
  /** Unix seconds. */
  readonly at: number;
}

/** What a kind may be answered with. */
export const OUTCOMES: Readonly<Record<WaitKind, readonly DecisionOutcome[]>> = {
  approval: ['approve', 'reject', 'answer'],
  mcp_approval: ['approve', 'reject'],
  external: ['answer', 'reject'],
  unknown_outcome: ['done', 'not_done', 'end'],
};

export const DECISION_LIMITS = { byChars: 255, reasonChars: 2_000 } as const;

/**
 * Why a decision is refused. `unknown_call`: nothing waits under this key. `other_arguments`: it was shown other
 * arguments than those that wait. `already_decided`: somebody was faster. `malformed`: it is no decision that this kind
 * takes. `not_authorized`: the worker's `authorizeDecision` said no, or could not be asked.
 */
export type DecisionRefusal =
  'unknown_call' | 'other_arguments' | 'already_decided' | 'malformed' | 'not_authorized';

/** Type of the failure of a refused Update; its details are `[{ code: DecisionRefusal }]`. */
export const DECISION_REFUSED = 'drover.decision_refused';
