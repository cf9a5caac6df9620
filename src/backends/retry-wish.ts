/** How long a provider asks to wait: in its headers, or in its words. Pure. */
const TRY_AGAIN =
  /(?:try again|retry)(?: again)? (?:in|after) ((?:[\d.]+\s*(?:milliseconds?|ms|hours?|h|minutes?|min|m|seconds?|secs?|s)\s*)+)/i;

/** Nobody waits longer, and timers and durations hold no more. In milliseconds. */
const MOST_WAIT_MS = 2 ** 31 - 1;

/** How long the provider asked to wait, in milliseconds: `retry-after-ms`, then `Retry-After` as seconds or as a date. */
export function retryAfterMs(headers: Headers | undefined, now: number = Date.now()): number | null {
  const exact = numberOf(headers?.get('retry-after-ms'));
  if (exact !== null) return Math.min(exact, MOST_WAIT_MS);
  const given = headers?.get('retry-after');
  const seconds = numberOf(given);
  if (seconds !== null) return Math.min(seconds * 1_000, MOST_WAIT_MS);
  const date = given ? Date.parse(given) : Number.NaN;
  return Number.isNaN(date) ? null : Math.min(Math.max(0, date - now), MOST_WAIT_MS);
}

function numberOf(given: string | null | undefined): number | null {
  if (!given?.trim()) return null;
  const value = Number(given);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/** "Please try again in 1m2.5s" as milliseconds; null where the text says nothing of the kind. */
export function waitInText(text: string): number | null {
  const given = TRY_AGAIN.exec(text)?.[1];
  if (given === undefined) return null;
  let total = 0;
  for (const [, amount, unit = 's'] of given.matchAll(/([\d.]+)\s*(ms|milli|h|m|s)/gi)) {
    const factor = { ms: 1, milli: 1, h: 3_600_000, m: 60_000, s: 1_000 }[unit.toLowerCase()] ?? 1_000;
    total += Number(amount) * factor;
  }
  return Number.isFinite(total) ? Math.min(Math.ceil(total), MOST_WAIT_MS) : null;
}
