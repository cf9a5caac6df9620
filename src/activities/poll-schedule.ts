/** When to look again: pure. */

/** A share of the time waited, so that the lag is a share of it too, whatever the run takes. */
const SHARE = 0.102;
const FLOOR_MS = 280;
/** From here on the interval stands still: the median lag stays under that of a poll every five seconds. */
const STEADY_MS = 3_900;
/** A wait that is long past what models usually take is looked at less often again. */
const LATE_SHARE = 0.024;
const CAP_MS = 30_000;
/** Looks are spread over the last part of their interval, so that runs started together drift apart. */
const JITTER = 0.02;
/** A look of a wait that has given its slot back is a retry at Temporal's server: a worker asks for so many at most. */
const LOOKS_A_SECOND = 100;
/** So few ask for less than that all by themselves: the young ones, which look most often, every 2.5 seconds in the mean. */
const FEW_WAITS = 200;
/** Of that spacing, upwards and downwards: looks that the server has handed out late, and together, come apart again. */
const CROWD_JITTER = 0.2;
/** How long a wait keeps its slot and looks by itself; from then on Temporal's server keeps the timer. */
const HOLD_MS = 20_000;
/** What Temporal's server takes, at most, to hand out a look whose time has come: it is asked for so much earlier. */
const HANDED_OUT_MS = 100;
/** The shortest timer that Temporal's server keeps to the moment. */
const SERVER_TIMER_MS = 1_000;

/**
 * Milliseconds until the next look. The provider's own wish wins, in both directions, but not past the cap of
 * a minute nor below the floor.
 *
 * @param waitedMs since this wait began
 * @param random from 0 to 1
 * @param waits of this worker
 */
export function nextLookMs(waitedMs: number, wishMs: number | null, random: number, waits = 0): number {
  if (wishMs !== null && wishMs > 0) return Math.min(Math.max(wishMs, FLOOR_MS), 60_000);
  const waited = Math.max(waitedMs, 0);
  const floor = waited < HOLD_MS ? FLOOR_MS : FLOOR_MS - HANDED_OUT_MS;
  const steady = Math.min(floor + SHARE * waited, STEADY_MS);
  const interval = Math.min(Math.max(steady, LATE_SHARE * waited), CAP_MS);
  const own = interval * (1 - JITTER * random);
  const spaced = ((waits * 1_000) / LOOKS_A_SECOND) * (1 + CROWD_JITTER * (2 * random - 1));
  const crowded = waits > FEW_WAITS ? Math.min(spaced, CAP_MS) : 0;
  // A young wait looks from its slot, which costs Temporal's server nothing.
  return Math.round(own < SERVER_TIMER_MS ? own : Math.max(own, crowded));
}

/** Where the provider tells by itself, a look only makes up for what it did not tell. */
const PUSHED_FLOOR_MS = 10_000;
const PUSHED_SHARE = 0.33;
const PUSHED_CAP_MS = 60_000;

/**
 * The same where webhooks are expected: 10 seconds at first, then a third of the time waited, up to a minute. Such a
 * wait gives its slot back after each look: only a pause that Temporal's server keeps can be ended from outside.
 *
 * @param random from 0 to 1
 */
export function pushedLookMs(waitedMs: number, wishMs: number | null, random: number): number {
  const own = Math.min(Math.max(PUSHED_FLOOR_MS, PUSHED_SHARE * waitedMs), PUSHED_CAP_MS);
  return Math.round(Math.max(own * (1 - JITTER * random), Math.min(wishMs ?? 0, PUSHED_CAP_MS)));
}

/** A hold beats. Where a worker has more than so many, each one ends as soon as the server can keep its timer. */
const FEW_HOLDS = 50;
/** Past so many, each one ends at once. */
const MANY_HOLDS = 200;

/** True where no wait of a worker may keep its slot, as so many do. */
export const isCrowded = (holds: number): boolean => holds > MANY_HOLDS;

/**
 * True where a wait gives its slot back and leaves the next look to Temporal's server.
 *
 * @param waitedMs since this wait began
 * @param nextMs until the next look
 * @param holds waits that keep a slot of this worker, this one included
 */
export function isHoldOver(waitedMs: number, nextMs: number, holds: number): boolean {
  if (isCrowded(holds)) return true;
  return nextMs >= SERVER_TIMER_MS && (waitedMs >= HOLD_MS || holds > FEW_HOLDS);
}
