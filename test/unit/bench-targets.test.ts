/** How the bench judges its figures. */
import { describe, expect, test } from 'vitest';
import { atLeast, atMost, below } from '../../bench/scenario.ts';
import { lag } from '../../bench/scenarios/lag.ts';
import type { LagSample } from '../../bench/scenarios/lag.ts';

test('a limit itself is allowed where the target says so, and no figure is no success', () => {
  expect([atMost('a', 3, 3).met, atMost('a', 4, 3).met, atMost('a', Number.NaN, 3).met]).toEqual([
    true,
    false,
    false,
  ]);
  expect([atLeast('a', 3, 3).met, atLeast('a', 2, 3).met, atLeast('a', Number.NaN, 3).met]).toEqual([
    true,
    false,
    false,
  ]);
  expect([below('a', 2, 3).met, below('a', 3, 3).met]).toEqual([true, false]);
});

describe('lag', () => {
  const samples = (waited_s: number, lag_s: number, gets: number): readonly LagSample[] => [
    { waited_s, lag_s, gets },
  ];
  const missed = (drover: readonly LagSample[], other: readonly LagSample[]): readonly string[] =>
    lag
      .judge({
        rows: [
          { driver: 'drover', about_s: 120, samples: drover },
          { driver: 'createAndPoll', about_s: 120, samples: other },
        ],
      })
      .filter(({ met }) => !met)
      .map(({ name }) => name);
  const floor = samples(100, 13, 20);

  test('is met where all is', () => {
    expect(missed(samples(100, 10.3, 40), floor)).toEqual([]);
  });

  test.each([
    [samples(100, 10.4, 40), [expect.stringContaining('p99')]],
    [samples(100, 13, 40), [expect.stringContaining('p99'), expect.stringContaining('median')]],
    [samples(100, 1, 41), [expect.stringContaining('of 100 s and more')]],
    [
      samples(100, 1, 66),
      [expect.stringContaining('half of its seconds'), expect.stringContaining('of 100 s and more')],
    ],
  ])('is missed by %j', (drover, names) => {
    expect(missed(drover, floor)).toEqual(names);
  });
});
