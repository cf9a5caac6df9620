/**
 * Whether this try of an activity is the one that the server knows of. A reset wipes the attempt's number (measured on
 * server 1.32): the word of a worker that was stopped and wakes up is then taken for that of the try which has come in
 * the place of its own.
 */
import { CompleteAsyncError } from '@temporalio/activity';
import type { Context, Info } from '@temporalio/activity';
import { isUntouchedFirstTry } from './first-try.ts';
import { readPending } from './pending-activity.ts';

/** A try that is older than this may have been given up: its heartbeat timeout is 5 seconds. */
const YOUNG_MS = 2_500;

/** What the server says of an activity that has not ended. */
export interface PendingTry {
  readonly attempt: number;
  readonly identity: string;
}

/** Nothing can have come in the place of a try that is the first, untouched and young. Pure. */
export function mayBeStale(info: Info, nowMs: number): boolean {
  return !isUntouchedFirstTry(info) || nowMs - info.currentAttemptScheduledTimestampMs > YOUNG_MS;
}

/** Workers that share one identity cannot be told apart. Pure. */
export function isOurs(pending: PendingTry | null, ours: PendingTry): boolean {
  return pending !== null && pending.attempt === ours.attempt && pending.identity === ours.identity;
}

/**
 * @throws CompleteAsyncError where it is another worker's by now: whatever this one said would be taken for the other's word.
 *   Temporal's errors where it cannot be asked
 */
export async function confirmCurrent(context: Context): Promise<void> {
  const { client, info } = context;
  if (info.isLocal || !mayBeStale(info, Date.now())) return;
  const held = await readPending(context);
  const pending =
    held === undefined ? null : { attempt: held.attempt ?? 0, identity: held.lastWorkerIdentity ?? '' };
  const ours = { attempt: info.attempt, identity: client.options.identity };
  if (!isOurs(pending, ours)) throw new CompleteAsyncError();
}
