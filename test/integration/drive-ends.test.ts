/** What a run that ends badly leaves, and what it does not begin any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';
import { makeThread } from '../support/threads.ts';

const request = { assistant_id: 'bot', input: 'Note order 7' };
const note = { call: [call('set_note', { order_id: '7' })] };

async function post(drive: Drive, path: string, body: object): Promise<Response> {
  return await fetch(`${drive.emulator.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describe('a run that ends badly in a conversation leaves it to others', () => {
  test.each([
    [
      'its budget is used up when it asks for a tool',
      [{ usage: { prompt_tokens: 5, completion_tokens: 400 } }, note, { answer: 'x' }],
      { max_completion_tokens: 256 },
      'token_budget',
    ],
    ['the step is gone that it gave outputs to', [note, { vanish: true }], {}, 'attempt_gone'],
    [
      'the step fails that it gave outputs to',
      [note, { fail: { code: 'invalid_prompt', message: 'No.' } }],
      {},
      'invalid_prompt',
    ],
  ] as const)('where %s', async (_what, steps, fields, code) => {
    const shop = recordingTools();
    await using drive = await startDrive('responses', { tools: shop.tools });
    drive.play('bot', { attempts: [{ steps: [...steps] }] });
    const thread_id = await makeThread(drive.emulator.url, 'responses');
    const run = { ...request, ...fields, thread_id, retry: { attempts: 1 } };
    const handle = await drive.runs.start(run, { id: drive.id('left') });
    expect(await handle.outcome()).toMatchObject({ code, warnings: [] });
    const next = { model: 'bot', conversation: thread_id, input: 'Hello?', background: true };
    expect((await post(drive, '/responses', next)).status).toBe(200);
  });
});

describe.each(WIRES)('after its deadline, on the %s wire', (wire) => {
  test('a run hands in nothing', async () => {
    const slow = defineTool({
      name: 'slow',
      description: 'Takes its time.',
      parameters: z.object({}),
      execute: (_args, { signal }) => sleep(20_000, 'late', { signal }),
    });
    await using drive = await startDrive(wire, { tools: [slow] });
    drive.play('bot', { attempts: [{ steps: [{ call: [call('slow', {})] }, { answer: 'x' }] }] });
    const limits = { deadline_seconds: 3 };
    const handle = await drive.runs.start({ ...request, limits }, { id: drive.id('late') });
    expect((await handle.outcome()).code).toBe('deadline_exceeded');
    const acts = drive.emulator
      .journal()
      .flatMap((entry) => (entry.kind === 'request' && entry.method === 'POST' ? [entry.path] : []))
      .filter((path) => /\/(responses|submit_tool_outputs|runs)$/.test(path));
    expect(acts).toHaveLength(1);
  });
});

describe('a create that was refused for certain and waits to be tried again', () => {
  const refuse = (drive: Drive, nth: number): void =>
    drive.emulator.addFault({
      match: { method: 'POST', path: '/responses$/', nth },
      do: { status: 429, retry_after_s: 60 },
    });
  const refused = (drive: Drive) =>
    drive.emulator.waitFor((entry) => entry.kind === 'answer' && entry.status === 429);

  test.each([1, 2])('is no lost one where a cancel meets it (attempt %i)', async (attempt) => {
    await using drive = await startDrive('responses');
    const fails = { fail: { code: 'server_error', message: 'It broke.' } } as const;
    drive.play('bot', { attempts: [{ steps: [fails] }, { steps: [{ answer: 'x' }] }] });
    refuse(drive, attempt);
    const thread_id = await makeThread(drive.emulator.url, 'responses');
    const again = { ...request, thread_id, retry: { backoff_seconds: 0.1 } };
    const handle = await drive.runs.start(again, { id: drive.id(`refused-${attempt}`) });
    await refused(drive);
    await sleep(1_500);
    const begun = Date.now();
    await handle.cancel();
    const { code, warnings, attempts } = await handle.outcome();
    expect({ code, warnings }).toEqual({ code: 'cancelled', warnings: [] });
    expect(attempts.map(({ ambiguous_create }) => ambiguous_create)).toEqual(attempt === 1 ? [] : [false]);
    expect(Date.now() - begun).toBeLessThan(30_000);
  });
});

test('a run that ends for one call waits for no word on another, and begins no third', async () => {
  const begun: string[] = [];
  const ask = (name: string, timeout: '1 second' | '1 day') =>
    defineTool({
      name,
      description: 'Somebody has to allow it.',
      parameters: z.object({}),
      effect: 'once',
      needsApproval: true,
      decision: { timeout, onTimeout: 'end' },
      execute: () => {
        begun.push(name);
        return 'done';
      },
    });
  await using drive = await startDrive('assistants', {
    tools: [ask('quick', '1 second'), ask('slow', '1 day')],
  });
  drive.play('bot', {
    attempts: [{ steps: [{ call: [call('quick', {}), call('slow', {})] }, { answer: 'x' }] }],
  });
  const handle = await drive.runs.start(request, { id: drive.id('closed') });
  const { code, tool_calls } = await handle.outcome();
  expect(code).toBe('undecided');
  expect(tool_calls.map(({ name, status }) => [name, status])).toEqual([
    ['quick', 'rejected'],
    ['slow', 'cancelled'],
  ]);
  expect(begun).toEqual([]);
});
