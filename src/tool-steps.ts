/** What crosses between the workflow and the activities of tools and people. JSON only, snake_case; pure. */
import type { Decision, WaitingCall } from './decisions.ts';
import type { Json } from './run.ts';

/** What a tool's activity is given. The contract for remote tools: see `docs/architecture.md`. */
export interface ToolInput {
  readonly run_id: string;
  readonly thread_id: string | null;
  readonly assistant_id: string;
  readonly attempt: number;
  readonly attempt_id: string;
  readonly tool_call_id: string;
  readonly name: string;
  /** The model's arguments, as text. */
  readonly arguments: string;
  readonly context: Json;
  readonly effect: 'none' | 'idempotent' | 'once';
  /** The effect ledger's key: the same for every try of one effect. */
  readonly idempotency_key: string;
  /** Somebody has allowed this call. Absent: nobody was asked. */
  readonly approved?: true;
}

export interface LookupInput {
  readonly name: string;
  readonly call: ToolInput;
}

export type LookupOutput =
  | { readonly status: 'done'; readonly output: string }
  | { readonly status: 'not_done' }
  | { readonly status: 'unknown' };

/** A decision that the worker's configuration is asked about before it counts. */
export interface AuthorizeDecisionInput {
  readonly run_id: string;
  readonly call: WaitingCall;
  readonly decision: Decision;
  /** The run's trusted context. */
  readonly context: Json;
}

export type AuthorizeDecisionOutput =
  | { readonly allowed: true }
  /** `reason` is what the one who decided reads. */
  | { readonly allowed: false; readonly reason: string };
