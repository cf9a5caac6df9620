/** Heartbeats of one activity: a steady beat for liveness, and marks that are known to be recorded. */
import { Context } from '@temporalio/activity';
import {
  ActivityCancelledError,
  ActivityNotFoundError,
  ActivityPausedError,
  ActivityResetError,
} from '@temporalio/client';
import { confirmHeartbeat } from './confirm-heartbeat.ts';

/** Between two beats of what acts. */
export const BEAT_MS = 1_000;
const CONFIRM_MS = 5_000;
const NOT_OURS = [ActivityNotFoundError, ActivityCancelledError, ActivityPausedError, ActivityResetError];

export interface Beat<D> extends Disposable {
  /** What the steady beat carries from now on. */
  details: D;
  /**
   * Records the details and waits until the server has them. False where the server says that this
   * activity is no longer ours: it timed out, was reset or cancelled, or its workflow is closed.
   */
  record(details: D): Promise<boolean>;
}

/** Beats at an interval, with the details as they are then, until disposed: what ends sooner costs no beat. */
export function startBeat<D>(details: D, intervalMs = BEAT_MS): Beat<D> {
  const context = Context.current();
  const beat = {
    details,
    async record(marked: D): Promise<boolean> {
      beat.details = marked;
      try {
        await confirmHeartbeat(context, marked, CONFIRM_MS);
        return true;
      } catch (error) {
        if (NOT_OURS.some((kind) => error instanceof kind)) return false;
        throw error;
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
  const tick = (): void => context.heartbeat(beat.details);
  if (context.info.isLocal)
    return { ...beat, record: () => Promise.resolve(true), [Symbol.dispose]: () => undefined };
  const timer = setInterval(tick, intervalMs);
  return beat;
}
