import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { underSteadyLoad } from '../../bench/steady-load.ts';
import type { Job } from '../../bench/drivers/driver.ts';

const jobs = (count: number): readonly Job[] =>
  Array.from({ length: count }, (_, index) => ({ id: `bench-${index}`, wire: 'responses' }));

/** Ends a run whenever it is told to, the oldest one first. */
function heldDriver() {
  const under: (() => void)[] = [];
  let most = 0;
  let started = 0;
  return {
    start: () => {
      started += 1;
      return Promise.resolve();
    },
    ended: async () => {
      const end = Promise.withResolvers<void>();
      under.push(end.resolve);
      most = Math.max(most, under.length);
      await end.promise;
    },
    end: async (count: number) => {
      for (const resolve of under.splice(0, count)) resolve();
      await setTimeout(1);
    },
    get most() {
      return most;
    },
    get started() {
      return started;
    },
  };
}

describe('underSteadyLoad', () => {
  test('counts what ended between its two looks, and waits for what is under way', async () => {
    const driver = heldDriver();
    const looks = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let looked = 0;
    const load = { inFlight: 4, rampMs: 100, measuredMs: 1_000 };
    const work = underSteadyLoad(driver, jobs(100), load, () => {
      looks[looked]?.resolve();
      looked += 1;
      return looked;
    });
    await setTimeout(1);
    await driver.end(3);
    await looks[0]?.promise;
    await driver.end(4);
    await driver.end(2);
    await looks[1]?.promise;
    expect(driver.started).toBe(4 + 9);
    await driver.end(4);
    expect(await work).toMatchObject({ runs: 6, before: 1, after: 2 });
    expect(driver.started).toBe(13);
    expect(driver.most).toBe(4);
  });

  test('rejects where the jobs were too few, as fewer runs than asked for would be under way', async () => {
    const driver = { start: () => Promise.resolve(), ended: () => setTimeout(1) };
    await expect(
      underSteadyLoad(driver, jobs(3), { inFlight: 2, rampMs: 50, measuredMs: 50 }, () => null),
    ).rejects.toThrow('3 runs were too few');
  });
});
