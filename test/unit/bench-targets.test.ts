/** How the bench judges its figures. */
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../bench/batches.ts';
import type { LagSample } from '../../bench/lag-samples.ts';
import { atLeast, atMost, below } from '../../bench/scenario.ts';
import { lag } from '../../bench/scenarios/lag.ts';
import { throughput } from '../../bench/scenarios/throughput.ts';
import { webhooks } from '../../bench/scenarios/webhooks.ts';
import type { Told } from '../../bench/telling.ts';

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

describe('webhooks', () => {
  const row = (told: Told, about_s: number, lag_s: number, gets: number, events = 13) => ({
    told,
    about_s,
    samples: [{ waited_s: about_s, lag_s, gets, events }],
  });
  const judged = (...rows: readonly ReturnType<typeof row>[]): readonly (readonly [string, boolean])[] =>
    webhooks.judge({ rows }).map(({ name, met }) => [name.replace(/ with .* about/, ' at'), met]);

  test('have to save looks from 5 s on and lag from 60 s on, and are asked for nothing before', () => {
    expect(judged(row('looks', 1, 0.2, 5), row('reset', 1, 1, 5))).toEqual([]);
    expect(judged(row('looks', 5, 0.4, 12), row('reset', 5, 1, 3))).toEqual([
      ['GETs of a run at 5 s, against those without', true],
    ]);
    expect(judged(row('looks', 60, 2, 36), row('reset', 60, 1, 8)).map(([, met]) => met)).toEqual([
      true,
      true,
    ]);
  });

  test.each(['signal', 'reset, prompt server'] as const)('are at once, whatever it thought: %s', (told) => {
    expect(judged(row('looks', 1, 0.2, 5), row(told, 1, 0.3, 5))).toEqual([['median lag at 1 s', true]]);
    expect(judged(row('looks', 1, 0.5, 5), row(told, 1, 0.31, 5))).toEqual([['median lag at 1 s', false]]);
  });

  test('miss what is not below, and what was not measured without them', () => {
    const missed = [
      ['median lag at 60 s, against that without', false],
      ['GETs of a run at 60 s, against those without', false],
    ];
    expect(judged(row('looks', 60, 1, 8), row('reset', 60, 1, 8))).toEqual(missed);
    expect(judged(row('reset', 60, 1, 8))).toEqual(missed);
  });

  test('stand beside the same times without', () => {
    const [table] = webhooks.tables({ rows: [row('looks', 5, 0.4, 12), row('signal', 5, 0.1, 3, 25)] });
    expect(table?.rows).toEqual([
      ['looks', 5, 1, 0.4, 0.4, 0.4, 0.4, 12, 12, 13],
      ['signal', 5, 1, 0.1, 0.1, 0.1, 0.1, 3, 3, 25],
    ]);
    expect(table?.head).toHaveLength(10);
  });
});

describe('throughput', () => {
  const cpu_ms = { worker: 1, server: 1, provider: 1, client: 1 };
  type Who = Pick<Batch, 'driver' | 'place' | 'rounds'>;
  const noop = { driver: 'noop', place: null, rounds: null } as const;
  const at = (driver: 'drover' | 'textbook', place: Batch['place'], rounds = 1): Who => ({
    driver,
    place,
    rounds,
  });
  const batch = (who: Who, cycle: number, seconds: number): Batch => ({
    ...who,
    cycle,
    runs: 100,
    seconds,
    cpu_ms,
  });
  /** Each with the floor's before and after it; the machine is so many times slower in each cycle. */
  const cycles = (slower: readonly number[], took: readonly (readonly [Who, number])[]): readonly Batch[] =>
    slower.flatMap((times, index) => [
      batch(noop, index + 1, times),
      ...took.flatMap(([who, seconds]) => [
        batch(who, index + 1, seconds * times),
        batch(noop, index + 1, times),
      ]),
    ]);
  const judge = (batches: readonly Batch[]) =>
    throughput.judge({ in_flight: 10, batches }).map(({ value, met }) => [value, met]);

  test('compares batches that were driven at about the same time, so that a busy machine decides nothing', () => {
    const batches = cycles(
      [1, 10, 3],
      [
        [at('drover', 'responses'), 2],
        [at('textbook', 'responses'), 4],
        [at('drover', 'assistants, given thread'), 4],
        [at('textbook', 'assistants, given thread'), 4],
        // Other rounds are not what the targets are about.
        [at('drover', 'responses', 9), 1_000],
      ],
    );
    expect(judge(batches)).toEqual([
      [0.5, true],
      [2, true],
      [0.25, false],
      [1, false],
      [Number.NaN, false],
      [Number.NaN, false],
    ]);
  });

  test('compares with the poll loop by the floor around each of the two', () => {
    const place = 'responses';
    // Between the two the machine became half as fast.
    const batches = [
      batch(noop, 1, 1),
      batch(at('drover', place), 1, 2),
      batch(noop, 1, 1),
      batch(noop, 1, 2),
      batch(at('textbook', place), 1, 6),
      batch(noop, 1, 2),
    ];
    expect(judge(batches).slice(0, 2)).toEqual([
      [0.5, true],
      [1.5, true],
    ]);
  });

  test('takes the mean of the floor around a batch, and the median of the cycles', () => {
    const [before, after] = [batch(noop, 1, 1), batch(noop, 1, 0.5)];
    expect(judge([before, batch(at('drover', 'responses'), 1, 2), after])[0]).toEqual([0.33, false]);
    const three = [2, 4, 1].flatMap((seconds, index) =>
      cycles([1], [[at('drover', 'responses'), seconds]]).map((one) => ({ ...one, cycle: index + 1 })),
    );
    expect(judge(three)[0]).toEqual([0.5, true]);
    expect(judge([batch(at('drover', 'responses'), 1, 2)])[0]).toEqual([Number.NaN, false]);
  });
});
