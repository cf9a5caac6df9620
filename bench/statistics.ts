/**
 * Sums over samples: pure. They are NaN of none, and where one is not known: who can say where it stands among the others?
 */

/** As it was measured: what is not known is NaN then, and null once it went through a file of JSON. */
export type Sample = number | null;

export const known = (sample: Sample): number => sample ?? Number.NaN;

function inOrder(samples: readonly Sample[]): readonly number[] {
  const numbers = samples.map(known);
  return numbers.every(Number.isFinite) ? numbers.sort((a, b) => a - b) : [];
}

/** The smallest sample that at least a share `q` of all do not exceed. */
export function quantile(samples: readonly Sample[], q: number): number {
  const sorted = inOrder(samples);
  return sorted[Math.max(Math.ceil(q * sorted.length) - 1, 0)] ?? Number.NaN;
}

/** The middle, or the mean of the two in the middle. */
export function median(samples: readonly Sample[]): number {
  const sorted = inOrder(samples);
  const middle = sorted.length / 2;
  if (Number.isInteger(middle))
    return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
  return sorted[Math.floor(middle)] ?? Number.NaN;
}

export const least = (samples: readonly Sample[]): number => inOrder(samples)[0] ?? Number.NaN;
export const most = (samples: readonly Sample[]): number => inOrder(samples).at(-1) ?? Number.NaN;

/** 0 of none. */
export function total(samples: readonly Sample[]): number {
  return samples.reduce<number>((sum, one) => sum + known(one), 0);
}

export function mean(samples: readonly Sample[]): number {
  return total(samples) / samples.length;
}

/** To so many digits after the point, for reports. */
export function round(value: Sample, digits = 3): number {
  return Number(known(value).toFixed(digits));
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
