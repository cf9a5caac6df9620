/** `driveRun`: one workflow for one run. */
import { ApplicationFailureCategory } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  LIMITS,
  NAMES,
  type RunProgress,
  type RunRequest,
  type RunResult,
  type SettleEffect,
} from '../contract.ts';
import type { Decision, WaitingCall } from '../decisions.ts';
import { FAILURES, failureType, type EndCode } from '../failures.ts';
import type { AttemptRef } from '../steps.ts';
import { readWord, type Place } from '../turns.ts';
import { Bell } from './bell.ts';
import { awaitAborted, cancelLive, leaveUsable, type DriveContext } from './cancel-live.ts';
import { driveAttempts } from './drive-attempts.ts';
import { initialState, totalUsage, type DriveState } from './drive-state.ts';
import { packState, stateBytes, unpackState, type PackedState } from './pack-state.ts';
import { beginAgain, seedOf } from './retry-run.ts';
import { publishPhase, publishUnfinished } from './publish.ts';
import { buildResult, costOf, jsonBytes } from './run-result.ts';
import type { StepFailed } from './provider-steps.ts';
import { checkDecision, settlementOf } from './check-decision.ts';
import { decideCall } from './decide-call.ts';
import { takeTurn, type TurnBox } from './take-turn.ts';
import { emptyRoom, waitingCalls } from './waiting-room.ts';

export const resultQuery = defineQuery<RunResult>(NAMES.queries.result);
export const progressQuery = defineQuery<RunProgress>(NAMES.queries.progress);
/** For `drover sweep`: what may live at the provider of a run that was terminated. */
export const attemptQuery = defineQuery<{ backend: string | null; attempt: AttemptRef } | null>(
  NAMES.queries.attempt,
);
export const settleEffectUpdate = defineUpdate<void, [SettleEffect]>(NAMES.updates.settleEffect);
export const decideUpdate = defineUpdate<void, [Decision]>(NAMES.updates.decide);
/** For `RunClient.retry`: what another execution goes on with; null where the run has not ended. */
export const seedQuery = defineQuery<PackedState | { completed: true } | { too_large: true } | null>(
  NAMES.queries.seed,
);
export const turnSignal = defineSignal<[unknown]>(NAMES.signals.turn);
/** A step has made the run's thread, and is about to create an attempt on it. */
export const threadSignal = defineSignal<[unknown]>(NAMES.signals.thread);
/** A webhook has told of the attempt with this id, and Temporal's server cannot reset an activity. */
export const wakeSignal = defineSignal<[unknown]>(NAMES.signals.wake);
export const waitingQuery = defineQuery<readonly WaitingCall[]>(NAMES.queries.waiting);

function progress(context: DriveContext, turn: TurnBox, ended: boolean): RunProgress {
  const { state } = context;
  const waiting = waitingCalls(context.room);
  return {
    status: state.last_run?.status ?? 'queued',
    attempt: state.number,
    attempt_id: state.attempts.at(-1)?.id ?? null,
    thread_id: state.thread_id,
    round: state.rounds,
    waits_for_turn: turn.waits && !ended,
    pending_calls: state.calls
      .filter(({ status }) => status === 'pending')
      .map(({ id, name }) => ({ id, name })),
    unsettled_effects: waiting
      .filter(({ kind }) => kind === 'unknown_outcome')
      .map(({ key, name }) => ({ key, name })),
    waiting_calls: waiting.map(({ arguments: _arguments, ...shown }) => shown),
    usage: totalUsage(state),
    ...costOf(state),
    deadline_at: Math.floor(state.deadline_ms / 1000),
    ended,
  };
}

/** A service in another language may send anything: what is no object is refused by the first step, not by a crash. */
function asRequest(value: unknown): RunRequest {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject
    ? (value as RunRequest)
    : ({ assistant_id: '', invalid_request: value } as unknown as RunRequest);
}

function stateOf(request: RunRequest, carried: PackedState | null | undefined): DriveState {
  if (carried === undefined || carried === null) return initialState(request, Date.now());
  const state = unpackState(carried);
  return carried.retried === true ? beginAgain(state, request, Date.now()) : state;
}

