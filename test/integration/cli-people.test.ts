/** The command line for people: what waits, approving, rejecting, answering, settling, trying again. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../src/client.ts';
import type { WaitingCall } from '../../src/decisions.ts';
import { startDrive, type Drive } from '../support/drive-harness.ts';
import { askCustomer, sendGift } from '../support/people-tools.ts';
import { runProgram, type Ended } from '../support/processes.ts';
import { call, recordingTools } from '../support/recording-tools.ts';
import { connectTestEnv } from '../support/temporal-server.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
let drive: Drive;
let processEnv: Readonly<Record<string, string>>;

beforeAll(async () => {
  const env = await connectTestEnv();
  processEnv = env.processEnv;
  await env.close();
  drive = await startDrive('assistants', {
    tools: [...recordingTools('wait').tools, sendGift(), askCustomer],
  });
});
afterAll(() => drive[Symbol.asyncDispose]());

const drover = (...args: readonly string[]): Promise<Ended> =>
  runProgram([MAIN, ...args], { env: { ...processEnv, DROVER_TASK_QUEUE: drive.taskQueue } });

async function begin(label: string, ...calls: ReturnType<typeof call>[]): Promise<RunHandle> {
  drive.play('bot', { attempts: [{ steps: [{ call: calls }, { answer: 'Said: {{outputs}}' }] }] });
  const run = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id(label) });
  await expect.poll(async () => (await run.waiting()).length, { timeout: 15_000 }).toBe(calls.length);
  return run;
}

const gift = (order_id: string) => call('send_gift', { order_id });

describe('drover waiting', () => {
  test('lists calls with their arguments and the digest that a decision names, of one run or of all', async () => {
    const run = await begin('waiting', gift('7'));
    const [waiting] = await run.waiting();
    const listed = await drover('waiting', run.id);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/RUN +CALL +TOOL +WAITS FOR +ARGUMENTS +DIGEST +LEFT/);
    expect(listed.stdout).toContain(waiting!.arguments_digest.slice(0, 16));
    expect(listed.stdout).toContain('"order_id":"7"');
    const all = async (): Promise<readonly string[]> =>
      (JSON.parse((await drover('waiting', '--json')).stdout) as { id: string }[]).map(({ id }) => id);
    await expect.poll(all, { timeout: 20_000 }).toContain(run.id);
    await run.cancel();
    await run.outcome();
    expect((await drover('waiting', run.id)).stdout).toBe('Nothing waits.\n');
  });
});

describe('drover approve, reject and answer', () => {
  test('decide on the call that is meant, and say what was decided', async () => {
    const run = await begin('decide', gift('7'), gift('8'), call('ask_customer', { question: 'Which?' }));
    const [first, second, third] = (await run.waiting()) as [WaitingCall, WaitingCall, WaitingCall];
    const unsaid = await drover('approve', run.id);
    expect(unsaid).toMatchObject({ code: 2, stdout: '' });
    expect(unsaid.stderr).toContain('Say which call is meant');

    const approved = await drover(
      'approve',
      run.id,
      first.tool_call_id,
      '--by=maria',
      `--digest=${first.arguments_digest.slice(0, 16)}`,
    );
    expect(approved).toMatchObject({ code: 0, stderr: '' });
    expect(approved.stdout).toBe(`Approved send_gift {"order_id":"7"} of ${run.id}, by maria.\n`);
    const other = await drover('approve', run.id, second.tool_call_id, '--digest', '0123456789abcdef');
    expect(other.code).toBe(2);
    expect(other.stderr).toContain('other arguments');
    const rejected = await drover('reject', run.id, second.tool_call_id, '--reason', 'No.', '--json');
    expect(JSON.parse(rejected.stdout)).toMatchObject({ outcome: 'reject' });
    expect((await drover('answer', run.id, third.tool_call_id)).code).toBe(2);
    expect((await drover('answer', run.id, third.tool_call_id, '--output', 'blue')).code).toBe(0);

    const result = await run.result();
    expect(result.output_text).toContain('sent for 7');
    expect(result.output_text).toContain('blue');
    expect(result.tool_calls.map(({ decision }) => [decision?.outcome, decision?.by === 'maria'])).toEqual([
      ['approve', true],
      ['reject', false],
      ['answer', false],
    ]);
    expect((await drover('approve', run.id)).code).toBe(2);
    expect((await drover('approve', 'no-such-run')).code).toBe(4);
  });
});

describe('drover settle', () => {
  test('says what became of an effect, by one of three', async () => {
    const run = await begin('settle', call('refund_order', { order_id: '7', cents: 1, note: 'throw' }));
    expect((await drover('settle', run.id)).code).toBe(2);
    expect((await drover('settle', run.id, '--done', 'x', '--end')).code).toBe(2);
    expect((await drover('settle', run.id, '--done', 'by hand')).code).toBe(0);
    expect((await run.result()).output_text).toBe('Said: by hand');
  });
});

describe('drover retry', () => {
  test('goes on with a run that ended badly, and refuses one that did not', async () => {
    const note = { call: [call('set_note', { order_id: '7' })] };
    drive.play('bot', {
      attempts: [{ steps: [note, note, { answer: 'No.' }] }, { steps: [note, { answer: 'Yes.' }] }],
    });
    const request = { assistant_id: 'bot', input: 'Go', limits: { rounds: 1 } };
    const run = await drive.runs.start(request, { id: drive.id('retry') });
    expect((await run.outcome()).code).toBe('rounds_exceeded');
    const retried = await drover('retry', run.id, '--rounds', '4', '--wait');
    expect(retried).toMatchObject({ code: 0, stdout: 'Yes.\n' });
    const again = await drover('retry', run.id);
    expect(again.code).toBe(5);
    expect(again.stderr).toContain('has completed');
  });
});
