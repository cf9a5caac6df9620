/** So many runs under way all the time, and what comes of it once the load has lasted a while. */
import { setTimeout } from 'node:timers/promises';
import type { Driver, Job } from './drivers/driver.ts';

export interface Load {
  /** At once. */
  readonly inFlight: number;
  /** What the load lasts before it is measured, in milliseconds. */
  readonly rampMs: number;
  readonly measuredMs: number;
}

export interface Measured<T> {
  /** That ended while it was measured. */
  readonly runs: number;
  readonly seconds: number;
  /** What a look gave when measuring began, and when it ended. */
  readonly before: T;
  readonly after: T;
}

/**
 * Starts the next run whenever one ends. Once the time is over it waits for those under way.
 *
 * @param jobs enough for all of the time
 * @throws where the jobs were too few, or a run did not complete
 */
export async function underSteadyLoad<T>(
  driver: Pick<Driver, 'start' | 'ended'>,
  jobs: readonly Job[],
  { inFlight, rampMs, measuredMs }: Load,
  look: () => T,
): Promise<Measured<T>> {
  let ended = 0;
  let isOver = false;
  const left = jobs.values();
  const lane = async (): Promise<void> => {
    // One iterator for all lanes: each takes what comes next.
    for (const job of left) {
      if (isOver) return;
      await driver.start(job);
      await driver.ended(job);
      ended += 1;
    }
    if (!isOver) throw new Error(`${jobs.length} runs were too few: all of them have ended.`);
  };
  const measure = async (): Promise<Measured<T>> => {
    await setTimeout(rampMs);
    const [endedBefore, begunMs, before] = [ended, performance.now(), look()];
    await setTimeout(measuredMs);
    const seconds = (performance.now() - begunMs) / 1_000;
    isOver = true;
    return { runs: ended - endedBefore, seconds, before, after: look() };
  };
  const [measured] = await Promise.all([measure(), ...Array.from({ length: inFlight }, lane)]);
  return measured;
}
