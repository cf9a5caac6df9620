/** Runs that ended badly go on in a new execution, with what the old one did. */
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Step } from '../../src/emulator/index.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive, WIRES, type Drive, type DriveOptions } from '../support/drive-harness.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';

const open: Drive[] = [];
afterEach(async () => {
  for (const drive of open.splice(0)) await drive[Symbol.asyncDispose]();
});

async function begin(
  wire: (typeof WIRES)[number] = 'assistants',
  options: DriveOptions = {},
): Promise<{ readonly drive: Drive; readonly shop: Recording }> {
  const shop = recordingTools();
  const drive = await startDrive(wire, { ...options, tools: [...shop.tools, ...(options.tools ?? [])] });
  open.push(drive);
  return { drive, shop };
}

const refund: Step = { call: [call('refund_order', { order_id: '7', cents: 100 })] };
const answer: Step = { answer: 'Said: {{outputs}}' };
const quota: Step = { fail: { code: 'insufficient_quota', message: 'Your quota is empty.' } };
const request = { assistant_id: 'bot', input: 'Refund' };

describe.each(WIRES)('a run that was retried on the %s wire', (wire) => {
  test('does nothing again that it did, and its result holds both tries', async () => {
    const { drive, shop } = await begin(wire);
    drive.play('bot', { attempts: [{ steps: [refund, quota] }, { steps: [refund, answer] }] });
    const id = drive.id('quota');
    const ended = await (await drive.runs.start(request, { id })).outcome();
    expect(ended.code).toBe('quota_exceeded');
    const result = await (await drive.runs.retry(id)).result();
    expect(result.run.id).toBe(id);
    expect(result.output_text).toBe('Said: refunded 7');
    expect(result.attempts.map(({ number, reason }) => [number, reason])).toEqual([
      [1, 'quota_exceeded'],
      [2, 'completed'],
    ]);
    expect(result.tool_calls.map(({ reused }) => reused)).toEqual([false, true]);
    expect(result.usage.total_tokens).toBeGreaterThan(ended.usage.total_tokens);
    expect(shop.effects).toHaveLength(1);
    const again = await drive.runs.start(request, { id });
    expect((await again.result()).output_text).toBe('Said: refunded 7');
  });
});

describe('a retry', () => {
  test('may raise the limit that ended the run, and counts attempts anew', async () => {
    const { drive, shop } = await begin();
    const note: Step = { call: [call('set_note', { order_id: '7' })] };
    const broken: Step = { fail: { code: 'server_error', message: 'It broke.' } };
    drive.play('bot', {
      attempts: [{ steps: [note, note, answer] }, { steps: [broken] }, { steps: [note, answer] }],
    });
    const id = drive.id('rounds');
    const first = { ...request, limits: { rounds: 1 }, retry: { attempts: 2, backoff_seconds: 0.1 } };
    expect((await (await drive.runs.start(first, { id })).outcome()).code).toBe('rounds_exceeded');
    const result = await (await drive.runs.retry(id, { limits: { rounds: 5 } })).result();
    expect(result.attempts.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(shop.effects).toHaveLength(1);
    await expect(drive.runs.retry(id, { limits: { rounds: -1 } })).rejects.toMatchObject({
      code: 'run_completed',
    });
  });

  test('asks nobody again who has decided, and asks again what nobody decided', async () => {
    const approval = (timeout: '300 milliseconds' | '1 day', name: string) =>
      defineTool({
        name,
        description: 'Needs approval.',
        parameters: z.object({}),
        needsApproval: true,
        decision: { timeout, onTimeout: 'end' },
        execute: () => 'done',
      });
    const { drive } = await begin('assistants', {
      tools: [approval('1 day', 'slow'), approval('300 milliseconds', 'quick')],
    });
    const steps = [{ call: [call('slow', {})] }, { call: [call('quick', {})] }, answer];
    drive.play('bot', { attempts: [{ steps }, { steps }] });
    const id = drive.id('decided');
    const run = await drive.runs.start(request, { id });
    await expect.poll(async () => (await run.waiting()).length, { timeout: 15_000 }).toBe(1);
    await run.reject((await run.waiting())[0]!);
    expect((await run.outcome()).code).toBe('undecided');
    const outcome = await (await drive.runs.retry(id)).outcome();
    expect(outcome.code).toBe('undecided');
    expect(outcome.tool_calls.map(({ name, decision }) => [name, decision?.outcome])).toEqual([
      ['slow', 'reject'],
      ['quick', 'timed_out'],
      ['slow', 'reject'],
      ['quick', 'timed_out'],
    ]);
  });

  test('is refused with a type where there is nothing to retry, and starts nothing', async () => {
    const { drive } = await begin();
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    await expect(drive.runs.retry(drive.id('nobody'))).rejects.toMatchObject({ code: 'run_not_found' });
    const id = drive.id('active');
    const run = await drive.runs.start(request, { id });
    await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    await expect(drive.runs.retry(id)).rejects.toMatchObject({ code: 'run_active' });
    await drive.client.workflow.getHandle(id).terminate();
    await expect(drive.runs.retry(id)).rejects.toMatchObject({ code: 'run_lost' });
    const cancelled = await drive.runs.start(request, { id: drive.id('cancelled') });
    await cancelled.cancel();
    expect((await cancelled.outcome()).code).toBe('cancelled');
    await expect(drive.runs.retry(cancelled.id, { limits: { rounds: -1 } })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect((await run.describe()).workflowStatus).toBe('TERMINATED');
  });

  test('is refused with a type where the run was terminated before it had done anything', async () => {
    await using drive = await startDrive('assistants', { idle: true });
    const run = await drive.runs.start(request, { id: drive.id('never-begun') });
    await run.workflow.terminate('test');
    await expect(drive.runs.retry(run.id)).rejects.toMatchObject({ code: 'run_lost', runId: run.id });
  });
});
