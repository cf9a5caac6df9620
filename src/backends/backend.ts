/**
 * The port to a provider's run API. An adapter turns one wire into the run object; it never retries,
 * never sleeps except between polls, and holds nothing between calls but what `AttemptRef.state` carries.
 *
 * Duties of every method: honour the signal; throw {@link BackendError} and nothing else; put no
 * key, prompt, argument or output into an error.
 */
import type { InputMessage, Issue } from '../contract.ts';
import type { PendingCall, JsonObject, RunObject, RunUsage } from '../run.ts';
import type { AttemptOutput, AttemptRef, ToolOutput } from '../steps.ts';

export { BackendError, isBackendError, unlessGone } from './backend-error.ts';
export type { BackendErrorKind, BackendErrorOptions } from './backend-error.ts';

export interface Capabilities {
  /** A create whose answer was lost can be found again by its key. */
  readonly findByKey: boolean;
  /** `required`: a run lives on a thread that {@link Backend.createThread} makes first. */
  readonly thread: 'required' | 'optional';
  /** A failed step can be repeated from the last good one. */
  readonly resume: boolean;
  /** The assistant is the provider's, with tools of its own. */
  readonly ownAssistants: boolean;
  /** A finished attempt can be read again at the provider. */
  readonly stored: boolean;
}

/** A request after the configuration, the registry and the secrets have been applied to it. */
export interface ResolvedRun {
  readonly run_id: string;
  readonly key: string;
  readonly assistant_id: string;
  /** All of the input: `input`, then `additional_messages`. */
  readonly messages: readonly InputMessage[];
  /** Undefined: not said, the provider's own default. */
  readonly model?: string;
  readonly instructions?: string;
  readonly additional_instructions?: string;
  readonly reasoning_effort?: string;
  /** Tool objects as on the Assistants wire (`{type: 'function', function: {…}}` and the provider's own). */
  readonly tools?: readonly JsonObject[];
  /** The service's pairs and Drover's own. */
  readonly metadata: { readonly [key: string]: string };
  readonly temperature?: number;
  readonly top_p?: number;
  readonly max_prompt_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly truncation_strategy?: { readonly type: string; readonly last_messages?: number | null };
  readonly tool_choice?: string | JsonObject;
  readonly parallel_tool_calls?: boolean;
  readonly response_format?: string | JsonObject;
}

export interface CreateSpec {
  readonly run: ResolvedRun;
  readonly thread_id: string | null;
  /** False: the thread holds the messages already, from an earlier attempt. */
  readonly include_input: boolean;
  /** Look for a run with our key before creating one, back to this epoch millisecond. */
  readonly find_since_ms: number | null;
  readonly previous: AttemptRef | null;
  readonly resume_outputs: readonly ToolOutput[];
}

export interface Created {
  readonly observation: Observation;
  /** Found by its key, not made by this call. */
  readonly adopted: boolean;
  /** This call went on from `previous`. */
  readonly resumed: boolean;
}

/** What an adapter saw of an attempt. */
export interface Observation {
  readonly attempt: AttemptRef;
  /** Mapped onto the run object; `id` and `status` as this wire gives them. */
  readonly run: RunObject;
  /** Calls that wait for outputs, when the status is `requires_action`. */
  readonly calls: readonly PendingCall[];
  /** What it waits for instead of tool outputs; null where it waits for outputs or nothing. */
  readonly unsupported_action: string | null;
  /** The provider's error code, where the run object has no place for it. */
  readonly raw_code: string | null;
  /** The provider's wish for the next look. */
  readonly look_after_ms: number | null;
  /** What it said so far, where this wire shows it with the run; else {@link Backend.output} fetches it. */
  readonly output: AttemptOutput | null;
  /** What the attempt has spent so far, where this wire tells before its end: the run object says it at the end. */
  readonly spent?: RunUsage;
  /** Its calls are those that it was given outputs for, last or earlier: what it shows may be older than the submit. */
  readonly repeats?: 'last' | 'earlier';
  /** An earlier try of this step had acted and was found: nothing was made by this call. */
  readonly adopted?: boolean;
}

export interface ObserveOptions {
  readonly signal: AbortSignal;
  /** Milliseconds until the next look, given the provider's wish; called once between two looks. */
  readonly nextLook: (lookAfterMs: number | null) => number;
}

/** A step whose answer was lost: where what it made would stand. */
export interface LostStep {
  readonly thread_id: string;
  /** Calls that it answered; null for a create. */
  readonly call_ids: readonly string[] | null;
  /** A create that brought the input to the thread. */
  readonly first: boolean;
}

/** What a thread tells of a step whose answer was lost. */
export interface LostLook {
  /** Id of the newest item, '' where there is none. */
  readonly newest: string;
  /**
   * Whose answer stands last: the step's, or one of which nothing tells that; null where none does: the step may be worked
   * on, or it was never made.
   */
  readonly answer: 'its' | 'somebodys' | null;
}