/**
 * Drives one run to its end. Completes with the result of a completed run, fails with
 * `drover.<code>` and the result in its details for any other end (`on_unfinished: 'return'` makes it
 * return instead), and ends Canceled when it was cancelled: its result is then read by the query `result`.
 *
 * @param carried the state of the execution that this one goes on from
 * @param place what the service was told when it took the run's place on its thread
 */
export async function driveRun(
  input: RunRequest,
  carried?: PackedState | null,
  place?: Place,
): Promise<RunResult> {
  const request = asRequest(input);
  const info = workflowInfo();
  const begun = stateOf(request, carried);
  const context: DriveContext = {
    request,
    runId: info.workflowId,
    firstExecutionRunId: begun.origin_run_id ?? info.firstExecutionRunId,
    state: begun,
    room: emptyRoom(),
    bell: new Bell(),
    announcedThread: null,
    round: null,
  };
  const { state } = context;
  const turn: TurnBox = { word: null, waits: false };
  let final: RunResult | null = null;
  const result = (code: EndCode | null | undefined, failed: StepFailed | null = null): RunResult =>
    buildResult(request, state, {
      runId: context.runId,
      code,
      nowMs: Date.now(),
      detail: failed?.detail ?? null,
      issues: failed?.issues ?? [],
    });

  setHandler(turnSignal, (word) => {
    turn.word ??= readWord(word);
  });
  setHandler(threadSignal, (threadId) => {
    if (typeof threadId === 'string') context.announcedThread ??= threadId;
  });
  setHandler(wakeSignal, (attemptId) => context.bell.ring(attemptId));
  setHandler(resultQuery, () => final ?? result(undefined));
  setHandler(progressQuery, () => progress(context, turn, final !== null));
  setHandler(attemptQuery, () => (state.live ? { backend: state.backend, attempt: state.live.ref } : null));
  setHandler(seedQuery, () => {
    if (final === null) return null;
    if (final.code === null) return { completed: true };
    const seed = seedOf(state, context.firstExecutionRunId);
    // Where no codec makes more of it, the server may still take one that is larger.
    const packed = packState(seed, stateBytes(jsonBytes(request))) ?? packState(seed, LIMITS.resultBytes);
    return packed === null ? { too_large: true } : { ...packed, retried: true };
  });
  setHandler(waitingQuery, () => waitingCalls(context.room));
  setHandler(decideUpdate, (decision) => decideCall(context, decision), {
    validator: (decision) => void checkDecision(decision, context.room),
  });
  setHandler(settleEffectUpdate, (answer) => decideCall(context, settlementOf(answer, context.room)), {
    validator: (answer) => void checkDecision(settlementOf(answer, context.room), context.room),
  });

  const end = (code: EndCode | null, failed: StepFailed | null): RunResult => {
    final = result(code, failed);
    if (code !== null) publishUnfinished(context, final.run.status);
    publishPhase(context, code === null ? 'completed' : `ended: ${code}`);
    return final;
  };

  try {
    const isFirst = carried === undefined || carried === null || carried.retried === true;
    const busy = await takeTurn(context, turn, { place, isFirst });
    const { code, failed } = busy === null ? await driveAttempts(context) : { code: busy.code, failed: busy };
    const ended = end(code, failed);
    if (code === null || request.on_unfinished === 'return') return ended;
    throw ApplicationFailure.create({
      type: failureType(code),
      message: ended.message ?? FAILURES[code].message,
      nonRetryable: true,
      details: [ended],
      ...(FAILURES[code].benign ? { category: ApplicationFailureCategory.BENIGN } : {}),
    });
  } catch (error) {
    if (!isCancellation(error) || final !== null) throw error;
    await CancellationScope.nonCancellable(async () => {
      await Promise.all([cancelLive(context, 'cancelled'), awaitAborted(context)]);
      await leaveUsable(context);
      end('cancelled', null);
    });
    throw error;
  }
}
