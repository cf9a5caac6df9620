/** What pages say of costs and times, against the figures of the bench that are kept. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../bench/report.ts';
import type { Cell } from '../../bench/scenario.ts';
import { SCENARIOS } from '../../bench/scenarios/index.ts';

const read = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
const { figures } = JSON.parse(read('figures/bench.json')) as Report;

/** The rows of a scenario's first table, each by its heads. */
function rowsOf(name: string): readonly ReadonlyMap<string, Cell>[] {
  const [table] = SCENARIOS.find((scenario) => scenario.name === name)?.tables(figures[name]) ?? [];
  return (table?.rows ?? []).map(
    (row) => new Map(table?.head.map((head, index) => [head, row[index] ?? null])),
  );
}

/** The numbers that a sentence gives, by the parentheses of a pattern. */
const numbersIn = (text: string, pattern: RegExp): readonly number[] =>
  (pattern.exec(text.replaceAll(/\s+/g, ' ')) ?? []).slice(1).map(Number);

describe('a turn', () => {
  const costOf = (place: string): number => {
    const rows = rowsOf('throughput').filter((row) => row.get('driver') === 'drover');
    return Number(rows.find((row) => row.get('place') === place)?.get('all ms'));
  };
  const [inTurn, without] = [
    costOf('assistants, given thread, in turn'),
    costOf('assistants, given thread'),
  ] as const;

  test('costs what docs/threads.md says', () => {
    expect(read('threads.md')).toContain('two to three times the processor time');
    expect(inTurn / without).toBeGreaterThan(2);
    expect(inTurn / without).toBeLessThan(3);
  });

  test('costs what decision 020 says', () => {
    const text = read('decisions/020-turns-on-a-thread-are-given-by-a-workflow.md');
    const said = numbersIn(text, /about (\d+) ms of processor time.* where one .* takes (\d+) \(/);
    expect(said.map((ms, index) => ms / ([inTurn, without][index] ?? 0))).toEqual([
      expect.closeTo(1, 1),
      expect.closeTo(1, 1),
    ]);
  });
});

test('the page says how many of the thinking times the poll loop was given', () => {
  const runsOf = (driver: string): number =>
    Number(
      rowsOf('lag')
        .find((row) => row.get('driver') === driver)
        ?.get('runs'),
    );
  expect(runsOf('createAndPoll')).toBe(runsOf('drover'));
  const [every] = numbersIn(read('benchmarks.md'), /textbook has one in (\d+) of them/);
  expect(runsOf('drover') / runsOf('textbook')).toBe(every);
});

describe('a run that webhooks tell of its end', () => {
  const text = read('webhooks.md');

  test.each([
    ['signal', /by a signal within ([\d.]+) s in the median and within ([\d.]+) s nine times of ten/],
    ['reset, prompt server', /by a reset on a prompt server within ([\d.]+) s and ([\d.]+) s/],
  ])('hears of it when docs/webhooks.md says: %s', (told, pattern) => {
    const said = numbersIn(text, pattern);
    const rows = rowsOf('webhooks').filter((row) => row.get('told by') === told);
    const slowest = ['lag p50 s', 'lag p90 s'].map((head) =>
      Math.max(...rows.map((row) => Number(row.get(head)))),
    );
    expect(said).toHaveLength(2);
    for (const [index, seconds] of slowest.entries()) {
      expect(seconds).toBeLessThanOrEqual(said[index] ?? 0);
      expect(seconds).toBeGreaterThan(0.75 * (said[index] ?? 0));
    }
  });
});
