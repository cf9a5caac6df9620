/** What crosses between the workflow and its activities. JSON only, snake_case; pure. */
import type { AttemptReason, Issue, OutputMessage, RunLimits, RetryPolicy, RunRequest } from './contract.ts';
import type { Json, RunObject, RunUsage } from './run.ts';
import type { PlannedCall } from './tool-steps.ts';

/** An attempt at its provider. `state` is the adapter's own: the workflow keeps it and hands it back. */
export interface AttemptRef {
  /** The provider's id of the run, or of the chain's last response. */
  readonly id: string;
  readonly thread_id: string | null;
  /** Drover's key of this attempt: `<first execution run id>/<n>`. */
  readonly key: string;
  /** Every provider-side id of the attempt so far, the last one being `id`. */
  readonly provider_ids: readonly string[];
  readonly state: Json;
}

/** What changes from one attempt to the next. */
export interface AttemptOverrides {
  readonly max_completion_tokens?: number;
  readonly max_prompt_tokens?: number;
  readonly truncation_strategy?: { readonly type: string };
  /** Added to what the request says. */
  readonly additional_instructions?: string;
}

export interface ToolOutput {
  readonly tool_call_id: string;
  readonly output: string;
  /** What people said of a call of an MCP server, which the provider runs itself; absent for calls of tools. */
  readonly approval?: { readonly approve: boolean; readonly reason: string | null };
}

/** What every step at the provider is told. */
interface StepInput {
  readonly run_id: string;
  readonly first_execution_run_id: string;
  /** Attempt number, from 1. */
  readonly number: number;
  readonly overrides: AttemptOverrides;
}

/** A step that acts at the provider, tried first as a local activity and then as a plain one. */
interface ActingInput extends StepInput {
  /** Given to local activities only (their input is not in history); else it is read from the history. */
  readonly request?: RunRequest;
  /** Given to local activities only: how many events the history had when the workflow came to this step. */
  readonly events?: number;
  /** An earlier try may have acted although its answer was lost. */
  readonly suspect: boolean;
  /** Epoch milliseconds before which the provider does not want to be asked again. */
  readonly not_before_ms: number;
  /** Epoch milliseconds of the run's deadline. */
  readonly deadline_ms: number;
}

/** It did not work this time: call again as a plain activity, with `suspect` as given here. */
export interface TryAgain {
  readonly kind: 'again';
  readonly suspect: boolean;
  readonly not_before_ms: number;
}

/**
 * It ran for a query, ahead of the workflow task that it belongs to, or for a task that the workflow has gone on without:
 * nothing of this may be kept. Never recorded.
 */
export interface NotOurs {
  readonly kind: 'not_ours';
}

export interface CreateRunInput extends ActingInput {
  readonly thread_id: string | null;
  /** False until a create with the messages has landed. */
  readonly input_landed: boolean;
  /** When this attempt's first create was tried, in epoch milliseconds: how far back to look for a lost one. */
  readonly since_ms: number;
  /** The attempt before this one: where a backend can, the new one goes on from its last good step. */
  readonly previous: AttemptRef | null;
  /** Outputs that `previous` was given last, for a backend that goes on from there. */
  readonly resume_outputs: readonly ToolOutput[];
}

/** The thread was made, and no attempt on it that is known: call again with it. */
export interface MadeThread {
  readonly kind: 'thread';
  readonly thread_id: string;
  /** A create on it that failed may have acted. Absent: none was tried. */
  readonly suspect?: boolean;
  /** Epoch milliseconds: what the provider asked to wait for. Absent: nothing. */
  readonly not_before_ms?: number;
}

export interface Created {
  readonly kind: 'created';
  readonly attempt: AttemptRef;
  /** Without instructions and tools. */
  readonly run: RunObject;
  readonly adopted: boolean;
  /** An earlier create may live at the provider, and this wire cannot find it. */
  readonly ambiguous: boolean;
  /** Whatever a lost step of this attempt made at the provider can be found again. */
  readonly findable: boolean;
  /** True where this attempt goes on from `previous` instead of starting over. */
  readonly resumed: boolean;
  readonly backend: string;
  readonly limits: RunLimits;
  readonly retry: RetryPolicy;
  /** The namespace knows Drover's search attributes. */
  readonly search_attributes: boolean;
  /** It knows the one of runs that wait on people too. Absent: an older worker said this, which did not ask. */
  readonly waiting_attribute?: boolean;
}

export type CreateRunOutput = Created | MadeThread | TryAgain | NotOurs;

export interface SubmitOutputsInput extends ActingInput {
  readonly attempt: AttemptRef;
  readonly outputs: readonly ToolOutput[];
}

