/**
 * Numbers and tables in the pages against the sources: every default of `docs/operations.md`, the environment,
 * what `docs/errors.md` says is tried again, and the exit codes.
 */
import { readFileSync } from 'node:fs';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { describe, expect, test } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { DEFAULTS, LIMITS } from '../../src/contract.ts';
import { WORKER_DEFAULTS } from '../../src/create-worker.ts';
import { ENVIRONMENT, readEnvironment } from '../../src/env.ts';
import { TOOL_DEFAULTS } from '../../src/tools/tool-defaults.ts';
import { ROWS } from '../../src/workflows/decide.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Cells of the table under a heading, without the marks of code; the heads are left out. */
function tableUnder(heading: string, text: string): readonly (readonly string[])[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split(/\n## /)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const bare = (cell = ''): string => /`([^`]+)`/.exec(cell)?.[1] ?? '';

const TABLES: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  LIMITS,
  DEFAULTS,
  TOOL_DEFAULTS,
  WORKER_DEFAULTS,
};

/** Times in milliseconds, sizes in bytes, all else as it is. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  bytes: 1,
  KiB: 1024,
  MiB: 1024 * 1024,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function quantity(cell: string): number {
  const [, number = '?', unit = ''] = /^([\d.,]+)\s*(\w*)$/.exec(cell) ?? [];
  return Number(number.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN);
}

const inBase = (name: string, value: number): number => value * (/seconds$/i.test(name) ? 1_000 : 1);

/** A number in a source: `const HOLD_MS = 20_000;`, or `tools: 20`. */
function constantIn(path: string, name: string): number {
  const found =
    new RegExp(String.raw`\b${name}(?: =|:) \{?\s*([\d_. *]+)[;,}\s]`).exec(read(path))?.[1] ?? '';
  const factors = found.split('*').map((factor) => Number(factor.trim().replaceAll('_', '')));
  return factors.reduce((product, factor) => product * factor, found.trim() === '' ? Number.NaN : 1);
}

function sourceValue(cell: string): number {
  const path = / in (src\/\S+)$/.exec(cell)?.[1];
  const name = bare(cell);
  if (path !== undefined) return inBase(name, constantIn(path, name));
  if (name === 'connectSeconds') return inBase(name, readEnvironment({}).connectSeconds);
  const [table = '', key = ''] = name.split('.');
  const value = TABLES[table]?.[key];
  return typeof value === 'string'
    ? msToNumber(value as Parameters<typeof msToNumber>[0])
    : inBase(key, value ?? Number.NaN);
}

const defaults = tableUnder('Every default with its number', read('docs/operations.md')).filter(
  ([, value]) => value !== '',
);

describe('every default with its number', () => {
  test.each(defaults.map((row): [string, string, string] => [row[0] ?? '', row[1] ?? '', row[2] ?? '']))(
    '%s: %s',
    (_what, value, source) => {
      expect(quantity(value)).toBe(sourceValue(source));
    },
  );

  test('is in the table', () => {
    const named = new Set(defaults.map(([, , source]) => bare(source)));
    const all = Object.entries(TABLES).flatMap(([table, held]) =>
      Object.keys(held).map((key) => `${table}.${key}`),
    );
    expect(all.filter((name) => !named.has(name))).toEqual([]);
  });
});

test('the environment is what the worker reads, word for word', () => {
  const rows = tableUnder('Environment', read('docs/operations.md'));
  expect(rows.map(([name, about, value]) => [bare(name), about, value])).toEqual(
    Object.entries(ENVIRONMENT).map(([name, { about, default: value }]) => [name, about, value]),
  );
});

describe('what docs/errors.md says', () => {
  const text = read('docs/errors.md');

  test('is tried again is what decides it', () => {
    const said = tableUnder('What is tried again', text).map(([reason, plan, override, , code]) => [
      bare(reason),
      { retry: plan === 'retry', override: bare(override) || null, code: bare(code) || null },
    ]);
    expect(Object.fromEntries(said)).toEqual(ROWS);
  });

  test('of the exit codes is what the command line gives', () => {
    const said = tableUnder('Exit codes of the command line', text).map(([code, meaning]) => [
      Number(code),
      meaning,
    ]);
    expect(said).toEqual(Object.values(EXIT_CODES).map(({ code, meaning }) => [code, meaning]));
  });
});

test('a quantity is read with its unit, and a number out of a source', () => {
  expect(['128 KiB', '1,500,000 bytes', '5 min', '0.1', '1 h', 'many'].map(quantity)).toEqual([
    131_072,
    1_500_000,
    300_000,
    0.1,
    3_600_000,
    Number.NaN,
  ]);
  expect(constantIn('src/backends/assistants-find.ts', 'CLOCK_SKEW_MS')).toBe(300_000);
  expect(constantIn('src/backends/assistants-find.ts', 'NO_SUCH_NAME')).toBeNaN();
});
