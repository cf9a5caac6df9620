/** The steps that act or wait at the provider, as the workflow sees them: options, fallbacks, failures read. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  scheduleActivity,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import { DEFAULTS, NAMES } from '../contract.ts';
import type { Issue, RunRequest } from '../contract.ts';
import { localStep } from './local-step.ts';
import { isEndCode, type EndCode } from '../failures.ts';
import {
  ACTIVITY_FAILURES,
  type AwaitRunInput,
  type AwaitRunOutput,
  type BackendFailureDetails,
  type CancelRunInput,
  type CancelRunOutput,
  type CreateRunInput,
  type Created,
  type CreateRunOutput,
  type SubmitOutputsInput,
  type SubmitOutputsOutput,
  type NotOurs,
  type TryAgain,
} from '../steps.ts';

/** A step failed for good: the run ends by this code. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly code: EndCode;
  /** Redacted; for the result's `message`. */
  readonly detail: string | null;
  readonly issues: readonly Issue[];
  /** It may have acted although it failed. */
  readonly suspect: boolean;

  constructor(
    code: EndCode,
    options: { detail?: string | null; issues?: readonly Issue[]; suspect?: boolean } = {},
  ) {
    super(code);
    this.code = code;
    this.detail = options.detail ?? null;
    this.issues = options.issues ?? [];
    this.suspect = options.suspect ?? false;
  }
}

/** The code of a run whose step was refused, or failed until the deadline. */
const CODE_OF_KIND: Readonly<Record<string, EndCode>> = {
  auth: 'backend_auth',
  quota: 'quota_exceeded',
  rate_limit: 'rate_limit_exceeded',
  thread_busy: 'thread_busy',
  active_run: 'thread_busy',
  unknown_assistant: 'unknown_assistant',
  unknown_thread: 'unknown_thread',
  content_filter: 'content_filter',
  not_found: 'backend_rejected',
  wrong_status: 'backend_rejected',
  rejected: 'backend_rejected',
};

/** Reads why a step's activity failed; rethrows what is no failure of a step, cancellation first of all. */
function readStepFailure(error: unknown): StepFailed {
  // A local activity's failure comes without an ActivityFailure around it.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return new StepFailed('backend_unavailable', { suspect: true });
  if (!(cause instanceof ApplicationFailure)) throw error;
  const details: unknown = cause.details?.[0];
  if (cause.type === ACTIVITY_FAILURES.invalidRequest) {
    return new StepFailed('invalid_request', { issues: (details ?? []) as readonly Issue[] });
  }
  if (cause.type === ACTIVITY_FAILURES.backend) {
    const { kind, message, suspect } = details as BackendFailureDetails;
    return new StepFailed(CODE_OF_KIND[kind] ?? 'backend_unavailable', { detail: message, suspect });
  }
  if (cause.type === 'PayloadsTooLarge') return new StepFailed('result_too_large', { suspect: true });
  const code = cause.type?.replace(/^drover\./, '');
  return new StepFailed(isEndCode(code) ? code : 'internal', { detail: cause.type ?? null, suspect: true });
}

/** What a cancel that came between two tries of a step left: whether any of them may have acted. */
export interface CutStep {
  readonly suspect: boolean;
}

const cutStep = (suspect: boolean, cause?: Error): CancelledFailure =>
  new CancelledFailure('The step was cancelled between two tries.', [{ suspect } satisfies CutStep], cause);

/** Where nothing says otherwise a step that a cancel met may have acted. */
export function mayHaveActed(error: unknown): boolean {
  const told = error instanceof CancelledFailure ? (error.details?.[0] as CutStep | undefined) : undefined;
  return told?.suspect ?? true;
}

/** By the last try's own word. Where it left none, none has acted yet if the provider's time has not come. */
function wasSuspect({ cause }: ActivityFailure, { suspect, not_before_ms }: ActingInput): boolean {
  if (cause instanceof ApplicationFailure && cause.type === ACTIVITY_FAILURES.backend) {
    return (cause.details?.[0] as BackendFailureDetails | undefined)?.suspect ?? true;
  }
  return suspect || Date.now() >= not_before_ms;
}

/** A cancel is why the step is not tried again, whatever failed it. */
const wasCut = (error: unknown): error is ActivityFailure =>
  error instanceof ActivityFailure &&
  (error.retryState === 'CANCEL_REQUESTED' || error.cause instanceof CancelledFailure);

interface ActingInput {
  readonly suspect: boolean;
  readonly not_before_ms: number;
  readonly deadline_ms: number;
  readonly number: number;
}

/** What a step gave in the end. */
export type Settled<O> = Exclude<O, TryAgain | NotOurs>;

/**
 * Tries a step once as a local activity, which costs one event, and then as a plain one, whose retries
 * cost none. The local try is not cancelled: it is short, and what it made has to be known to be cancelled.
 */
