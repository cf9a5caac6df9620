/** The report: what is printed, and what is written as JSON. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, totalmem, type as osType, release } from 'node:os';
import type { Options } from './options.ts';
import { FINDING_KINDS } from './judge/finding.ts';
import type { Finding } from './judge/finding.ts';
import type { Counts, Verdict } from './judge/judge.ts';

export interface Report extends Counts {
  readonly seed: number;
  readonly minutes: number;
  readonly driver: string;
  readonly faults: boolean;
  /** From the first start to the last end, in seconds. */
  readonly took_seconds: number;
  readonly findings: readonly Finding[];
  readonly at: string;
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memory_gib: number;
    readonly os: string;
  };
  readonly versions: Readonly<Record<string, string>>;
}

function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    // What is written by a run is no change of what was run.
    const changed = git(
      'status',
      '--porcelain',
      '--untracked-files=no',
      '--',
      '.',
      ':!faults/results',
      ':!docs',
    );
    return `${git('rev-parse', '--short=12', 'HEAD')}${changed === '' ? '' : ' and changes'}`;
  } catch {
    return 'unknown';
  }
}

const versionOf = (name: string): string => {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version;
};

export function makeReport(
  { counts, findings }: Verdict,
  options: Options,
  facts: { readonly tookMs: number; readonly temporal: string },
): Report {
  const [cpu] = cpus();
  return {
    ...counts,
    seed: options.seed,
    minutes: options.minutes,
    driver: options.driver,
    faults: options.faults,
    took_seconds: Math.round(facts.tookMs / 1_000),
    findings,
    at: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpu?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memory_gib: Math.round(totalmem() / 2 ** 30),
      os: `${osType()} ${release()}`,
    },
    versions: {
      node: process.versions.node,
      temporal: facts.temporal,
      '@temporalio/worker': versionOf('@temporalio/worker'),
    },
  };
}

/** True where nothing was lost, doubled, or left behind. */
export const isClean = (report: Counts): boolean => FINDING_KINDS.every((kind) => report[kind] === 0);

const PRINTED = [
  'runs',
  'ended',
  'worker_kills',
  'worker_stops',
  'worker_restarts',
  'activity_pauses',
  'activity_resets',
  'server_restarts',
  'provider_faults',
  ...FINDING_KINDS,
  'unfindable_creates',
  'divergent_calls',
  'unknown_outcomes',
  'decisions',
  'webhooks_taken',
  'webhooks_lost',
  'webhooks_repeated',
  'deltas',
] as const;
const MOST_FINDINGS = 40;

export function printReport({ findings, ...report }: Report): string {
  const title = `${report.driver}, seed ${report.seed}, ${report.minutes} minutes${report.faults ? '' : ' without faults'} (${report.took_seconds} s in all)`;
  return `${title}\n${printVerdict({ counts: report, findings })}`;
}

export function printVerdict({ counts, findings }: Verdict): string {
  const lines = [
    ...PRINTED.map((key) => `  ${key.padEnd(34)}${String(counts[key]).padStart(7)}`),
    '  kills_by_window',
    ...Object.entries(counts.kills_by_window).map(
      ([key, n]) => `    ${key.padEnd(32)}${String(n).padStart(7)}`,
    ),
  ];
  const shown = findings.slice(0, MOST_FINDINGS);
  for (const { kind, run, what, lines: seen } of shown) {
    lines.push(`${kind} in ${run}: ${what}`, ...seen.slice(0, 6).map((line) => `    ${line}`));
  }
  const more = findings.length - shown.length;
  if (more > 0) lines.push(`and ${more} more findings: --json FILE has them all`);
  lines.push(isClean(counts) ? 'nothing was lost, doubled or left behind' : `${findings.length} findings`);
  return lines.join('\n');
}
