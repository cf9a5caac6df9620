/** The page of benchmarks: made of the committed figures, and by nobody's hand. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { docsPage } from '../../bench/docs-page.ts';
import { mergeReports, whyApart, whyUnfit } from '../../bench/report.ts';
import type { Report } from '../../bench/report.ts';
import { judgeFigures, SCENARIOS } from '../../bench/scenarios/index.ts';

const FIGURES = new URL('../../docs/figures/bench.json', import.meta.url);
const PAGE = new URL('../../docs/benchmarks.md', import.meta.url);

const hasFigures = existsSync(FIGURES);
const BLANK: Report = {
  date: '2026-11-27T12:00:00.000Z',
  commit: '0123456789abcdef',
  modified: true,
  quick: false,
  seconds: 60,
  machine: { cpu: 'some processor', cores: 2, memory_gb: 24, os: 'linux 6' },
  versions: { drover: '0.1.0', node: '24' },
  targets: [],
  figures: {},
};

test('there is a page where there are figures, and only there', () => {
  expect(existsSync(PAGE)).toBe(hasFigures);
});

// Until a whole bench has been run and kept there is nothing to compare.
describe.runIf(hasFigures)('docs/benchmarks.md', () => {
  const report = hasFigures ? (JSON.parse(readFileSync(FIGURES, 'utf8')) as Report) : BLANK;

  test('is what the script makes of the committed figures', async () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(await docsPage(report));
  });

  test('stands on figures of a whole bench', () => {
    expect(report.quick).toBe(false);
    expect(whyUnfit(report)).toBeNull();
    expect(Object.keys(report.figures)).toEqual(SCENARIOS.map(({ name }) => name));
  });

  test('judges them as the scenarios do today', () => {
    expect(report.targets).toEqual(JSON.parse(JSON.stringify(judgeFigures(report.figures))));
  });
});

test('a figure that is missing shows as such, and a target that was missed stands out', async () => {
  const missed = { scenario: 'lag', name: 'a | b', value: Number.NaN, target: '≤ 1', met: false };
  const page = await docsPage({ ...BLANK, targets: [missed] });
  expect(page).toMatch(/\| lag +\| a \\\| b +\| – +\| ≤ 1 +\| \*\*no\*\* +\|/);
});

test('the page says what it was measured on, and that the sources differed from the commit', async () => {
  const page = await docsPage(BLANK);
  for (const fact of ['some processor', '`0123456789ab`, with changes', '2026-11-27', '0.1.0'])
    expect(page).toContain(fact);
});

test('the page shows the tables of the scenarios that were played', async () => {
  const samples = [{ waited_s: 1, lag_s: 0.125, gets: 3 }];
  const page = await docsPage({
    ...BLANK,
    figures: { lag: { rows: [{ driver: 'drover', about_s: 1, samples }] } },
  });
  expect(page).toMatch(/## Lag\n[^#]+\| drover +\| 1 +\| 1 +\| 0\.125 /);
  expect(page).not.toContain('## Throughput');
});

test('what was measured again takes the place of the first figures, and the page says so', async () => {
  const first = { ...BLANK, figures: { one: 1, two: 2 } };
  const merged = mergeReports(first, [
    { ...BLANK, commit: 'fedcba9876543210', seconds: 7, figures: { two: 3 } },
  ]);
  expect(merged.figures).toEqual({ one: 1, two: 3 });
  const page = await docsPage({ ...merged, figures: {}, targets: [] });
  expect(page).toMatch(/measured later: two +\| `fedcba987654`, with changes, 2026-11-27, 7 s/);
});

test('what was measured a third time is said of the last time only', () => {
  const at = (commit: string, figures: object): Report => ({ ...BLANK, commit, figures: { ...figures } });
  const merged = mergeReports(at('first', { one: 1, two: 2, three: 3 }), [
    at('second', { one: 4, two: 5 }),
    at('third', { two: 6 }),
  ]);
  expect(merged.figures).toEqual({ one: 4, two: 6, three: 3 });
  expect(merged.again?.map(({ commit, scenarios }) => [commit, scenarios])).toEqual([
    ['second', ['one']],
    ['third', ['two']],
  ]);
});

test('figures of another machine or other versions are no part of a page, and it says what differs', () => {
  const { machine, versions } = BLANK;
  const later: Report = { ...BLANK, commit: 'another', date: 'later' };
  expect(whyApart(BLANK, later)).toBeNull();
  expect(whyApart(BLANK, { machine: { ...machine, cores: 4 }, versions })).toContain('cores 4 instead of 2.');
  expect(whyApart(BLANK, { machine, versions: { ...versions, node: '26', openai: '8' } })).toContain(
    'node 26 instead of 24, openai 8 instead of unknown.',
  );
  expect(whyApart(BLANK, { machine, versions: { drover: '0.1.0' } })).toContain('node unknown instead of 24');
});

test('figures of a quick bench, or of one that ended early, are nothing for a page', () => {
  expect(whyUnfit(BLANK)).toBeNull();
  expect(whyUnfit({ ...BLANK, ended_early: [] })).toBeNull();
  expect(whyUnfit({ ...BLANK, quick: true })).toContain('--quick');
  expect(whyUnfit({ ...BLANK, ended_early: ['lag', 'throughput'] })).toContain('--only lag,throughput');
});
