/**
 * The fence around `once` tools: a handler starts only in the first try of its activity, and only after
 * the server has written down that it starts (design, section 5).
 *
 * `maximumAttempts: 1` is not enough. A worker that was stopped past its heartbeat timeout acts when it
 * resumes, and pause and unpause start an activity again (measured on server 1.32).
 */
import type { Context } from '@temporalio/activity';
import { isStartedMark, type StartedMark } from '../steps.ts';
import { confirmHeartbeat } from './confirm-heartbeat.ts';
import { isUntouchedFirstTry } from './first-try.ts';
import { readPending } from './pending-activity.ts';
import { notStarted, unknownOutcome } from './tool-failure.ts';

export function startedMark(key: string, details?: unknown): StartedMark {
  return { drover_started: key, ...(details === undefined ? {} : { details }) };
}

/** How long the server may take to write the mark down. Milliseconds. */
const MARK_MS = 5_000;

/** True where the server says that no earlier try of this activity has ended, so none was ever started. */
async function isFirstTry(context: Context): Promise<boolean> {
  if (context.info.attempt > 1) return false;
  const pending = await readPending(context);
  return pending !== undefined && !pending.lastAttemptCompleteTime && !pending.lastFailure;
}

/**
 * Refuses every try but a clean first one. Call it before anything else that can fail.
 *
 * @throws `drover.tool_failed` with an unknown effect where an earlier try may have acted,
 *   `drover.not_started` where none can have.
 */
export async function refuseSecondStart(context: Context): Promise<void> {
  const { info } = context;
  const { activityType: tool } = info;
  if (isStartedMark(info.heartbeatDetails)) throw unknownOutcome(tool, 'an earlier try had started.');
  if (isUntouchedFirstTry(info)) return;
  // Without a mark it was paused in the queue, or the mark was wiped. Only the server can tell.
  const first = await isFirstTry(context).catch(() => false);
  if (first) throw notStarted(tool, 'its activity was paused or reset while it waited for a worker.');
  throw unknownOutcome(tool, 'its activity was started again by hand.');
}

/**
 * Has the server write down that the handler starts, and waits for its word.
 *
 * @throws `drover.not_started` where the server did not take it, or took so long that it has given the
 *   activity up: nothing was done.
 */
export async function recordStart(context: Context, key: string): Promise<void> {
  const { info, cancellationSignal } = context;
  const { activityType: tool } = info;
  const patience = Math.min(MARK_MS, info.heartbeatTimeoutMs ?? MARK_MS);
  const sent = performance.now();
  try {
    await confirmHeartbeat(context, startedMark(key), patience);
  } catch {
    throw notStarted(tool, 'Temporal did not confirm its start.');
  }
  // A worker that was stopped meanwhile, and woke up: the server may have given it up already.
  if (performance.now() - sent > patience) throw notStarted(tool, 'its worker was too slow to start it.');
  if (cancellationSignal.aborted) throw notStarted(tool, 'it was cancelled before it began.');
}
