/** What a bench writes: every figure, what was expected of it, and what it was measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Target } from './scenario.ts';

export interface Report {
  readonly date: string;
  /** Of the sources; null outside of a repository. */
  readonly commit: string | null;
  /** The sources differ from that commit. */
  readonly modified: boolean;
  readonly quick: boolean;
  /** Scenarios that failed half-way: their figures are those that they had by then. @default none */
  readonly ended_early?: readonly string[];
  readonly seconds: number;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memory_gb: number;
    readonly os: string;
  };
  readonly versions: Readonly<Record<string, string>>;
  /** By scenario. */
  readonly targets: readonly (Target & { readonly scenario: string })[];
  /** By scenario. */
  readonly figures: Readonly<Record<string, unknown>>;
  /** Scenarios that were measured after the others, or again, on the same machine. */
  readonly again?: readonly Again[];
}

export interface Again extends Pick<Report, 'date' | 'commit' | 'modified' | 'seconds'> {
  readonly scenarios: readonly string[];
}

/** Why its figures are nothing to publish, in words that end a sentence; null where they are. Pure. */
export function whyUnfit({ quick, ended_early = [] }: Pick<Report, 'quick' | 'ended_early'>): string | null {
  if (quick) return 'is of a quick bench, whose figures are too few for a page. Run it without --quick.';
  if (ended_early.length === 0) return null;
  const again = `--only ${ended_early.join(',')}`;
  return `holds only part of the figures of ${ended_early.join(', ')}: the bench ended early. Run ${again} again.`;
}

/**
 * Why its figures cannot take the place of some of the first report, which says for all of them what they were measured
 * on; in words that end a sentence, null where they can. Pure.
 */
export function whyApart(
  first: Pick<Report, 'machine' | 'versions'>,
  later: Pick<Report, 'machine' | 'versions'>,
): string | null {
  const of = ({ machine, versions }: typeof first): Readonly<Record<string, string | number>> => {
    return { ...machine, ...versions };
  };
  const [here, there] = [of(first), of(later)];
  const differing = [...new Set([...Object.keys(here), ...Object.keys(there)])]
    .filter((name) => here[name] !== there[name])
    .map((name) => `${name} ${there[name] ?? 'unknown'} instead of ${here[name] ?? 'unknown'}`);
  if (differing.length === 0) return null;
  return `was not measured on what the first file was: ${differing.join(', ')}. Measure its scenarios there, or all of them here.`;
}

/** What of it still stands once some scenarios were measured anew. */
function without(again: Again, anew: readonly string[]): readonly Again[] {
  const scenarios = again.scenarios.filter((name) => !anew.includes(name));
  return scenarios.length === 0 ? [] : [{ ...again, scenarios }];
}

/**
 * The first report with the scenarios of later ones in the place of its own, which {@link whyApart} has let through. Pure;
 * judges nothing.
 */
export function mergeReports(first: Report, later: readonly Report[]): Omit<Report, 'targets'> {
  return later.reduce<Omit<Report, 'targets'>>((whole, { date, commit, modified, seconds, figures }) => {
    const again = { date, commit, modified, seconds, scenarios: Object.keys(figures) };
    return {
      ...whole,
      // In the order of the first.
      figures: { ...whole.figures, ...figures },
      again: [...(whole.again ?? []).flatMap((older) => without(older, again.scenarios)), again],
    };
  }, first);
}

const ROOT = fileURLToPath(new URL('../', import.meta.url));

function git(...args: readonly string[]): string | null {
  try {
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}

function versionOf(name: string): string {
  const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** Where and on what it was measured. */
export function surroundings(
  serverVersion: string,
): Pick<Report, 'date' | 'commit' | 'modified' | 'machine' | 'versions'> {
  const own = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD'),
    modified: (git('status', '--porcelain', '--untracked-files=no') ?? '') !== '',
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memory_gb: Math.round(totalmem() / 2 ** 30),
      os: `${platform()} ${release()}`,
    },
    versions: {
      drover: own.version,
      node: process.versions.node,
      'Temporal server': serverVersion,
      '@temporalio/worker': versionOf('@temporalio/worker'),
      openai: versionOf('openai'),
    },
  };
}
