/** When to look again: pure. */

/** A share of the time waited, so that the lag is a share of it too, whatever the run takes. */
const SHARE = 0.1;
const FLOOR_MS = 270;
/** From here on the interval stands still: the median lag stays under that of a poll every five seconds. */
const STEADY_MS = 4_500;
/** A wait that is long past what models usually take is looked at less often again. */
const LATE_SHARE = 0.023;
const CAP_MS = 30_000;
/** Looks are spread over the last part of their interval, so that runs started together drift apart. */
const JITTER = 0.05;

/**
 * Milliseconds until the next look. The provider's own wish wins, in both directions, but not past the cap of
 * a minute nor below the floor.
 *
 * @param waitedMs since this wait began
 * @param random from 0 to 1
 */
export function nextLookMs(waitedMs: number, wishMs: number | null, random: number): number {
  if (wishMs !== null && wishMs > 0) return Math.min(Math.max(wishMs, FLOOR_MS), 60_000);
  const waited = Math.max(waitedMs, 0);
  const steady = Math.min(FLOOR_MS + SHARE * waited, STEADY_MS);
  const interval = Math.min(Math.max(steady, LATE_SHARE * waited), CAP_MS);
  return Math.round(interval * (1 - JITTER * random));
}
