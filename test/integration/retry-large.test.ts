/** Retries of runs with megabytes: request and seed are one input, which the server takes up to two megabytes of. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { LIMITS } from '../../src/contract.ts';
import { DECISION_LIMITS } from '../../src/decisions.ts';
import type { Step } from '../../src/emulator/index.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive, type DriveOptions } from '../support/drive-harness.ts';
import { encryptingCodec } from '../support/encrypting-codec.ts';
import { call } from '../support/recording-tools.ts';

const KB = 1_000;
/** One byte of text, six of JSON. */
const CONTROL = '\u0001';
const large = defineTool({
  name: 'large',
  description: 'Gives as many bytes as it is asked for.',
  parameters: z.object({ bytes: z.number().int(), note: z.string() }),
  maxOutputBytes: LIMITS.maxOutputBytes,
  execute: ({ bytes }) => 'x'.repeat(bytes),
});
/** What is kept of a call is longest where its name is. */
const slight = defineTool({
  name: 'n'.repeat(LIMITS.toolNameChars),
  description: 'Sets something.',
  parameters: z.object({ note: z.string() }),
  execute: () => 'set',
});

const asked = defineTool({
  name: 'asked',
  description: 'Needs approval.',
  parameters: z.object({ note: z.string() }),
  needsApproval: true,
  execute: () => 'done',
});

const quota: Step = { fail: { code: 'insufficient_quota', message: 'Your quota is empty.' } };
const six = Array.from({ length: 6 }, (_, n): Step => ({
  call: [call('large', { bytes: 200 * KB, note: `${n}` })],
}));

async function endedDrive(inputBytes: number, steps: readonly Step[], options: DriveOptions = {}) {
  const drive = await startDrive('assistants', { tools: [large, slight], ...options });
  drive.play('bot', { attempts: [{ steps }, { steps: [{ answer: 'Done.' }] }] });
  const id = drive.id('megabytes');
  const limits = { history_events: 2_500 };
  const run = await drive.runs.start({ assistant_id: 'bot', input: 'i'.repeat(inputBytes), limits }, { id });
  const { code } = await run.outcome();
  return { id, code, runs: drive.runs, [Symbol.asyncDispose]: () => drive[Symbol.asyncDispose]() };
}

test('a run with a large request and more than a megabyte of outputs goes on', async () => {
  await using ended = await endedDrive(1_200 * KB, [...six, quota]);
  expect(ended.code).toBe('quota_exceeded');
  const result = await (await ended.runs.retry(ended.id)).result();
  expect([result.output_text, result.tool_calls.length]).toEqual(['Done.', 6]);
});

test('one that a codec makes too large for the server is refused by name', async () => {
  const dataConverter = { payloadCodecs: [encryptingCodec(randomBytes(32))] };
  await using ended = await endedDrive(1_400 * KB, [...six, quota], { config: { dataConverter } });
  expect(ended.code).toBe('quota_exceeded');
  const refused = { name: 'RunNotRetryableError', code: 'run_too_large', runId: ended.id };
  await expect(ended.runs.retry(ended.id)).rejects.toMatchObject(refused);
});

test('one that could not be continued as new goes on where the server takes it', async () => {
  const round = (of: string, length: number): Step => ({
    call: Array.from({ length }, (_, n) => call(slight.name, { note: `${of} ${n}` })),
  });
  await using ended = await endedDrive(1_150 * KB, [round('a', 512), round('b', 400), quota]);
  expect(ended.code).toBe('result_too_large');
  expect((await (await ended.runs.retry(ended.id)).result()).output_text).toBe('Done.');
});

test('one of which more has to be handed on than is ever carried is refused by name', async () => {
  await using drive = await startDrive('assistants', { tools: [asked] });
  const calls = Array.from({ length: 160 }, (_, n) => call('asked', { note: `${n}` }));
  drive.play('bot', { attempts: [{ steps: [{ call: calls }, quota] }] });
  const run = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('reasons') });
  await expect.poll(async () => (await run.waiting()).length, { timeout: 30_000 }).toBe(calls.length);
  const reason = CONTROL.repeat(DECISION_LIMITS.reasonChars);
  for (const waiting of await run.waiting()) await run.reject(waiting, { reason });
  expect((await run.outcome()).code).toBe('quota_exceeded');
  const refused = { name: 'RunNotRetryableError', code: 'run_too_large', runId: run.id };
  await expect(drive.runs.retry(run.id)).rejects.toMatchObject(refused);
});
