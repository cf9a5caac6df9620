import { describe, expect, test } from 'vitest';
import { isHoldOver, nextLookMs, pushedLookMs } from '../../src/activities/poll-schedule.ts';

/** How often a wait of this length looks, with the usual jitter and without time spent in the look itself. */
function looks(waitMs: number): number {
  let count = 0;
  for (let at = 0; at < waitMs; at += nextLookMs(at, null, 0.5)) count += 1;
  return count;
}

describe('the time of the next look', () => {
  test('is late by no more than a tenth of the time waited and 0.3 s', () => {
    for (const waited of [0, 200, 2_000, 20_000, 200_000]) {
      expect(nextLookMs(waited, null, 0.5)).toBeLessThanOrEqual(300 + waited / 10);
    }
  });

  test('is asked for a little earlier where Temporal’s server hands it out', () => {
    expect(nextLookMs(19_999, null, 0)).toBe(2_320);
    expect(nextLookMs(20_000, null, 0)).toBe(2_220);
  });

  test('costs no more looks than 15 and half of the seconds waited', () => {
    for (const seconds of [1, 5, 10, 60, 120, 600])
      expect(looks(seconds * 1000)).toBeLessThanOrEqual(15 + seconds / 2);
  });

  test('from two minutes on costs no more than twice the looks of a poll at once and then every five seconds', () => {
    for (const seconds of [120, 180, 300, 600])
      expect(looks(seconds * 1000)).toBeLessThanOrEqual(2 * (1 + seconds / 5));
  });

  test('comes sooner than half a poll of five seconds, in the middle, for whatever models usually take', () => {
    for (const seconds of [1, 30, 60, 120, 180])
      expect(nextLookMs(seconds * 1000, null, 0.5) / 2).toBeLessThan(2_200);
  });

  test('is what the provider wishes, within a floor and a minute', () => {
    expect(nextLookMs(50_000, 700, 0)).toBe(700);
    expect(nextLookMs(0, 1, 0)).toBe(280);
    expect(nextLookMs(0, 10_000_000, 0)).toBe(60_000);
  });

  test('comes later where a worker has many waits, but for those that are young', () => {
    expect(nextLookMs(60_000, null, 0, 300)).toBe(3_900);
    expect(nextLookMs(60_000, null, 0.5, 2_000)).toBe(20_000);
    expect(nextLookMs(60_000, null, 0.5, 1_000_000)).toBe(30_000);
    expect(nextLookMs(5_000, null, 0, 2_000)).toBe(790);
    expect(nextLookMs(60_000, 2_000, 0, 2_000)).toBe(2_000);
  });

  test('is that of a wait alone where a worker has two hundred of them', () => {
    for (let waited = 0; waited < 60_000; waited += 500)
      for (const random of [0, 0.5, 1])
        expect(nextLookMs(waited, null, random, 200)).toBe(nextLookMs(waited, null, random));
    expect(nextLookMs(10_000, null, 1, 201)).toBeGreaterThan(nextLookMs(10_000, null, 1));
  });

  test('is spread to both sides where a worker has many waits', () => {
    expect(nextLookMs(60_000, null, 0, 2_000)).toBe(16_000);
    expect(nextLookMs(60_000, null, 1, 2_000)).toBe(24_000);
  });

  test('is spread by jitter, only to the earlier side', () => {
    expect(nextLookMs(10_000, null, 1)).toBeLessThan(nextLookMs(10_000, null, 0));
    expect(nextLookMs(10_000, null, 1)).toBeGreaterThan(1_000);
  });
});

describe('a hold', () => {
  test('goes on for 20 s, and until the server can keep its timer', () => {
    expect(isHoldOver(19_999, 2_000, 1)).toBe(false);
    expect(isHoldOver(20_000, 2_000, 1)).toBe(true);
    expect(isHoldOver(60_000, 700, 1)).toBe(false);
  });

  test('is cut short where a worker has many: as soon as the server can keep its timer, and then at once', () => {
    expect(isHoldOver(8_000, 1_100, 50)).toBe(false);
    expect(isHoldOver(8_000, 1_100, 51)).toBe(true);
    expect(isHoldOver(100, 280, 51)).toBe(false);
    expect(isHoldOver(100, 280, 201)).toBe(true);
  });
});

describe('where webhooks are expected', () => {
  test('looks after ten seconds, then a third of the time waited later, a minute at most', () => {
    expect(pushedLookMs(0, null, 0)).toBe(10_000);
    expect(pushedLookMs(100_000, null, 0)).toBe(33_000);
    expect(pushedLookMs(3_600_000, null, 0)).toBe(60_000);
    expect(pushedLookMs(0, null, 1)).toBe(9_800);
  });

  test('waits longer where the provider wishes it, and never shorter', () => {
    expect(pushedLookMs(0, 20_000, 0)).toBe(20_000);
    expect(pushedLookMs(0, 5, 0)).toBe(10_000);
    expect(pushedLookMs(0, 3_600_000, 0)).toBe(60_000);
  });
});
