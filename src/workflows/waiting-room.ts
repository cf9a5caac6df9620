/** Where calls of a round wait on people. While any waits, the run's clocks stand still. */
import { CancelledFailure } from '@temporalio/workflow';
import type { Decision, WaitingCall, WaitKind } from '../decisions.ts';
import type { DriveState } from './drive-state.ts';
import { until } from './quiet.ts';

export interface Waiting {
  readonly call: WaitingCall;
  /** See `ToolPolicy.guarded`. */
  readonly guarded: boolean;
  decision: Decision | null;
  /** A decision is being authorized. */
  deciding: boolean;
}

export interface WaitingRoom {
  /** By the key of the effect ledger. */
  readonly calls: Map<string, Waiting>;
  /** Since when somebody waits, in epoch milliseconds; null while nobody does. */
  since_ms: number | null;
  /** The search attribute's value. */
  shown: WaitKind | null;
  /** The run ends for one of the round's calls: nobody need decide on the others, and none of them begins. */
  closed: boolean;
}

export const emptyRoom = (): WaitingRoom => ({
  calls: new Map(),
  since_ms: null,
  shown: null,
  closed: false,
});

/** In the order in which they came. */
export const waitingCalls = (room: WaitingRoom): readonly WaitingCall[] =>
  [...room.calls.values()].map(({ call }) => call);

/** What people took counts neither against the run's deadline nor against its attempt's. */
export function resumeClocks(state: DriveState, waitedMs: number): void {
  state.paused_ms = (state.paused_ms ?? 0) + waitedMs;
  state.deadline_ms += waitedMs;
  if (state.live) state.live.paused_ms = (state.live.paused_ms ?? 0) + waitedMs;
}

/**
 * Waits for a decision; null where none came in time.
 *
 * @param changed is told when the room fills and when it is empty again.
 * @throws CancelledFailure when the run is cancelled, or the room is closed
 */
export async function waitForDecision(
  { room, state }: { readonly room: WaitingRoom; readonly state: DriveState },
  { call, guarded }: Pick<Waiting, 'call' | 'guarded'>,
  limitMs: number,
  changed: () => void,
): Promise<Decision | null> {
  const waiting: Waiting = { call, guarded, decision: null, deciding: false };
  room.calls.set(call.key, waiting);
  room.since_ms ??= Date.now();
  changed();
  try {
    await until(() => waiting.decision !== null || room.closed, limitMs);
    if (waiting.decision === null && room.closed)
      throw new CancelledFailure('The run ends for another call.');
    return waiting.decision;
  } finally {
    room.calls.delete(call.key);
    if (room.calls.size === 0) {
      resumeClocks(state, Date.now() - room.since_ms);
      room.since_ms = null;
    }
    changed();
  }
}
