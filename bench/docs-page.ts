/** `docs/benchmarks.md` from a report: pure. */
import { format } from 'prettier';
import type { Report } from './report.ts';
import { shown } from './scenario.ts';
import type { Cell, Table } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';

const cell = (value: Cell): string => shown(value).replaceAll('|', '\\|');

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly Cell[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const section = ({ title, note, head, rows }: Table): string =>
  `## ${title}\n\n${note}\n\n${table(head, rows)}`;

const sourceOf = ({ commit, modified }: Pick<Report, 'commit' | 'modified'>): string =>
  commit === null ? 'no commit' : `\`${commit.slice(0, 12)}\`${modified ? ', with changes' : ''}`;

function provenance(report: Report): string {
  const { date, machine, versions, seconds, again = [] } = report;
  return table(
    ['', ''],
    [
      ['commit', sourceOf(report)],
      ['date', date.slice(0, 10)],
      ['machine', `${machine.cores} cores of ${machine.cpu}, ${machine.memory_gb} GB, ${machine.os}`],
      ...Object.entries(versions),
      ['took', `${seconds} s`],
      ...again.map((later): readonly Cell[] => [
        `measured later: ${later.scenarios.join(', ')}`,
        `${sourceOf(later)}, ${later.date.slice(0, 10)}, ${later.seconds} s`,
      ]),
    ],
  );
}

const INTRODUCTION = `# Benchmarks

What Drover costs and how fast it is, beside what one would otherwise use. \`npm run bench\` measured it, on one
Temporal server and one emulated provider (for webhooks a provider each way, and a second server), each in a process of
its own beside one worker process a driver; in one go, but for what the table below says was measured later. The server is
Temporal's development server with its data in a file, which it does not flush at each commit: a disk's speed is not what is
measured here. This page is what \`npm run bench:docs\` made of its figures, which stand in
[figures/bench.json](figures/bench.json); nothing here is typed by hand.

- **drover**: the worker as it is built, with every default.
- **textbook**: a poll loop as a plain sample has it (\`bench/textbook\`): an activity that creates, a timer of a second, an
  activity that looks, activities for the tools, one that submits; default retries, no adoption and no ledger.
- **createAndPoll**: the official client's helpers with a tool loop written by hand, in one process, without durability.
  The provider sends no \`openai-poll-after-ms\`, so that they look each five seconds.
- **noop**: a workflow with one empty activity, the floor of the engine.

On another machine times differ; ratios, events, actions and looks should not.`;

/** Undefined in a report of a run that did not play every scenario. */
const playable = (report: Report): readonly (readonly [name: string, tables: readonly Table[]])[] =>
  SCENARIOS.filter(({ name }) => report.figures[name] !== undefined).map((scenario) => [
    scenario.name,
    scenario.tables(report.figures[scenario.name]),
  ]);

/** The page, as the formatter leaves it. */
export async function docsPage(report: Report): Promise<string> {
  const targets = report.targets.map(({ scenario, name, value, target, met }) => [
    scenario,
    name,
    value,
    target,
    met ? 'yes' : '**no**',
  ]);
  const parts = [
    INTRODUCTION,
    '## What it was measured on',
    provenance(report),
    '## What it must show',
    table(['scenario', 'figure', 'measured', 'target', 'met'], targets),
    ...playable(report).flatMap(([, tables]) => tables.map(section)),
  ];
  return await format(parts.join('\n\n'), { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' });
}
