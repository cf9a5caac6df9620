/** The command line: any arguments end in an exit code of the table and words for people, never in a stack trace. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { expectTold, fuzz } from '../support/fuzz.ts';
import { runCli } from '../support/run-cli.ts';
import { anyJson, anyText, jsonText, mutated } from '../support/fuzz-values.ts';

const CODES: readonly number[] = Object.values(EXIT_CODES).map(({ code }) => code);
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

let folder: string;
/** There is none, so that no command gets as far as to connect: with a server, `test/integration/cli-hostile.test.ts` asks. */
let nowhere: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-cli-'));
  nowhere = join(folder, 'none', 'drover.config.ts');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// Not those that begin to work at once: worker, webhooks, dev, demo, emulator and doctor.
const command = fc.constantFrom(
  'run',
  'show',
  'list',
  'cancel',
  'retry',
  'waiting',
  'approve',
  'reject',
  'answer',
  'settle',
  'sweep',
  'help',
  '',
  'rnu',
);
const option = fc.constantFrom(
  '--id',
  '--request',
  '--set',
  '--context',
  '--metadata',
  '--tool',
  '--deadline',
  '--limit',
  '--since',
  '--reason',
  '--by',
  '--digest',
  '--output',
  '--done',
  '--not-done',
  '--end',
  '--attempts',
  '--rounds',
  '--backend',
  '--thread',
  '--on-busy-thread',
  '--profile',
  '--task-queue',
  '--json',
  '--follow',
  '--detach',
  '--running',
  '--wait',
  '--dry-run',
  '--no-such-option',
  '--',
  '-',
  '-n',
);
// A process is given no null bytes and no half characters.
const argument = fc
  .oneof(
    anyText,
    anyJson.map(jsonText),
    fc.tuple(anyText, anyJson).map(([name, value]) => `${name}=${jsonText(value)}`),
    fc.constantFrom(
      '__proto__=1',
      'limits={"deadline_seconds":1e999}',
      'input=1',
      '=',
      'a=',
      '1e309',
      '-1',
      '/',
    ),
  )
  .map((text) => text.replaceAll('\u0000', '').toWellFormed().slice(0, 100_000));

describe('the command line', () => {
  test('takes any arguments, or says what is wrong with them', async () => {
    // What reads standard input would wait for it.
    const args = fc
      .tuple(command, fc.array(fc.oneof(option, argument), { maxLength: 6 }))
      .map(([name, rest]) => [name, ...rest.filter((one) => one !== '-')]);
    expect(
      await fuzz(
        fc.asyncProperty(args, async (given) => {
          const [name = '', ...rest] = given;
          const { code, told } = await runCli([name, '--config', nowhere, ...rest]);
          assert.ok(CODES.includes(code));
          assert.doesNotMatch(told, /^\s+at .+:\d+:\d+\)?$/m);
          assert.ok(code === 0 || told !== '');
        }),
        300,
      ),
    ).toBeNull();
  });

  test('reads any file as a request, or says why not', async () => {
    const file = join(folder, 'request.json');
    const content = fc.oneof(
      mutated({ assistant_id: 'a', input: 'b', limits: { rounds: 1 } }, anyJson).map(jsonText),
      anyText,
    );
    expect(
      await fuzz(
        fc.asyncProperty(content, async (text) => {
          await writeFile(file, text);
          const { code, told } = await runCli([
            'run',
            '--config',
            nowhere,
            '--request',
            file,
            '--deadline',
            '3',
          ]);
          assert.equal(code, EXIT_CODES.usage.code);
          expectTold(told.replace(file, '').slice(0, 10_000));
        }),
        100,
      ),
    ).toBeNull();
  });

  test.each([
    [['run', '--set', '__proto__={"a":1}', '--config', '/nowhere/drover.config.ts']],
    [['show', '\u202e\u001b[31m', '--config', '/nowhere/drover.config.ts']],
    [['list', '--limit', '1e999']],
    [['__proto__']],
  ])('is a process that ends by itself: %j', async (args) => {
    const ended = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(process.execPath, [MAIN, ...args], { timeout: 60_000 }, (error, _stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }),
      );
    });
    expect(ended.code).toBe(EXIT_CODES.usage.code);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(ended.stderr).not.toContain('\u001b[31m\n');
  });
});
