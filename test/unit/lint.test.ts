/** That the linter and the types catch what the house rules forbid. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { msToNumber } from '@temporalio/common/lib/time.js';
import type { Duration } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Diagnostic {
  readonly code?: string;
  readonly filename: string;
}

const FORBIDDEN = [
  ['no-floating-promises', `export function start(): void {\n  Promise.resolve(1);\n}`],
  ['no-misused-promises', `export const all = [1].filter(async (n) => Promise.resolve(n > 0));`],
  ['no-explicit-any', `export const value: any = 1;`],
  ['no-non-null-assertion', `export const first = (all: string[]): string => all[0]!;`],
  ['consistent-type-imports', `import { Later } from './later.ts';\nexport const later: Later = 1;`],
  [
    'switch-exhaustiveness-check',
    `export function spell(n: 1 | 2): string {\n  switch (n) {\n    case 1:\n      return 'one';\n  }\n  return '';\n}`,
  ],
  ['no-default-export', `export default 1;`],
  ['no-console', `console.log('here');`],
  ['max-lines', Array.from({ length: 401 }, (_, n) => `export const v${n} = ${n};`).join('\n')],
  ['filename-case', `export const name = 1;`],
] as const;

describe('the linter', () => {
  let folder: string;
  let found: readonly Diagnostic[];
  const fileOf = (rule: string): string => (rule === 'filename-case' ? 'fileName.ts' : `${rule}.ts`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-lint-'));
    await mkdir(join(folder, 'src'));
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        include: ['src'],
        compilerOptions: { types: [] },
      }),
    );
    await writeFile(join(folder, 'src', 'later.ts'), 'export type Later = number;\n');
    for (const [rule, text] of FORBIDDEN) await writeFile(join(folder, 'src', fileOf(rule)), `${text}\n`);
    const program = join(root, 'node_modules', '.bin', 'oxlint');
    const args = [
      '--type-aware',
      '--deny-warnings',
      '--config',
      join(root, '.oxlintrc.json'),
      '--format',
      'json',
    ];
    const { stdout } = await run(process.execPath, [program, ...args, 'src'], { cwd: folder }).catch(
      // What it finds makes it exit otherwise than by 0.
      (ended: { readonly stdout?: string }) => {
        if (ended.stdout === undefined || ended.stdout === '') throw ended;
        return { stdout: ended.stdout };
      },
    );
    found = (JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics;
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(FORBIDDEN)('catches what %s forbids', (rule) => {
    const here = found.filter(({ filename }) => filename.endsWith(fileOf(rule)));
    expect(here.map(({ code }) => code?.replace(/^.*\(|\)$/g, ''))).toContain(rule);
  });
});

test('a duration of Temporal is a type of its own, and not any', () => {
  const good: Duration = '5 minutes';
  // @ts-expect-error Unused where `Duration` has become `any`: see types/ms.d.ts.
  const bad: Duration = '5 bananas';
  expect(msToNumber(good)).toBe(300_000);
  expect(() => msToNumber(bad)).toThrow(/bananas/);
});
