/** What crosses between the workflow and the activities of tools and people. JSON only, snake_case; pure. */
import type { Decision, WaitingCall } from './decisions.ts';
import type { Json } from './run.ts';

export interface ToolPolicy {
  readonly effect: 'none' | 'idempotent' | 'once';
  /** True where `effectKey` names the effect, so that equal calls of one attempt are one effect (`once` only). */
  readonly keyed: boolean;
  readonly remote: boolean;
  /** For `none`: answer a re-created attempt from the ledger instead of running again. */
  readonly reuse: boolean;
  readonly on_unknown: 'end' | 'wait' | 'tell_model';
  readonly has_lookup: boolean;
  readonly task_queue: string | null;
  readonly start_to_close_ms: number;
  readonly schedule_to_start_ms: number | null;
  readonly heartbeat_ms: number | null;
  readonly max_output_bytes: number;
  /** A service hands in the output: no activity runs. Absent: false. */
  readonly external?: true;
  /** How long a call of it waits for people; absent: `DEFAULTS.decisionSeconds`. */
  readonly decision_ms?: number;
  /**
   * Its waits begin in a task of the workflow's own, and settlements of it are authorized. Absent where an older Drover
   * planned the call.
   */
  readonly guarded?: true;
  /** What becomes of a call that nobody decided in time; absent: `reject`. */
  readonly on_undecided?: 'reject' | 'end';
  /** Temporal's priority of the tool's tasks. */
  readonly priority: {
    readonly priorityKey?: number;
    readonly fairnessKey?: string;
    readonly fairnessWeight?: number;
  } | null;
  readonly retry: {
    readonly maximum_attempts: number;
    readonly initial_interval_ms: number;
    readonly backoff_coefficient: number;
    readonly maximum_interval_ms: number;
  };
}

/** One call of a round, with all the workflow needs to decide what to do with it. */
export interface PlannedCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** Digest of the effect's identity: of the raw arguments, or of what `effectKey` gives. */
  readonly effect_digest: string;
  readonly arguments_digest: string;
  readonly policy: ToolPolicy | null;
  /** The provider runs it, once it is allowed: a call of an MCP server. Absent: false. */
  readonly mcp?: true;
  /** Somebody has to allow this call before it runs. Absent: false. */
  readonly needs_approval?: true;
  /** Why nothing may run for this call; `output` is what the model reads instead. */
  readonly refusal: {
    readonly status: 'bad_arguments' | 'unknown_tool' | 'not_allowed' | 'too_many_calls';
    readonly output: string;
  } | null;
}

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

/** The heartbeat details of a `once` tool from before its handler starts until it ends. */
export interface StartedMark {
  readonly drover_started: string;
  readonly details?: unknown;
}

export function isStartedMark(details: unknown): details is StartedMark {
  return typeof details === 'object' && details !== null && 'drover_started' in details;
}
