/** Drives a run through its attempts until it has ended: create, wait, run tools, submit, decide. */
import {
  CancellationScope,
  makeContinueAsNewFunc,
  allHandlersFinished,
  patched,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { DEFAULTS } from '../contract.ts';
import type { AttemptReason, RunRequest, RunResult } from '../contract.ts';
import type { EndCode } from '../failures.ts';
import type { AwaitRunOutput } from '../steps.ts';
import { cancelLive, leaveUsable, stepInput, type DriveContext } from './cancel-live.ts';
import { createAttempt, submitRound } from './acting-steps.ts';
import { decide } from './decide.ts';
import {
  attemptEnded,
  attemptResumed,
  attemptSeen,
  nextAttempt,
  warn,
  type LiveAttempt,
} from './drive-state.ts';
import { packState, stateBytes, type PackedState } from './pack-state.ts';
import { awaitRun, StepFailed } from './provider-steps.ts';
import { publishPhase } from './publish.ts';
import { until } from './quiet.ts';
import { jsonBytes } from './run-result.ts';
import { runRound } from './run-tools.ts';
import { spentUp } from './spending.ts';

function waitUntilMs({ state }: DriveContext): number {
  const limit = state.limits.attempt_seconds;
  const startedMs = (state.live?.created_ms ?? Date.now()) + (state.live?.paused_ms ?? 0);
  const attemptEnds = limit === undefined ? Infinity : startedMs + limit * 1000;
  return Math.min(state.deadline_ms, attemptEnds);
}

function waitForAttempt(context: DriveContext): Promise<AwaitRunOutput> {
  const { live } = context.state;
  if (live === null) return Promise.resolve({ kind: 'gone' });
  publishPhase(context, 'waiting for the provider');
  return context.bell.during(live.ref.id, () =>
    awaitRun({ ...stepInput(context), attempt: live.ref, until_ms: waitUntilMs(context) }),
  );
}

/** A thread that finds no run by its key is a conversation: calls that stand open in it have it refuse the next one. */
const mayLeaveCalls = ({ findable, ref }: LiveAttempt, reason: AttemptReason): boolean =>
  !findable && ref.thread_id !== null && reason !== 'completed';

/** What the table says of an ended attempt: the run's code, or undefined when another attempt follows. */
async function conclude(
  context: DriveContext,
  reason: AttemptReason,
  retryAfterMs: number | null,
): Promise<EndCode | null | undefined> {
  const { state } = context;
  const { live } = state;
  attemptEnded(state, reason, Date.now());
  if (live !== null && mayLeaveCalls(live, reason)) state.left = live.ref;
  const decision = decide(
    {
      reason,
      number: state.number - (state.number_base ?? 0),
      run: state.last_run,
      retry_after_ms: retryAfterMs,
      overrides: state.overrides,
      now_ms: Date.now(),
      deadline_ms: state.deadline_ms,
    },
    state.retry,
  );
  if (decision.action === 'finish') return decision.code;
  const limit = spentUp(state);
  if (limit !== null) return limit;
  nextAttempt(state, decision.overrides, live && { ref: live.ref, outputs: live.outputs });
  if (decision.delay_ms > 0) {
    publishPhase(context, `waiting before attempt ${state.number}`);
    await sleep(decision.delay_ms);
  }
  return undefined;
}

async function deadlineReached(
  context: DriveContext,
  unknownStatus: string | null,
): Promise<EndCode | null | undefined> {
  const { state } = context;
  const { live } = state;
  // The wait ends by its worker's clock, which may be ahead of the server's: then it is not yet late here.
  const late =
    Date.now() >= state.deadline_ms ||
    (waitUntilMs(context) >= state.deadline_ms && patched('late-by-until'));
  const confirmed = await cancelLive(
    context,
    late && unknownStatus !== null ? 'given_up' : 'attempt_timeout',
  );
  if (confirmed && live !== null && state.last_run?.status === 'completed') {
    // It ended before the cancel reached it: what it says is paid for.
    attemptResumed(state, live);
    const seen = await waitForAttempt(context);
    if (seen.kind === 'ended') return attemptOver(context, seen);
  }
  if (late) return unknownStatus === null ? 'deadline_exceeded' : 'unknown_status';
  if (!confirmed) return 'expired';
  state.live = live;
  return conclude(context, 'attempt_timeout', null);
}

function attemptOver(
  context: DriveContext,
  seen: Extract<AwaitRunOutput, { kind: 'ended' }>,
): Promise<EndCode | null | undefined> {
  attemptSeen(context.state, seen);
  context.state.last_output = seen.output;
  return conclude(context, seen.reason, seen.retry_after_ms);
}

async function runCalls(
  context: DriveContext,
  seen: Extract<AwaitRunOutput, { kind: 'requires_action' }>,
): Promise<EndCode | null | undefined> {
  const { state } = context;
  if (Date.now() >= state.deadline_ms) return deadlineReached(context, null);
  const limit = spentUp(state);
  if (limit !== null) {
    await cancelLive(context, 'given_up');
    return limit;
  }
  if (state.rounds >= (state.limits.rounds ?? DEFAULTS.rounds)) {
    await cancelLive(context, 'given_up');
    return 'rounds_exceeded';
  }
  const round = runRound(context, seen.calls);
  context.round = round;
  round.catch(() => undefined);
  publishPhase(context, 'running tools');
  const end = await Promise.race([round, CancellationScope.current().cancelRequested]);
  context.round = null;
  if (end.kind !== 'outputs') {
    if (end.kind === 'effect_unknown') {
      warn(
        state,
        'effect_unknown',
        'The outcome of a once-only effect is unknown; its call has the status `unknown_outcome`.',
      );
    }
    await cancelLive(context, 'given_up');
    return end.kind;
  }
  if (state.live) {
    state.live.outputs = end.outputs;
    state.live.submitted = false;
  }
  return undefined;
}

/** It still asks for what it was given outputs for: it is given them once more, and no tool runs again. */
function submitAgain({ state: { live } }: DriveContext): undefined {
  if (live === null) return;
  live.submitted = false;
  live.again = true;
}

async function onceAround(context: DriveContext): Promise<EndCode | null | undefined> {
  const { state } = context;
  if (state.live === null) {
    if (Date.now() >= state.deadline_ms) return 'deadline_exceeded';
    const limit = spentUp(state);
    if (limit !== null) return limit;
    await createAttempt(context);
  }
  const { live } = state;
  if (live?.submitted === false && Date.now() >= state.deadline_ms && patched('no-late-submit'))
    return deadlineReached(context, null);
  if (live?.submitted === false && (await submitRound(context, live)) === 'gone') {
    return conclude(context, 'gone', null);
  }
  const seen = await waitForAttempt(context);
  if (seen.kind === 'gone') return conclude(context, 'gone', null);
  if (seen.kind === 'deadline') return deadlineReached(context, seen.unknown_status);
  if (seen.kind === 'ended') return attemptOver(context, seen);
  attemptSeen(state, seen);
  switch (seen.kind) {
    case 'requires_action':
      if (seen.again === true) return submitAgain(context);
      return runCalls(context, seen);
    case 'unsupported_action':
      await cancelLive(context, 'given_up');
      return 'unsupported_action';
  }
}

type ContinuedRun = (request: RunRequest, carried: PackedState) => Promise<RunResult>;

/** Temporal takes 2,000 Updates of an execution; calls of one more round have to find room. */
const UPDATES_BEFORE_CONTINUE = 1_000;

function isContinueDue({ state }: DriveContext): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if ((state.updates ?? 0) >= UPDATES_BEFORE_CONTINUE) return true;
  const due = state.limits.history_events;
  return continueAsNewSuggested || (due !== undefined && historyLength >= due);
}

/** Only between steps: no call is in flight, and every handler has finished. */
async function continueAsNew(context: DriveContext): Promise<void> {
  await until(allHandlersFinished);
  context.state.updates = 0;
  const packed = packState(context.state, stateBytes(jsonBytes(context.request)));
  // Scheduling more than Temporal carries would hang the workflow for ever.
  if (packed === null) throw new StepFailed('result_too_large');
  await makeContinueAsNewFunc<ContinuedRun>()(context.request, packed);
}

/**
 * @returns the code by which the run ended; null for completed.
 * @throws CancelledFailure when the workflow was cancelled, with the attempt still to be cancelled.
 */
export async function driveAttempts(
  context: DriveContext,
): Promise<{ readonly code: EndCode | null; readonly failed: StepFailed | null }> {
  try {
    for (;;) {
      const code = await onceAround(context);
      if (code !== undefined) {
        if (code !== null) await leaveUsable(context);
        return { code, failed: null };
      }
      if (isContinueDue(context)) await continueAsNew(context);
    }
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    context.state.suspect ||= error.suspect && context.state.live === null;
    await cancelLive(context, 'given_up');
    await leaveUsable(context);
    return { code: error.code, failed: error };
  }
}
