/** Waiting until something at the provider is over that nothing can be done about. */
import { Context } from '@temporalio/activity';
import { isBackendError } from '../backends/backend.ts';
import type { Backend, LostLook, LostStep, ResolvedRun } from '../backends/backend.ts';

/** Clocks of worker and provider may differ by this much: a lost step is looked for from so much earlier. */
export const CLOCK_SKEW_MS = 120_000;

const FIRST_LOOK_MS = 200;
const LAST_LOOK_MS = 3_000;

/** However late the provider could be asked at last, what it was asked for gets so long to happen. */
const LEAST_WATCH_MS = 15_000;

/** Looks ever more seldom until it is over, or the time in epoch milliseconds is. */
export async function lookUntil<T>(
  untilMs: number,
  look: () => Promise<T>,
  isOver: (seen: T) => boolean,
): Promise<{ readonly seen: T; readonly over: boolean }> {
  let limitMs = 0;
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 1.5, LAST_LOOK_MS)) {
    const seen = await look();
    if (isOver(seen)) return { seen, over: true };
    if (limitMs === 0) limitMs = Math.max(untilMs, Date.now() + LEAST_WATCH_MS);
    if (Date.now() + lookMs >= limitMs) return { seen, over: false };
    await Context.current().sleep(lookMs);
  }
}

/**
 * Whether a step that nothing finds is seen to have come to its end. False where its thread cannot tell, or did not
 * until the time was over: then it works, or was never made.
 */
export async function isLostStepOver(
  backend: Backend,
  run: ResolvedRun,
  lost: LostStep,
  untilMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const look = backend.lookForLostStep?.bind(backend);
  if (look === undefined) return false;
  let first: LostLook | null = null;
  const isOver = (seen: LostLook): boolean => {
    first ??= seen;
    return seen.answer === 'its' || (seen.answer === 'somebodys' && seen.newest !== first.newest);
  };
  try {
    const { over } = await lookUntil(untilMs, () => look(run, lost, signal), isOver);
    return over;
  } catch (error) {
    if (isBackendError(error) && error.kind === 'unknown_thread') return true;
    throw error;
  }
}
