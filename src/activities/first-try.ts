/** Whether an activity is in its first try, and nobody has touched it since it was scheduled. */
import type { Info } from '@temporalio/activity';

/**
 * Unpause and reset schedule an activity anew. Reset can wipe the attempt number and the heartbeat's details as well,
 * and with them all that an earlier try has left (measured on server 1.32).
 */
export const isUntouchedFirstTry = (info: Info): boolean =>
  info.attempt === 1 && info.currentAttemptScheduledTimestampMs === info.scheduledTimestampMs;
