/** Figures that were not measured: judged and shown as such, also from the file, where they are null. */
import { describe, expect, test } from 'vitest';
import type { Batch } from '../../bench/batches.ts';
import { drawTable, drawTargets } from '../../bench/print.ts';
import { atLeast, atMost, below, shown } from '../../bench/scenario.ts';
import type { Target } from '../../bench/scenario.ts';
import { inFlight } from '../../bench/scenarios/in-flight.ts';
import { lag } from '../../bench/scenarios/lag.ts';
import { recovery } from '../../bench/scenarios/recovery.ts';
import { throughput } from '../../bench/scenarios/throughput.ts';
import { least, mean, median, most, quantile, round, total } from '../../bench/statistics.ts';

const fromFile = <T>(figures: T): T => JSON.parse(JSON.stringify(figures)) as T;
const metOf = (targets: readonly Target[]): readonly string[] =>
  targets.filter(({ met }) => met).map(({ name }) => name);

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  '%d misses any target',
  (value) => {
    for (const one of [value, fromFile({ value }).value])
      expect(metOf([atMost('a', one, 3), below('b', one, 3), atLeast('c', one, 0)])).toEqual([]);
  },
);

test('sums over samples are unknown where one is, whichever way it is told', () => {
  for (const samples of [
    [4, null, 5],
    [4, Number.NaN, 5],
    [null, null],
  ]) {
    expect(median(samples)).toBeNaN();
    expect(quantile(samples, 0.5)).toBeNaN();
    expect(mean(samples)).toBeNaN();
    expect(total(samples)).toBeNaN();
    expect(least(samples)).toBeNaN();
    expect(most(samples)).toBeNaN();
  }
  expect([most([]), least([]), round(null)]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect([most([2, 10, 9]), least([2, 10, 9]), total([2, 10, 9])]).toEqual([10, 2, 21]);
});

test('is shown by a dash, on the page and in a terminal', () => {
  expect([null, Number.NaN, -Infinity, 0, 'x'].map(shown)).toEqual(['–', '–', '–', '0', 'x']);
  const row = { title: '', note: '', head: ['a'], rows: [[Number.NaN]] };
  const missed = { name: 'a', target: '≤ 1', value: Number.NEGATIVE_INFINITY, met: false };
  for (const drawn of [drawTable(row), drawTargets([missed])]) {
    expect(drawn).toContain('–');
    expect(drawn).not.toMatch(/NaN|Infinity/);
  }
});

describe.each([
  ['as it was measured', <T>(figures: T): T => figures],
  ['from the file', fromFile],
])('%s', (_how, read) => {
  test('a process of which nothing was known has no memory that is below a limit', () => {
    const row = {
      runs: 10,
      together_s: 5,
      starting_s: 1,
      create_p99_s: Number.NaN,
      waiting: 10,
      resident_mb: { before: Number.NaN, most: Number.NaN },
      cpu_share: { worker: Number.NaN, server: Number.NaN, provider: Number.NaN },
      slots: { mean: Number.NaN, most: Number.NEGATIVE_INFINITY },
      missed_heartbeats: Number.NaN,
      lag_p99_s: Number.NaN,
    };
    expect(metOf(inFlight.judge(read({ rows: [row] })))).toEqual([
      expect.stringContaining('did not wait at the same time'),
    ]);
  });

  test('a batch whose processor time was not known costs no 0 ms', () => {
    const cpu_ms = { worker: Number.NaN, server: Number.NaN, provider: Number.NaN, client: Number.NaN };
    const batch: Batch = {
      driver: 'drover',
      place: 'responses',
      rounds: 1,
      cycle: 1,
      runs: 10,
      seconds: 5,
      cpu_ms,
    };
    const figures = read({ in_flight: 10, batches: [batch, batch] });
    const [table] = throughput.tables(figures);
    const cells = new Map(table?.head.map((name, index) => [name, shown(table.rows[0]?.[index] ?? null)]));
    expect(cells.get('runs a second')).toBe('2');
    const unknown = ['in its cycles', 'worker ms', 'server ms', 'provider ms', 'client ms', 'all ms'];
    expect(unknown.map((name) => cells.get(name))).toEqual(unknown.map(() => '–'));
    expect(metOf(throughput.judge(figures))).toEqual([]);
  });

  test('no run at all has no lag, and none that is not known is short', () => {
    expect(metOf(lag.judge(read({ rows: [] })))).toEqual([]);
    const rows = ['drover', 'createAndPoll'].map((driver) => {
      return { driver, about_s: 120, samples: [{ waited_s: 100, lag_s: Number.NaN, gets: Number.NaN }] };
    });
    expect(metOf(lag.judge(read({ rows })))).toEqual([]);
  });

  test('no kill is no recovery', () => {
    const row = { wire: 'responses', window: 'tool' } as const;
    for (const seconds of [[], [1, Number.NaN]])
      expect(metOf(recovery.judge(read({ restart_s: [], rows: [{ ...row, seconds }] })))).toEqual([]);
  });
});
