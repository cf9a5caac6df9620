/**
 * What crosses between services and Drover: request, result, limits, and the names under which
 * Temporal knows them. Everything that is serialised is snake_case.
 */
import type { DecisionRecord, WaitingCall } from './decisions.ts';
import type { EndCode } from './failures.ts';
import type { Json, JsonObject, RunObject, RunUsage, WireStatus } from './run.ts';
import type { BusyThread } from './turns.ts';

/** Names in Temporal. They are part of the contract for services in other languages. */
export const NAMES = {
  workflow: 'driveRun',
  turnsWorkflow: 'giveTurns',
  taskQueue: 'drover',
  queries: { result: 'result', progress: 'progress', attempt: 'attempt', waiting: 'waiting', seed: 'seed' },
  signals: { join: 'join', leave: 'leave', turn: 'turn', wake: 'wake', thread: 'thread' },
  updates: { settleEffect: 'settleEffect', decide: 'decide' },
  memo: { requestDigest: 'drover_request_digest' },
  activities: {
    createRun: 'drover.createRun',
    submitOutputs: 'drover.submitOutputs',
    awaitRun: 'drover.awaitRun',
    cancelRun: 'drover.cancelRun',
    lookupEffect: 'drover.lookupEffect',
    authorizeDecision: 'drover.authorizeDecision',
    confirmTask: 'drover.confirmTask',
    takePlace: 'drover.takePlace',
    awaitEnd: 'drover.awaitEnd',
  },
} as const;

/** Keys that Drover writes into a run's metadata at the provider, on every wire. */
export const METADATA_KEYS = { run: 'drover_run', key: 'drover_key' } as const;

export { DEFAULTS, LIMITS } from './limits.ts';

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}
export interface ImageUrlPart {
  readonly type: 'image_url';
  readonly image_url: { readonly url: string; readonly detail?: 'auto' | 'low' | 'high' };
}
export interface ImageFilePart {
  readonly type: 'image_file';
  readonly image_file: { readonly file_id: string; readonly detail?: 'auto' | 'low' | 'high' };
}
/** A file for the model to read: an uploaded one by id, or one by URL where the wire can carry it. */
export interface FilePart {
  readonly type: 'file';
  readonly file: { readonly file_id?: string; readonly url?: string; readonly filename?: string };
}
export type InputPart = TextPart | ImageUrlPart | ImageFilePart | FilePart;

export interface InputMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly InputPart[];
  /** Only the `assistants` wire carries these two. */
  readonly attachments?: readonly JsonObject[];
  readonly metadata?: { readonly [key: string]: string };
}

/** When to try again, and when to stop. Each row overrides one default of `docs/errors.md`. */
export interface RetryPolicy {
  /** Attempts in all, the first included. @default 3 */
  readonly attempts?: number;
  readonly expired?: 'retry' | 'end';
  readonly gone?: 'retry' | 'end';
  readonly max_completion_tokens?: 'retry' | 'end';
  readonly max_prompt_tokens?: 'retry' | 'end';
  readonly content_filter?: 'retry' | 'end';
  readonly rate_limit_exceeded?: 'retry' | 'end';
  readonly server_error?: 'retry' | 'end';
  readonly invalid_prompt?: 'retry' | 'end';
  readonly cancelled_elsewhere?: 'retry' | 'end';
  /** The answer does not fit `response_format`. */
  readonly invalid_output?: 'retry' | 'end';
  /** What a token budget is multiplied by after it ran out. @default 2 */
  readonly budget_factor?: number;
  /** The largest token budget that Drover asks for by itself. @default 128000 */
  readonly budget_ceiling_tokens?: number;
  /** First wait before another attempt after a server's error; doubles up to a minute. @default 2 */
  readonly backoff_seconds?: number;
}

