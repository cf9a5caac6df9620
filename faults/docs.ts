/** Makes `docs/faults.md` from reports: no figure of it is written by hand. Pure. */
import { FINDING_KINDS } from './judge/finding.ts';
import type { FindingKind } from './judge/finding.ts';
import { MEANINGS, WINDOW_MEANINGS } from './judge/meanings.ts';
import { WINDOWS } from './nemesis-journal.ts';
import type { Report } from './report.ts';

const INTRODUCTION = `# What Drover was put through

<!-- Written by \`npm run faults:docs\` from \`faults/results\`. Do not edit. -->

\`npm run faults\` starts runs of random shape on a Temporal server with its data in a file, the emulator and four
worker processes, makes faults while they run, and judges from journals whether a run was lost or a thing was done
twice. \`npm run faults -- --help\` lists its options. Shapes and faults come from the seed; when a fault falls depends
on the machine.

**The runs** have 0 to 5 rounds of 1 to 8 calls (the first one sometimes twice), tools of all three effect classes,
with and without \`effectKey\`, \`lookup\` and each \`onUnknown\`, quick and slow ones, some that wait for somebody's
approval or for their output; a tenth of the calls of \`once\` tools answer only after 3 to 6 s; both wires, on threads and
conversations that were there before and without; thinking from 20 ms to 27 s. Some expire, vanish, run out of tokens,
fail, are filtered, are cancelled by their service or by somebody else; some continue as new; some may spend fewer
rounds than their model asks for. A third of the attempts that are made again word their arguments otherwise, or ask in
another order.

**The faults**: kill -9 of a worker, half of the time aimed at one of the six windows below; SIGSTOP of a worker past
its heartbeat timeout and SIGCONT; SIGTERM; pause and unpause, and reset, of an activity, half of the time of a \`once\`
tool in the middle of its work, where one works; kill -9 of Temporal's server and its restart on the same file; at the
provider answers that are lost after acting, connections that are reset, bursts of 429 and 5xx, slow answers, runs shown
as they were before they took their outputs, and statuses that nobody knows; webhooks that are lost, or come twice;
streams that are cut.

**The judge** reads the emulator's journal, the journal that the tools write, what the harness itself noted of the
people that it plays, and how each workflow ended. What a
driver says of itself is held against them, and where it has to name an ambiguity or an unknown outcome that excuses
nothing unless a journal shows what befell the run. Histories are read only to tell which workflow tasks and which continue-as-new a kill fell
into.`;

type Row = readonly (string | number)[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const titleOf = ({ driver, runs, seed, faults, minutes }: Report): string =>
  `${driver}, ${runs} runs, seed ${seed}, ${faults ? `${minutes} minutes of faults` : 'no faults'}`;

function conditions({ machine, versions, commit, at, took_seconds: took }: Report): string {
  const software = Object.entries(versions).map(
    ([name, version]) => `${name} ${version.replace(/^temporal version /, '')}`,
  );
  return `${at.slice(0, 10)}, commit ${commit}, ${took} s in all; ${machine.cores} cores (${machine.cpu}), ${machine.memory_gib} GiB, ${machine.os}; ${software.join(', ')}.`;
}

const FACTS = [
  'runs',
  'ended',
  'worker_kills',
  'worker_stops',
  'worker_restarts',
  'activity_pauses',
  'activity_resets',
  'server_restarts',
  'provider_faults',
  'unfindable_creates',
  'divergent_calls',
  'unknown_outcomes',
  'decisions',
  'followers',
  'webhooks_taken',
  'webhooks_lost',
  'webhooks_repeated',
  'deltas',
] as const;

/** A report of an older harness has not counted all. */
const countOf = (report: Report, key: (typeof FACTS)[number] | FindingKind): number | undefined =>
  (report as Partial<Report>)[key];
const shown = (report: Report, key: (typeof FACTS)[number] | FindingKind): string | number =>
  countOf(report, key) ?? 'not counted then';

function oneReport(report: Report): string {
  const windows = WINDOWS.map((window): Row => [
    window,
    WINDOW_MEANINGS[window],
    report.kills_by_window[window],
  ]);
  return [
    `## ${titleOf(report)}`,
    conditions(report),
    table(
      ['Found', 'Count'],
      FINDING_KINDS.map((kind) => [`\`${kind}\``, shown(report, kind)]),
    ),
    table(
      ['Happened', 'Count'],
      FACTS.map((fact) => [`\`${fact}\``, shown(report, fact)]),
    ),
    ...(report.faults ? [table(['Window', 'A kill', 'Kills'], windows)] : []),
  ].join('\n\n');
}

/** Many reports of one kind: a line each. */
function manyReports(reports: readonly Report[]): string {
  const found = (report: Report): number =>
    FINDING_KINDS.reduce((sum, kind) => sum + (countOf(report, kind) ?? 0), 0);
  return table(
    ['Seed', 'Runs', 'Ended', 'Worker kills', 'Server restarts', 'Provider faults', 'Findings', 'Commit'],
    reports.map((report) => [
      report.seed,
      report.runs,
      report.ended,
      report.worker_kills,
      report.server_restarts,
      report.provider_faults,
      found(report),
      report.commit,
    ]),
  );
}

function meanings(): string {
  const rows = Object.entries(MEANINGS).map(([key, meaning]): Row => [`\`${key}\``, meaning]);
  return ['## What is counted', table(['Key', 'Counts'], rows)].join('\n\n');
}

/** @param reports in the order in which they are shown: the largest of each driver whole, the rest in a line each */
export function renderPage(reports: readonly Report[]): string {
  const key = ({ driver, faults }: Report): string => `${driver} ${faults}`;
  const largest = new Map<string, Report>();
  for (const report of reports) {
    const held = largest.get(key(report));
    if (held === undefined || report.runs > held.runs) largest.set(key(report), report);
  }
  const whole = [...largest.values()];
  const rest = reports.filter((report) => !whole.includes(report));
  return [
    INTRODUCTION,
    ...whole.map(oneReport),
    ...(rest.length === 0 ? [] : ['## Other seeds', manyReports(rest)]),
    meanings(),
  ].join('\n\n');
}
