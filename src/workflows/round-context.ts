/** What the calls of a round work with, and what becomes of one. */
import type { RunRequest } from '../contract.ts';
import type { DecisionRecord } from '../decisions.ts';
import type { DriveState } from './drive-state.ts';
import type { WaitingRoom } from './waiting-room.ts';

export interface RoundContext {
  readonly request: RunRequest;
  readonly runId: string;
  readonly firstExecutionRunId: string;
  readonly state: DriveState;
  /** Calls that wait on people. */
  readonly room: WaitingRoom;
}

/** The outcome of a call. */
export type Settled = {
  readonly status: 'completed' | 'failed' | 'unknown_outcome' | 'cancelled' | 'rejected';
  readonly output: string | null;
  /** The run ends for it. */
  readonly end?: 'effect_unknown' | 'undecided';
  readonly decision?: DecisionRecord;
};