export interface ProbeReport {
  readonly ok: boolean;
  readonly message: string;
  /** What to do where it is not ok. */
  readonly action?: string;
}

/** What a listener hears of an attempt. */
export interface Heard {
  /** To go on listening behind it. */
  readonly cursor: number;
  /** What the model says next; null for another event. */
  readonly text: string | null;
  /** There is something to look at. */
  readonly news: boolean;
}

export interface WebhookEvent {
  /** The same in every delivery of the event. */
  readonly id: string;
  readonly type: string;
  /** The provider's id of what it is about; null where that is no attempt. */
  readonly attempt_id: string | null;
}

/** Reads what the provider sends when an attempt has changed. */
export interface Webhooks {
  /**
   * The event, once it is known that the provider signed it.
   *
   * @param body as it came
   * @throws BackendError `rejected` where the signature, its time or the body does not fit
   */
  read(body: string, headers: Headers): Promise<WebhookEvent>;
  /** The run that the attempt belongs to; null where it is none of Drover's. Asks the provider. */
  runOf(attemptId: string, signal: AbortSignal): Promise<string | null>;
}

export interface Backend {
  /** Its name in the configuration. */
  readonly name: string;
  readonly wire: 'responses' | 'assistants';
  readonly capabilities: Capabilities;

  /** What this wire cannot carry of the request, before anything is created. Pure. */
  check(run: ResolvedRun): readonly Issue[];

  /** Looks for the live attempt that bears the key of `run`. Present where `capabilities.findByKey`. */
  find?(
    run: ResolvedRun,
    where: { readonly thread_id: string | null; readonly since_ms: number },
    signal: AbortSignal,
  ): Promise<Observation | null>;

  /** Makes a thread, without messages. Present where `capabilities.thread` is `required`. */
  createThread?(run: ResolvedRun, signal: AbortSignal): Promise<string>;

  /**
   * Creates the attempt, or adopts the one that bears its key. Never creates a second one when it can
   * find the first; younger twins with the same key are cancelled. A busy thread is `thread_busy`.
   */
  create(spec: CreateSpec, signal: AbortSignal): Promise<Created>;

  /**
   * True where the next look makes a step instead of reading one, as on a wire without background mode: what
   * the provider then refuses for good is refused to the run.
   */
  lookActs?(attempt: AttemptRef): boolean;

  /** The attempt as it changes, one observation a look; ends after a terminal or waiting one. */
  observe(attempt: AttemptRef, run: ResolvedRun, options: ObserveOptions): AsyncIterable<Observation>;

  /**
   * Listens to the attempt instead of looking: ends when the provider has no more to tell. Present where the wire
   * streams. Nothing that it hears is believed: after news the attempt is looked at.
   *
   * @param cursor of the last event that was heard; null for all of them
   * @throws BackendError where the provider cuts it off, or streams no such attempt
   */
  listen?(
    attempt: AttemptRef,
    options: { readonly cursor: number | null; readonly signal: AbortSignal },
  ): AsyncIterable<Heard>;

  /**
   * Hands in all outputs of a round at once. With `suspect`, an earlier try may have landed: the
   * attempt is read first, and nothing is submitted to one that no longer waits for these calls.
   */
  submit(
    attempt: AttemptRef,
    outputs: readonly ToolOutput[],
    run: ResolvedRun,
    options: { readonly suspect: boolean; readonly signal: AbortSignal },
  ): Promise<Observation>;

  /** Asks once for a cancel, then reads. An attempt that has ended already is no error. */
  cancel(attempt: AttemptRef, signal: AbortSignal): Promise<Observation>;

  /**
   * Answers calls that an ended attempt left open, so that its thread takes the next run.
   *
   * @param options.ownOnly only those that it is known to have made: another run may have the thread by now
   */
  releaseThread?(
    attempt: AttemptRef,
    signal: AbortSignal,
    options?: { readonly ownOnly?: boolean },
  ): Promise<void>;

  /**
   * Looks once for what became of a step whose answer was lost, and which nobody will make again. Present where a thread
   * tells although nothing finds the attempt.
   */
  lookForLostStep?(run: ResolvedRun, lost: LostStep, signal: AbortSignal): Promise<LostLook>;

  /** The messages of an ended attempt. */
  output(attempt: AttemptRef, signal: AbortSignal): Promise<AttemptOutput>;

  /** Present where the provider tells of changes by itself: waits look far less often, and are woken. */
  readonly webhooks?: Webhooks;

  /** Reachable, and the key accepted? For `drover doctor`. */
  probe(signal: AbortSignal): Promise<ProbeReport>;
}
