import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';

describe.each(WIRES)('an attempt that ends badly on the %s wire', (wire) => {
  let drive: Drive;
  let shop: Recording;
  beforeAll(async () => {
    shop = recordingTools();
    drive = await startDrive(wire, { tools: shop.tools });
  });
  beforeEach(() => void shop.effects.splice(0));
  afterAll(() => drive[Symbol.asyncDispose]());

  const start = (label: string, fields: object = {}) =>
    drive.runs.start({ assistant_id: 'bot', input: 'Refund order 7', ...fields }, { id: drive.id(label) });

  test('by running out of completion tokens is tried again with twice the budget', async () => {
    drive.play('bot', {
      attempts: [
        { steps: [{ incomplete: 'max_completion_tokens', unless_budget_at_least: 600 }, { answer: 'done' }] },
      ],
    });
    const result = await (await start('budget', { max_completion_tokens: 300 })).result();
    expect(result.attempts.map(({ reason }) => reason)).toEqual(['max_completion_tokens', 'completed']);
    expect(result.run.max_completion_tokens).toBe(600);
    expect(result.output_text).toBe('done');
  });

  test('by a server error is tried again, and the effects it had made are not made again', async () => {
    drive.play('bot', {
      attempts: [
        {
          steps: [
            { call: [call('refund_order', { order_id: '7', cents: 100 })] },
            { fail: { code: 'server_error', message: 'oops' } },
          ],
        },
        {
          steps: [
            { call: [call('refund_order', { order_id: '7', cents: 100, note: 'again' })] },
            { answer: '{{outputs}}' },
          ],
        },
      ],
    });
    const result = await (await start('server-error', { retry: { backoff_seconds: 0.1 } })).result();
    expect(result.attempts.map(({ reason }) => reason)).toEqual(['server_error', 'completed']);
    expect(shop.effects).toHaveLength(1);
    expect(result.usage.total_tokens).toBe(
      result.attempts.reduce((sum, { usage }) => sum + (usage?.total_tokens ?? 0), 0),
    );
  });

  test('until no attempt is left ends the run by attempts_exhausted, with every attempt in the result', async () => {
    drive.play('bot', { attempts: [{ steps: [{ fail: { code: 'server_error', message: 'oops' } }] }] });
    const outcome = await (
      await start('exhausted', { retry: { backoff_seconds: 0.1, attempts: 2 } })
    ).outcome();
    expect(outcome.code).toBe('attempts_exhausted');
    expect(outcome.attempts.map(({ reason }) => reason)).toEqual(['server_error', 'server_error']);
    expect(outcome.run).toMatchObject({ status: 'failed', last_error: { code: 'server_error' } });
  });

  test.each([
    [{ fail: { code: 'invalid_prompt', message: 'no' } }, 'invalid_prompt', 'failed'],
    [
      {
        fail: {
          code: 'rate_limit_exceeded',
          message: 'You exceeded your current quota, please check your plan.',
        },
      },
      'quota_exceeded',
      'failed',
    ],
    [{ incomplete: 'content_filter' }, 'content_filter', 'incomplete'],
    [{ cancel: true as const }, 'cancelled_elsewhere', 'cancelled'],
  ] as const)('by %j ends the run at once by %s', async (step, code, status) => {
    drive.play('bot', { attempts: [{ steps: [step] }] });
    const outcome = await (await start(code)).outcome();
    expect(outcome.code).toBe(code);
    expect(outcome.run.status).toBe(status);
    expect(outcome.attempts).toHaveLength(1);
  });

  test('by being gone from the provider is created again', async () => {
    drive.play('bot', { attempts: [{ steps: [{ vanish: true }] }, { steps: [{ answer: 'here' }] }] });
    const result = await (await start('gone')).result();
    expect(result.attempts.map(({ reason }) => reason)).toEqual(['gone', 'completed']);
    expect(result.output_text).toBe('here');
  });

  test('by its time limit is cancelled at the provider and created again', async () => {
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }, { steps: [{ answer: 'quick' }] }] });
    const result = await (await start('attempt-limit', { limits: { attempt_seconds: 1.5 } })).result();
    expect(result.attempts.map(({ reason, status }) => [reason, status])).toEqual([
      ['attempt_timeout', 'cancelled'],
      ['completed', 'completed'],
    ]);
  });

  test('with a refusal is a completed run whose refusal is set, where the wire has refusals', async () => {
    drive.play('bot', { attempts: [{ steps: [{ refuse: 'I will not.' }] }] });
    const result = await (await start('refusal')).result();
    expect(result.run.status).toBe('completed');
    expect(result.refusal ?? result.output_text).toBe('I will not.');
  });

  test('can return its result instead of failing the workflow', async () => {
    drive.play('bot', { attempts: [{ steps: [{ fail: { code: 'invalid_prompt', message: 'no' } }] }] });
    const handle = await start('return', { on_unfinished: 'return' });
    const returned = (await drive.client.workflow.getHandle(handle.id).result()) as { code: string };
    expect(returned.code).toBe('invalid_prompt');
  });
});

describe('an attempt that expires while a slow once-only tool works', () => {
  test('is created again and answered from the ledger: the tool has acted once', async () => {
    const shop = recordingTools();
    await using drive = await startDrive('assistants', {
      tools: shop.tools,
      emulator: { expiresAfterMs: 1500 },
    });
    drive.play('bot', {
      attempts: [
        { steps: [{ call: [call('refund_order', { order_id: '7', cents: 100 })] }, { answer: 'never' }] },
        {
          steps: [
            { call: [call('refund_order', { cents: 100, order_id: '7' })] },
            { answer: 'Done: {{outputs}}' },
          ],
        },
      ],
    });
    const expired = drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'expired');
    shop.gate = expired.then(() => undefined);
    const result = await drive.runs.execute(
      { assistant_id: 'bot', input: 'Refund' },
      { id: drive.id('expires') },
    );
    expect(result.attempts.map(({ reason }) => reason)).toEqual(['expired', 'completed']);
    expect(shop.effects).toHaveLength(1);
    expect(result.tool_calls.map(({ reused, key }) => [reused, key])).toEqual([
      [false, shop.effects[0]!.key],
      [true, shop.effects[0]!.key],
    ]);
    expect(result.output_text).toBe('Done: refunded 7');
  });
});