export type SubmitOutputsOutput =
  | TryAgain
  | NotOurs
  | {
      /** The attempt no longer waits for these calls: they were taken, or it has ended meanwhile. */
      readonly kind: 'submitted';
      readonly attempt: AttemptRef;
      readonly ambiguous: boolean;
    }
  /** The provider no longer knows the attempt. */
  | { readonly kind: 'gone' };

export interface AwaitRunInput extends StepInput {
  readonly attempt: AttemptRef;
  /** Epoch milliseconds; the earlier of the run's deadline and the attempt's. */
  readonly until_ms: number;
}

export type AwaitRunOutput =
  | ({
      readonly attempt: AttemptRef;
      /** Without instructions and tools, unless it has ended. */
      readonly run: RunObject;
      readonly raw_code: string | null;
      /** The wait itself made the attempt's step (foreground), and an earlier try of it may have acted too. */
      readonly ambiguous: boolean;
      /** What the attempt has spent so far, where the wire tells before its end. */
      readonly spent?: RunUsage;
      /** What that costs, where the configuration has a price. */
      readonly cost?: number;
    } & (
      | {
          readonly kind: 'requires_action';
          readonly calls: readonly PlannedCall[];
          /** It has been given outputs for these calls, and does not seem to have taken them. Absent: false. */
          readonly again?: true;
        }
      /** It waits for something else than tool outputs. */
      | { readonly kind: 'unsupported_action'; readonly action: string }
      | {
          readonly kind: 'ended';
          readonly reason: AttemptReason;
          readonly output: AttemptOutput;
          /** Its backend streams: watchers were told its text while it came. Absent: false. */
          readonly streamed?: true;
          readonly retry_after_ms: number | null;
        }
    ))
  /** The provider no longer knows the attempt. */
  | { readonly kind: 'gone' }
  /** `until_ms` was reached; `unknown_status` where the last status is none of the nine. */
  | { readonly kind: 'deadline'; readonly unknown_status: string | null };

/** What an ended attempt said. */
export interface AttemptOutput {
  readonly text: string;
  readonly refusal: string | null;
  readonly messages: readonly OutputMessage[];
  /** The text is JSON that fits the format that was asked for. */
  readonly structured?: true;
}

export interface CancelRunInput extends StepInput {
  readonly backend: string | null;
  /** Null where a create's answer was lost and nothing is known but the key: it is looked for. */
  readonly attempt: AttemptRef | null;
  readonly find: { readonly thread_id: string | null; readonly since_ms: number } | null;
  /** Calls whose outputs may have been submitted although the answer was lost; null where none were. */
  readonly lost_outputs: readonly string[] | null;
  /** Epoch milliseconds at which it gives up confirming. */
  readonly until_ms: number;
  /** The attempt has ended: its thread alone is left usable. Absent: false. */
  readonly ended?: boolean;
}

export interface CancelRunOutput {
  /** No attempt lives: it was seen to have ended, or there is none. */
  readonly confirmed: boolean;
  readonly run: RunObject | null;
  readonly cost?: number;
}

export type {
  PlannedCall,
  ToolPolicy,
  ToolInput,
  LookupInput,
  LookupOutput,
  AuthorizeDecisionInput,
  AuthorizeDecisionOutput,
  StartedMark,
} from './tool-steps.ts';
export { isStartedMark } from './tool-steps.ts';

/** Asks, as a local activity, whether the workflow task is the workflow's own. */
export interface ConfirmTaskInput {
  /** How many events the history had when the workflow came to it. */
  readonly events: number;
}

export interface ConfirmTaskOutput {
  readonly turn: 'ours' | 'not_ours' | 'unknown';
}

/** Types of the failures that activities throw at the workflow. Details are typed beside each. */
export const ACTIVITY_FAILURES = {
  /** The effect did not start: dispatch it again. */
  notStarted: 'drover.not_started',
  /** The tool failed; details: [{ output, effect: 'none' | 'unknown' }]. */
  toolFailed: 'drover.tool_failed',
  /** The provider refused; details: [BackendFailureDetails]. */
  backend: 'drover.backend',
  /** The request was refused; details: [Issue[]]. */
  invalidRequest: 'drover.invalid_request',
  /** "Waiting, next look in …": the long wait's benign failure. */
  waiting: 'drover.waiting',
} as const;

export interface ToolFailureDetails {
  /** What the model reads. */
  readonly output: string;
  readonly effect: 'none' | 'unknown';
}

export interface BackendFailureDetails {
  readonly backend: string;
  /** A kind of `BackendError`. */
  readonly kind: string;
  readonly status: number | null;
  /** The provider's words, redacted. */
  readonly message: string;
  /** The step may have acted although it failed. */
  readonly suspect: boolean;
}

export type InvalidRequestDetails = readonly Issue[];