export interface RunLimits {
  /** From the start of the run to its end, tools and waits included. @default 3600 */
  readonly deadline_seconds?: number;
  /** For one attempt; it then counts as expired. @default none */
  readonly attempt_seconds?: number;
  /** Rounds of tool calls over all attempts. @default 32 */
  readonly rounds?: number;
  /**
   * Tokens of all attempts together, prompt and completion. Checked before each step that spends: the last one may go
   * over it by what it spends itself. @default none
   */
  readonly tokens?: number;
  /** As {@link tokens}, in the unit of the configuration's `price`, which it needs. @default none */
  readonly cost?: number;
  /** Continue as new once the history has this many events. @default when Temporal suggests it */
  readonly history_events?: number;
}

/** What a service asks for. Field names are those of the create-run request, where it has them. */
export interface RunRequest {
  /** The provider's assistant, or one that the configuration names. */
  readonly assistant_id: string;
  /** A backend of the configuration. @default the configuration's `defaultBackend` */
  readonly backend?: string;
  /** A thread (on the Responses wire: a conversation) to go on with. @default a new one */
  readonly thread_id?: string | null;
  /**
   * Where the thread has another run of Drover: `enqueue` waits for its turn, first come, first served; `reject` ends by
   * `thread_busy`; `interrupt` cancels that run and goes next; `proceed` asks for no turn, for a service that knows
   * that it is alone on the thread. @default 'enqueue'
   */
  readonly on_busy_thread?: BusyThread;
  /** How long it waits for its turn; the deadline counts from there. @default 86400 */
  readonly turn_seconds?: number;
  readonly input?: string | readonly InputMessage[];
  /** Trusted JSON for the tools; never sent to the provider. */
  readonly context?: Json;
  readonly model?: string | null;
  readonly reasoning_effort?: string | null;
  readonly instructions?: string | null;
  readonly additional_instructions?: string | null;
  readonly additional_messages?: readonly InputMessage[] | null;
  /** Names of registered tools, or tool objects as on the wire. @default the assistant's */
  readonly tools?: readonly (string | JsonObject)[] | null;
  readonly metadata?: { readonly [key: string]: string } | null;
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly max_prompt_tokens?: number | null;
  readonly max_completion_tokens?: number | null;
  readonly truncation_strategy?: { readonly type: string; readonly last_messages?: number | null } | null;
  readonly tool_choice?: string | JsonObject | null;
  readonly parallel_tool_calls?: boolean | null;
  readonly response_format?: string | JsonObject | null;
  readonly retry?: RetryPolicy;
  readonly limits?: RunLimits;
  /** `fail` fails the workflow of a run that did not complete; `return` returns its result. @default 'fail' */
  readonly on_unfinished?: 'fail' | 'return';
}

/** One thing that is wrong with a request, a configuration or a tool. The value is shortened, never a secret. */
export interface Issue {
  readonly field: string;
  readonly message: string;
  readonly limit?: number | string;
  readonly value?: Json;
}

/** Why an attempt ended, or why it was given up. */
export type AttemptReason =
  | 'completed'
  | 'expired'
  | 'gone'
  | 'max_completion_tokens'
  | 'max_prompt_tokens'
  | 'content_filter'
  | 'incomplete'
  | 'rate_limit_exceeded'
  | 'quota_exceeded'
  | 'server_error'
  | 'invalid_prompt'
  | 'failed'
  | 'cancelled'
  | 'cancelled_elsewhere'
  | 'invalid_output'
  | 'attempt_timeout'
  | 'given_up';

export interface AttemptResult {
  /** From 1. */
  readonly number: number;
  /** The provider's id; on the Responses wire, the id of the chain's last response. Null where none is known. */
  readonly id: string | null;
  /** Every provider-side object of the attempt: one run, or a chain of responses. */
  readonly provider_ids: readonly string[];
  readonly status: WireStatus;
  readonly reason: AttemptReason | null;
  /** The provider's raw error code, where it has more than the run object's three. */
  readonly raw_code: string | null;
  readonly created_at: number;
  readonly ended_at: number | null;
  /** The create's answer was lost and its run was found again. */
  readonly adopted: boolean;
  /** A create's answer was lost on a wire that has no way to find it: another attempt may live at the provider. */
  readonly ambiguous_create: boolean;
  readonly usage: RunUsage | null;
  /** By the configuration's `price`; absent where it has none, or the usage is not known. */
  readonly cost?: number;
}