async function act<O extends { kind: string }>(
  activity: string,
  input: ActingInput,
  request: RunRequest,
): Promise<Settled<O>> {
  let first: O;
  try {
    first = await CancellationScope.nonCancellable(() =>
      localStep<O>(activity, [{ ...input, request, events: workflowInfo().historyLength }], {
        startToCloseTimeout: '2 minutes',
        retry: { maximumAttempts: 1 },
        summary: `attempt ${input.number}`,
      }),
    );
  } catch (error) {
    throw readStepFailure(error);
  }
  // No failure of the run: the SDK gives up the task, and with it what the query has made of the workflow.
  if (first.kind === 'not_ours') throw new Error('A query ran ahead of its workflow task. Ask again.');
  if (first.kind !== 'again') return first as Settled<O>;
  const { suspect, not_before_ms } = first as unknown as TryAgain;
  return actPlainly<O>(activity, { ...input, suspect, not_before_ms });
}

async function actPlainly<O>(activity: string, input: ActingInput): Promise<Settled<O>> {
  if (CancellationScope.current().consideredCancelled) throw cutStep(input.suspect);
  try {
    return await scheduleActivity<Settled<O>>(activity, [input], {
      startToCloseTimeout: '2 minutes',
      scheduleToCloseTimeout: Math.max(input.deadline_ms - Date.now(), 1_000) + 30_000,
      heartbeatTimeout: '5 seconds',
      retry: {
        initialInterval: '1 second',
        maximumInterval: DEFAULTS.maxBackoffSeconds * 1000,
        nonRetryableErrorTypes: ['PayloadsTooLarge'],
      },
      // What it made has to be known to be cancelled, so a cancel waits for its answer.
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      summary: `attempt ${input.number}`,
    });
  } catch (error) {
    if (wasCut(error)) throw cutStep(wasSuspect(error, input), error);
    throw readStepFailure(error);
  }
}

export function createRun(input: CreateRunInput, request: RunRequest): Promise<Settled<CreateRunOutput>> {
  return act<CreateRunOutput>(NAMES.activities.createRun, input, request);
}

/**
 * For a thread that this very workflow task has made: its id is in no history yet, and scheduling a plain
 * activity is what puts it there before a run is made on it.
 */
export async function createOnNewThread(input: CreateRunInput): Promise<Created> {
  const created = await actPlainly<CreateRunOutput>(NAMES.activities.createRun, input);
  if (created.kind === 'thread') throw new StepFailed('internal', { detail: 'A second thread was made.' });
  return created;
}

export function submitOutputs(
  input: SubmitOutputsInput,
  request: RunRequest,
): Promise<Settled<SubmitOutputsOutput>> {
  return act<SubmitOutputsOutput>(NAMES.activities.submitOutputs, input, request);
}

/** How long one stay in the activity may hold its slot beyond the deadline: its last look and its answer. */
const AWAIT_SLACK_MS = 50_000;

/**
 * Waits until the attempt needs something or has ended. Its own back-off is `nextRetryDelay`; the policy
 * does not grow (coefficient 1), so that a real failure after many looks is still retried within a second.
 */
export async function awaitRun(input: AwaitRunInput): Promise<AwaitRunOutput> {
  const left = Math.max(input.until_ms - Date.now(), 1_000) + AWAIT_SLACK_MS;
  try {
    return await scheduleActivity<AwaitRunOutput>(NAMES.activities.awaitRun, [input], {
      startToCloseTimeout: left,
      scheduleToCloseTimeout: left,
      heartbeatTimeout: '5 seconds',
      retry: {
        initialInterval: '1 second',
        backoffCoefficient: 1,
        nonRetryableErrorTypes: ['PayloadsTooLarge'],
      },
      // Whoever cancels need not wait for a look that changes nothing.
      cancellationType: 'TRY_CANCEL',
      summary: `attempt ${input.number} · ${input.attempt.id.slice(0, 64)}`,
    });
  } catch (error) {
    const timedOut =
      error instanceof ActivityFailure &&
      (error.retryState === 'TIMEOUT' || error.cause instanceof TimeoutFailure);
    if (timedOut) return { kind: 'deadline', unknown_status: null };
    throw readStepFailure(error);
  }
}

/**
 * How long a cancel that fails is tried again beyond its watch: a provider in trouble, workers that die in it. Whatever it
 * leaves alive is paid for, and holds its thread.
 */
const CANCEL_TRIES_MS = 240_000;

/** Cancels whatever lives of the attempt; never cancelled itself, and never throws for the provider's sake. */
export async function cancelRun(input: CancelRunInput): Promise<CancelRunOutput> {
  return CancellationScope.nonCancellable(async () => {
    try {
      return await scheduleActivity<CancelRunOutput>(NAMES.activities.cancelRun, [input], {
        startToCloseTimeout: '2 minutes',
        scheduleToCloseTimeout: Math.max(input.until_ms - Date.now(), 1_000) + CANCEL_TRIES_MS,
        heartbeatTimeout: '5 seconds',
        retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
        summary: `attempt ${input.number} · ${input.attempt?.id.slice(0, 64) ?? 'not found yet'}`,
      });
    } catch (error) {
      if (error instanceof ActivityFailure) return { confirmed: false, run: null };
      throw error;
    }
  });
}
