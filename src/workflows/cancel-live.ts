/** Sees to it that a run leaves nothing alive: no attempt at the provider, no call without an outcome. */
import { CancellationScope, patched, sleep } from '@temporalio/workflow';
import type { AttemptReason } from '../contract.ts';
import type { Bell } from './bell.ts';
import { attemptCost, attemptEnded, runSeen, stepAmbiguous, warn } from './drive-state.ts';
import { lostStatus } from './effect-ledger.ts';
import { cancelRun } from './provider-steps.ts';
import { publishPhase } from './publish.ts';
import type { RoundContext } from './round-context.ts';

/** How long a cancel is watched until the attempt is seen to have ended. */
const CANCEL_CONFIRM_MS = 60_000;
/** What tools get to obey an abort before their outcome counts as unknown. */
const ABORT_GRACE_MS = 10_000;

export interface DriveContext extends RoundContext {
  /** The round whose calls are in flight. */
  round: Promise<unknown> | null;
  readonly bell: Bell;
  /** The thread that a local step said it has made: its own word may be lost with its worker. */
  announcedThread: string | null;
}

/** What every step at the provider is told. */
export function stepInput(context: DriveContext) {
  return {
    run_id: context.runId,
    first_execution_run_id: context.firstExecutionRunId,
    number: context.state.number,
    overrides: context.state.overrides,
  };
}

/**
 * Sees to it that nothing lives at the provider: cancels the live attempt, or looks for the one whose
 * create was lost. True where no attempt lives any more.
 */
export async function cancelLive(context: DriveContext, reason: AttemptReason): Promise<boolean> {
  const { state } = context;
  const unfound = state.live === null && state.suspect;
  const thread_id = state.thread_id ?? context.announcedThread;
  if (state.live === null && !unfound) return true;
  publishPhase(context, 'cancelling');
  if (state.live?.suspect === true && !state.live.findable) stepAmbiguous(state);
  const { confirmed, run, cost } = await cancelRun({
    ...stepInput(context),
    backend: state.backend,
    attempt: state.live?.ref ?? null,
    find: unfound ? { thread_id, since_ms: state.since_ms ?? state.started_ms } : null,
    lost_outputs:
      state.live?.suspect === true ? state.live.outputs.map((output) => output.tool_call_id) : null,
    until_ms: Date.now() + CANCEL_CONFIRM_MS,
  });
  if (run && state.live) runSeen(state, run);
  attemptCost(state, cost);
  attemptEnded(state, reason, Date.now());
  state.suspect = false;
  if (!confirmed && unfound) stepAmbiguous(state);
  else if (!confirmed) {
    warn(
      state,
      'cancel_unconfirmed',
      `Attempt ${state.number} was asked to cancel, but was not seen to end: it may live at the provider.`,
    );
  }
  return confirmed;
}

/** Has the calls answered that an attempt which ended by itself left open in its thread. */
export async function leaveUsable(context: DriveContext): Promise<void> {
  const { state } = context;
  const { left } = state;
  if (left === undefined || !patched('thread-left-usable')) return;
  delete state.left;
  await cancelRun({
    ...stepInput(context),
    backend: state.backend,
    attempt: left,
    find: null,
    lost_outputs: null,
    until_ms: Date.now(),
    ended: true,
  });
}

/** On a cancel, tools that were aborted get a moment to say what became of their effects. */
export async function awaitAborted(context: DriveContext): Promise<void> {
  const { round, state } = context;
  if (round === null) return;
  await CancellationScope.nonCancellable(() => Promise.race([round, sleep(ABORT_GRACE_MS)]));
  for (const call of state.calls) {
    if (call.status !== 'pending') continue;
    const entry = state.ledger.entries.find(({ key }) => key === call.key);
    if (entry?.status === 'in_flight') entry.status = lostStatus(entry);
    call.status = entry?.once === true ? 'unknown_outcome' : 'cancelled';
  }
}