export type ToolCallStatus =
  | 'completed'
  | 'failed'
  | 'bad_arguments'
  | 'unknown_tool'
  | 'not_allowed'
  | 'too_many_calls'
  | 'unknown_outcome'
  /** A person refused it, or nobody decided in time. */
  | 'rejected'
  | 'cancelled'
  | 'pending';

export interface ToolCallResult {
  readonly id: string;
  readonly attempt: number;
  readonly round: number;
  readonly name: string;
  /** The model's own text, which need not be JSON. */
  readonly arguments: string;
  readonly output: string | null;
  readonly status: ToolCallStatus;
  /** The effect ledger's key: the `idempotencyKey` that the handler was given. Null where nothing could run. */
  readonly key: string | null;
  /** Answered from the ledger: nothing ran for this call. */
  readonly reused: boolean;
  /** Equal by `effectKey` to an earlier call, with other arguments: nothing ran, the earlier effect was reported. */
  readonly divergent: boolean;
  readonly started_at: number | null;
  readonly duration_ms: number | null;
  /** How people settled it; absent where nobody was asked. */
  readonly decision?: DecisionRecord;
  /** Set where the output was cut to fit: its full size in bytes. */
  readonly truncated?: number;
}

export interface OutputMessage {
  readonly id: string | null;
  readonly role: 'assistant';
  readonly content: readonly JsonObject[];
}

export interface Warning {
  readonly code: 'cancel_unconfirmed' | 'create_ambiguous' | 'result_truncated' | 'effect_unknown';
  readonly message: string;
}

/** How a run ended. Read it from the workflow's result, from its failure's details, or by the query `result`. */
export interface RunResult {
  /** The logical run: `id` is the workflow id, usage is summed over all attempts. */
  readonly run: RunObject;
  /** Null for a completed run; else a code of `failures.ts`. */
  readonly code: EndCode | null;
  readonly message: string | null;
  readonly output_text: string;
  readonly refusal: string | null;
  /**
   * `output_text` as the JSON that `response_format` asked for, checked against its schema. Absent where no such format
   * was asked for, the model refused, or the run did not complete.
   */
  readonly output_parsed?: Json;
  readonly messages: readonly OutputMessage[];
  readonly attempts: readonly AttemptResult[];
  readonly tool_calls: readonly ToolCallResult[];
  readonly usage: RunUsage;
  /** Of all attempts, by the configuration's `price`; absent where no attempt has one. */
  readonly cost?: number;
  readonly warnings: readonly Warning[];
  /** What is wrong with the request, where the code is `invalid_request`; else empty. */
  readonly issues: readonly Issue[];
}

/** What the query `progress` answers while a run is under way. */
export interface RunProgress {
  readonly status: WireStatus;
  readonly attempt: number;
  readonly attempt_id: string | null;
  readonly thread_id: string | null;
  readonly round: number;
  /** Another run has its thread. */
  readonly waits_for_turn: boolean;
  readonly pending_calls: readonly { readonly id: string; readonly name: string }[];
  readonly unsettled_effects: readonly { readonly key: string; readonly name: string }[];
  /** Calls that wait on people, unsettled effects among them; without their arguments. */
  readonly waiting_calls: readonly Omit<WaitingCall, 'arguments'>[];
  readonly usage: RunUsage;
  readonly cost?: number;
  readonly deadline_at: number;
  readonly ended: boolean;
}

/** Payload of the Update `settleEffect`: what a person says of an effect whose outcome is unknown. */
export type SettleEffect =
  | { readonly key: string; readonly outcome: 'done'; readonly output: string; readonly by?: string }
  | { readonly key: string; readonly outcome: 'not_done'; readonly by?: string }
  | { readonly key: string; readonly outcome: 'end'; readonly by?: string };
