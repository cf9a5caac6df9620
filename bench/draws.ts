/** Thinking times to measure lags with: drawn, and begun so that they overlap. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from './statistics.ts';

export interface Draw {
  /** About how long it thinks, in seconds. */
  readonly about_s: number;
  readonly think_ms: number;
  /** After the beginning of the scenario. */
  readonly start_ms: number;
}

export interface Wanted {
  readonly seed: number;
  /** In seconds. */
  readonly times: readonly number[];
  /** Of each time. */
  readonly samples: number;
  /** Beyond the longest thinking time, over which starts are spread. @default 5000 */
  readonly spareMs?: number;
}

/** From half to one and a half of each time. */
export function drawTimes({ seed, times, samples, spareMs = 5_000 }: Wanted): readonly Draw[] {
  const longestMs = Math.max(...times) * 1_500;
  const random = seededRandom(seed);
  return times.flatMap((about_s) =>
    Array.from({ length: samples }, () => {
      const think_ms = Math.round(about_s * 1_000 * (0.5 + random()));
      return { about_s, think_ms, start_ms: Math.round(random() * (longestMs - think_ms + spareMs)) };
    }),
  );
}

/** When the last of them ends, if each is begun in time. */
export const endOfMs = (draws: readonly Draw[]): number =>
  Math.max(...draws.map(({ start_ms, think_ms }) => start_ms + think_ms));

/**
 * Begins each at its time, and waits until the last one is to end. Results are asked for only then: who waits for
 * hundreds of them loads the server.
 */
export async function playDraws<Planned extends { readonly draw: Draw }>(
  plans: readonly Planned[],
  start: (one: Planned) => Promise<void>,
): Promise<void> {
  const begun = Date.now();
  await Promise.all(
    plans.map(async (one) => {
      await sleep(Math.max(begun + one.draw.start_ms - Date.now(), 0));
      await start(one);
    }),
  );
  await sleep(Math.max(begun + endOfMs(plans.map((one) => one.draw)) - Date.now(), 0));
}
