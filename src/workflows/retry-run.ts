/** What a new execution takes over from a run that ended badly, and how it begins with it. Pure. */
import type { RunRequest } from '../contract.ts';
import { firstDeadlineSeconds, type DriveState } from './drive-state.ts';
import { lostStatus, type LedgerEntry } from './effect-ledger.ts';

/** Whatever was in flight when the run ended has an outcome by now, or none that anybody knows. */
const settled = (entry: LedgerEntry): LedgerEntry =>
  entry.status === 'in_flight' ? { ...entry, status: lostStatus(entry) } : entry;

/**
 * The state of an ended run as the seed of another try: what was done, said and paid for stays; the attempt, its limits
 * and what nobody decided in time are forgotten.
 */
export function seedOf(state: DriveState, firstExecutionRunId: string): DriveState {
  return {
    ...state,
    origin_run_id: state.origin_run_id ?? firstExecutionRunId,
    number: state.number + 1,
    number_base: state.number,
    since_ms: null,
    suspect: false,
    overrides: {},
    live: null,
    previous: null,
    last_run: null,
    last_output: null,
    rounds: 0,
    calls: state.calls.map((call) => (call.status === 'pending' ? { ...call, status: 'cancelled' } : call)),
    ledger: { entries: state.ledger.entries.map(settled), seen: {} },
    decisions: (state.decisions ?? []).filter(({ outcome }) => outcome !== 'timed_out'),
    paused_ms: 0,
    updates: 0,
  };
}

/** Begins with a seed: the clocks start anew, and the request says what its limits are. */
export function beginAgain(seed: DriveState, request: RunRequest, nowMs: number): DriveState {
  const limits = request.limits ?? {};
  return {
    ...seed,
    started_ms: nowMs,
    deadline_ms: nowMs + firstDeadlineSeconds(limits) * 1000,
    limits,
    retry: request.retry ?? {},
  };
}
