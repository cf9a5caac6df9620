/**
 * The command line with a server behind it: any ids, options, requests and decisions end in an exit code of the table and
 * words for people. Without a server, `test/fuzz/cli.test.ts` asks it more.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { checkRunRequest } from '../../src/request.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive } from '../support/drive-harness.ts';
import type { Drive } from '../support/drive-harness.ts';
import { fuzz } from '../support/fuzz.ts';
import { anyJson, anyText, jsonText, mutated } from '../support/fuzz-values.ts';
import { call } from '../support/recording-tools.ts';
import { runCli } from '../support/run-cli.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

const ask = defineTool({
  name: 'ask',
  description: 'Asks the service.',
  parameters: z.object({ n: z.number() }),
  external: true,
});

let env: TestEnv;
let drive: Drive;
let folder: string;
let waiting: string;
beforeAll(async () => {
  env = await connectTestEnv();
  drive = await startDrive('responses', { tools: [ask] });
  drive.play('bot', {
    attempts: [{ steps: [{ call: [call('ask', { n: 1 }), call('ask', { n: 2 })] }, { answer: 'Done.' }] }],
  });
  waiting = drive.id('waits');
  await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: waiting });
  folder = await mkdtemp(join(tmpdir(), 'drover-cli-'));
});
beforeEach(() => {
  for (const [name, value] of Object.entries(env.processEnv)) vi.stubEnv(name, value);
  return () => vi.unstubAllEnvs();
});
afterAll(async () => {
  await drive[Symbol.asyncDispose]();
  await env.close();
  await rm(folder, { recursive: true, force: true });
});

/** On a queue that nobody works for: what is started by chance does nothing. */
const run = (args: readonly string[]) => runCli([...args, '--task-queue', 'nobody-works-here']);

/** What this may not end by: a failed run, which none here is, or something unforeseen. */
function expectAnswer({ code, told }: { readonly code: number; readonly told: string }): void {
  assert.ok(Object.values(EXIT_CODES).some((known) => known.code === code));
  assert.notEqual(code, EXIT_CODES.failed.code, told);
  assert.doesNotMatch(told, /^\s+at .+:\d+:\d+\)?$/m);
  assert.ok(code === 0 || told !== '');
}

const argument = fc
  .oneof(
    anyText,
    anyJson.map(jsonText),
    fc.constantFrom('__proto__', '', '.', '/', 'x'.repeat(1_001), 'x'.repeat(100_000)),
  )
  .map((text) => text.replaceAll('\u0000', '').toWellFormed().slice(0, 100_000))
  // What begins with a dash is an option, and those are the other test's.
  .map((text) => text.replace(/^-+/, ''));

test('any id and any words of a decision', async () => {
  const asked = drive.runs.getHandle(waiting);
  await expect.poll(async () => (await asked.waiting()).length).toBe(2);
  const [first] = await asked.waiting();
  const id = fc.oneof(argument, fc.constant(waiting));
  const decided = fc.oneof(
    // The service is to answer this call: nobody can allow it.
    argument.map((words) => [
      'approve',
      waiting,
      first?.tool_call_id ?? '',
      '--reason',
      words,
      '--by',
      words,
    ]),
    fc
      .tuple(fc.constantFrom('approve', 'reject'), id, argument)
      .map(([name, of, reason]) => [name, of, '--reason', reason]),
    fc.tuple(id, argument, argument).map(([of, named, output]) => ['answer', of, named, '--output', output]),
    fc.tuple(id, argument).map(([of, done]) => ['settle', of, '--done', done]),
    fc
      .tuple(id, argument, argument)
      .map(([of, named, digest]) => ['approve', of, named, '--digest', digest, '--by', digest]),
    fc
      .tuple(fc.constantFrom('show', 'retry', 'waiting', 'cancel'), argument)
      .map(([name, of]) => [name, of, '--json']),
    fc
      .tuple(argument, fc.constantFrom('1', '0', '1e9', 'x'))
      .map(([of, n]) => ['retry', of, '--attempts', n, '--deadline', n]),
    argument.map((query) => ['list', query, '--limit', '3']),
  );
  expect(
    await fuzz(
      fc.asyncProperty(decided, async (args) => expectAnswer(await run(args))),
      200,
    ),
  ).toBeNull();
  // Nobody has decided anything: no word was taken for a call that was not named, or not asked for it.
  expect(await asked.waiting()).toHaveLength(2);
});

test('any request: it is started, or refused by name', async () => {
  const file = join(folder, 'request.json');
  const request = mutated(
    { assistant_id: 'a', input: 'b', limits: { rounds: 1 }, metadata: { a: 'b' } },
    anyJson,
  ).map(jsonText);
  let n = 0;
  expect(
    await fuzz(
      fc.asyncProperty(request, async (text) => {
        await writeFile(file, text);
        n += 1;
        const ended = await run(['run', '--request', file, '--detach', '--id', drive.id(`cli-${n}`)]);
        expectAnswer(ended);
        const read: unknown = JSON.parse(text);
        const isGood =
          typeof read === 'object' && read !== null && checkRunRequest(read).issues === undefined;
        assert.equal(
          ended.code,
          isGood ? EXIT_CODES.ok.code : EXIT_CODES.usage.code,
          ended.told.slice(0, 500),
        );
      }),
      50,
    ),
  ).toBeNull();
});
