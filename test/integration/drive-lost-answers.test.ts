import { describe, expect, test } from 'vitest';
import type { JournalEntry, RequestEntry } from '../../src/emulator/index.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';
import { makeThread } from '../support/threads.ts';

const request = { assistant_id: 'bot', input: 'Refund order 7' };
const CREATE = { assistants: '/runs$/', responses: '/responses$/' } as const;
const SUBMIT = { assistants: 'submit_tool_outputs', responses: '/responses$/' } as const;

/** Provider-side runs or responses that were made, by the journal. */
function made(drive: Drive): readonly string[] {
  const ids = drive.emulator
    .journal()
    .flatMap((entry) => (entry.kind === 'status' && entry.from === null ? [entry.id] : []));
  return [...new Set(ids)];
}

const posts = (entries: readonly JournalEntry[], path: RegExp): readonly RequestEntry[] =>
  entries.filter(
    (entry): entry is RequestEntry =>
      entry.kind === 'request' && entry.method === 'POST' && path.test(entry.path),
  );

describe('a create whose answer is lost', () => {
  test('is found by its key and adopted on the assistants wire: one run at the provider', async () => {
    await using drive = await startDrive('assistants');
    drive.emulator.addFault({
      match: { method: 'POST', path: CREATE.assistants, nth: 1 },
      do: { reset: 'after' },
    });
    const result = await drive.runs.execute(request, { id: drive.id('lost-create') });
    expect(result.run.status).toBe('completed');
    expect(result.attempts).toMatchObject([{ adopted: true, ambiguous_create: false }]);
    expect(made(drive)).toHaveLength(1);
  });

  test('is named as ambiguous on the responses wire, which cannot find it', async () => {
    await using drive = await startDrive('responses');
    drive.emulator.addFault({
      match: { method: 'POST', path: CREATE.responses, nth: 1 },
      do: { reset: 'after' },
    });
    const result = await drive.runs.execute(request, { id: drive.id('lost-create') });
    expect(result.run.status).toBe('completed');
    expect(result.attempts).toMatchObject([{ adopted: false, ambiguous_create: true }]);
    expect(result.warnings).toMatchObject([{ code: 'create_ambiguous' }]);
    expect(made(drive)).toHaveLength(2);
  });

  test('is not named as ambiguous where the provider refused it for certain', async () => {
    await using drive = await startDrive('responses');
    drive.emulator.addFault({
      match: { method: 'POST', path: CREATE.responses, nth: 1 },
      do: { status: 429, retry_after_s: 1 },
    });
    const result = await drive.runs.execute(request, { id: drive.id('refused-create') });
    expect(result.attempts).toMatchObject([{ ambiguous_create: false }]);
    expect(result.warnings).toEqual([]);
    expect(made(drive)).toHaveLength(1);
  });

  test('is named as ambiguous also where somebody resets its activity before the next try', async () => {
    await using drive = await startDrive('responses');
    const { client, emulator } = drive;
    const at = (nth: number) => ({ method: 'POST', path: CREATE.responses, nth });
    // Refused for certain once, it is tried again as a plain activity, which alone can be reset.
    emulator.addFault({ match: at(1), do: { status: 429, retry_after_s: 1 } });
    emulator.addFault({ match: at(2), do: { status: 503, retry_after_s: 600, after: true } });
    const handle = await drive.runs.start(request, { id: drive.id('reset-create') });
    await emulator.waitFor((entry) => entry.kind === 'answer' && entry.status === 503);
    const pending = async () => (await handle.workflow.describe()).raw.pendingActivities?.[0];
    await expect.poll(async () => (await pending())?.lastFailure?.message).toContain('503');
    await client.workflowService.resetActivity({
      namespace: client.options.namespace,
      execution: { workflowId: handle.id },
      id: (await pending())?.activityId ?? 'none is pending',
      resetHeartbeat: true,
    });
    const result = await handle.result();
    expect(result.attempts).toMatchObject([{ adopted: false, ambiguous_create: true }]);
    expect(made(drive)).toHaveLength(2);
  });
});

describe.each(WIRES)('a submit whose answer is lost on the %s wire', (wire) => {
  test('makes no effect twice, and the run completes', async () => {
    const shop = recordingTools();
    await using drive = await startDrive(wire, { tools: shop.tools });
    drive.play('bot', {
      attempts: [
        { steps: [{ call: [call('refund_order', { order_id: '7', cents: 1 })] }, { answer: '{{outputs}}' }] },
      ],
    });
    const nth = wire === 'assistants' ? 1 : 2;
    drive.emulator.addFault({ match: { method: 'POST', path: SUBMIT[wire], nth }, do: { reset: 'after' } });
    const result = await drive.runs.execute(request, { id: drive.id('lost-submit') });
    expect(result.output_text).toBe('refunded 7');
    expect(shop.effects).toHaveLength(1);
    const submits = posts(drive.emulator.journal(), /submit_tool_outputs$/).length;
    const warnings = result.warnings.map(({ code }) => code);
    expect([submits, warnings]).toEqual(wire === 'assistants' ? [1, []] : [0, ['create_ambiguous']]);
  });
});

describe.each(WIRES)('a submit that is answered by one 404 on the %s wire', (wire) => {
  test('is made again: the attempt lives', async () => {
    const shop = recordingTools();
    await using drive = await startDrive(wire, { tools: shop.tools });
    drive.play('bot', {
      attempts: [{ steps: [{ call: [call('set_note', { order_id: '7' })] }, { answer: 'Noted.' }] }],
    });
    const nth = wire === 'assistants' ? 1 : 2;
    drive.emulator.addFault({
      match: { method: 'POST', path: SUBMIT[wire], nth },
      do: { status: 404, message: 'Not found.' },
    });
    const result = await drive.runs.execute(request, { id: drive.id('one-404') });
    expect(result.run.status).toBe('completed');
    expect(result.attempts).toHaveLength(1);
    expect(shop.effects).toHaveLength(1);
  });
});

describe.each(WIRES)('a provider in trouble on the %s wire', (wire) => {
  test('with bursts of 500, 429, resets and malformed bodies delays a run and loses nothing', async () => {
    const shop = recordingTools();
    await using drive = await startDrive(wire, { tools: shop.tools });
    drive.play('bot', {
      attempts: [
        {
          steps: [
            { call: [call('set_note', { order_id: '7' })] },
            { think_ms: 300 },
            { answer: '{{outputs}}' },
          ],
        },
      ],
    });
    drive.emulator.addFault({ match: { method: 'GET', nth: 1 }, do: { status: 500 } });
    drive.emulator.addFault({ match: { method: 'GET', nth: 2 }, do: { status: 429, retry_after_s: 1 } });
    drive.emulator.addFault({ match: { method: 'GET', nth: 3 }, do: { reset: 'before' } });
    drive.emulator.addFault({ match: { method: 'GET', nth: 4 }, do: { malformed: 'html' } });
    drive.emulator.addFault({ match: { method: 'GET', nth: 5 }, do: { malformed: 'other_id' } });
    const result = await drive.runs.execute(request, { id: drive.id('trouble') });
    expect(result.output_text).toBe('noted 7');
    expect(result.attempts).toHaveLength(1);
    expect(shop.effects).toHaveLength(1);
  });

  test('with a key that it refuses ends the run before anything is made, by backend_auth', async () => {
    await using drive = await startDrive(wire, { emulator: { apiKey: 'another-key' } });
    const outcome = await (await drive.runs.start(request, { id: drive.id('auth') })).outcome();
    expect(outcome.code).toBe('backend_auth');
    expect(outcome.run.last_error?.message).toContain('401');
    expect(outcome.message).not.toContain('401');
    expect(outcome.attempts).toEqual([]);
    expect(JSON.stringify(outcome)).not.toContain('test-key');
  });

  test('with an empty quota ends the run by quota_exceeded', async () => {
    await using drive = await startDrive(wire);
    drive.emulator.addFault({
      match: { method: 'POST', path: CREATE[wire] },
      do: {
        status: 429,
        code: 'insufficient_quota',
        message: 'You exceeded your current quota, please check your plan and billing details.',
      },
    });
    const outcome = await (await drive.runs.start(request, { id: drive.id('quota') })).outcome();
    expect(outcome.code).toBe('quota_exceeded');
  });
});

describe.each(WIRES)('a look that is answered by 404 on the %s wire', (wire) => {
  const match = { method: 'GET', path: wire === 'assistants' ? '/runs/[^/]+$/' : '/responses/[^/]+$/' };
  const settings = { limits: { deadline_seconds: 30 } };

  test('once changes nothing', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_000 }, { answer: 'Done.' }] }] });
    drive.emulator.addFault({ match: { ...match, nth: 1 }, do: { status: 404, message: 'Not found.' } });
    const result = await drive.runs.execute({ ...request, ...settings }, { id: drive.id('one-404') });
    expect(result.output_text).toBe('Done.');
    expect(result.attempts).toHaveLength(1);
    expect(made(drive)).toHaveLength(1);
  });

  test.runIf(wire === 'assistants')('is not believed while the thread lists the run', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 4_000 }, { answer: 'Done.' }] }] });
    drive.emulator.addFault({ match, do: { status: 404, message: 'Not found.' } });
    const result = await drive.runs.execute({ ...request, ...settings }, { id: drive.id('each-404') });
    expect(result.output_text).toBe('Done.');
    expect(result.attempts).toHaveLength(1);
    expect(made(drive)).toHaveLength(1);
  });
});

describe('a thread that is deleted while its run works', () => {
  async function startAndDelete(drive: Drive, wire: (typeof WIRES)[number], label: string) {
    const { url } = drive.emulator;
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const thread_id = await makeThread(url, wire);
    const run = await drive.runs.start({ ...request, thread_id }, { id: drive.id(label) });
    await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    const path = wire === 'assistants' ? 'threads' : 'conversations';
    const headers = { 'openai-beta': 'assistants=v2' };
    const deleted = await fetch(`${url}/${path}/${thread_id}`, { method: 'DELETE', headers });
    expect(deleted.status).toBe(200);
    return run;
  }

  test('ends the run by unknown_thread', async () => {
    await using drive = await startDrive('assistants');
    const outcome = await (await startAndDelete(drive, 'assistants', 'deleted')).outcome();
    expect(outcome.code).toBe('unknown_thread');
    expect(outcome.attempts).toMatchObject([{ reason: 'gone' }]);
  });

  test.each(WIRES)('holds no cancel up on the %s wire', async (wire) => {
    await using drive = await startDrive(wire);
    const run = await startAndDelete(drive, wire, 'deleted-cancel');
    await run.cancel();
    const outcome = await run.outcome();
    expect(outcome.code).toBe('cancelled');
    expect(outcome.warnings).toEqual([]);
  });
});

describe('a run that ends while a submit of its own may have acted, on the responses wire', () => {
  const refund = { call: [call('refund_order', { order_id: '7', cents: 1 })] };

  test('says so when it was cancelled between two tries', async () => {
    const shop = recordingTools();
    await using drive = await startDrive('responses', { tools: shop.tools });
    drive.play('bot', { attempts: [{ steps: [refund, { hang: true }] }] });
    drive.emulator.addFault({
      match: { method: 'POST', path: '/responses$/', nth: 2 },
      do: { reset: 'after' },
    });
    drive.emulator.addFault({
      match: { method: 'POST', path: '/responses$/', nth: 3 },
      do: { status: 429, retry_after_s: 600 },
    });
    const handle = await drive.runs.start(request, { id: drive.id('suspect-cancel') });
    await drive.emulator.waitFor((entry) => entry.kind === 'answer' && entry.status === 429);
    await handle.cancel();
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('cancelled');
    expect(outcome.warnings).toMatchObject([{ code: 'create_ambiguous' }]);
  });

  test('says so when the next try was refused for good', async () => {
    const shop = recordingTools();
    await using drive = await startDrive('responses', { tools: shop.tools });
    drive.play('bot', { attempts: [{ steps: [refund, { hang: true }] }] });
    drive.emulator.addFault({
      match: { method: 'POST', path: '/responses$/', nth: 2 },
      do: { reset: 'after' },
    });
    drive.emulator.addFault({
      match: { method: 'POST', path: '/responses$/', nth: 3 },
      do: { status: 400, message: 'no' },
    });
    const outcome = await (await drive.runs.start(request, { id: drive.id('suspect-refused') })).outcome();
    expect(outcome.code).toBe('backend_rejected');
    expect(outcome.warnings).toMatchObject([{ code: 'create_ambiguous' }]);
  });
});

describe('a run that is cancelled while a step of its own may have acted in a conversation', () => {
  test.each([
    ['create', 1, []],
    ['create', 1, ['input_enters_at_create']],
    ['submit', 2, []],
    ['submit', 2, ['input_enters_at_create']],
  ] as const)('waits until what its %s made is over', async (step, nth, quirks) => {
    const shop = recordingTools();
    await using drive = await startDrive('responses', { tools: shop.tools });
    const { emulator } = drive;
    emulator.setQuirks(quirks);
    const refund = { call: [call('refund_order', { order_id: '7', cents: 1 })] };
    const rounds = step === 'create' ? [] : [refund];
    drive.play('bot', {
      attempts: [{ steps: [...rounds, { think_ms: 6_000 }, refund, { answer: 'done' }] }],
    });
    const post = (n: number) => ({ method: 'POST', path: '/responses$/', nth: n });
    emulator.addFault({ match: post(nth), do: { reset: 'after' } });
    emulator.addFault({ match: post(nth + 1), do: { status: 429, retry_after_s: 600 } });
    const { id: conversation } = (await (
      await fetch(`${emulator.url}/conversations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    ).json()) as { readonly id: string };
    const inIt = { ...request, thread_id: conversation };
    const handle = await drive.runs.start(inIt, { id: drive.id(`outlast-${step}`) });
    await emulator.waitFor((entry) => entry.kind === 'answer' && entry.status === 429);
    await handle.cancel();
    const outcome = await handle.outcome();
    const closed = emulator.journal().length;
    expect(outcome.code).toBe('cancelled');
    expect(outcome.warnings.map(({ code }) => code)).not.toContain('cancel_unconfirmed');
    const lost = made(drive).at(-1);
    const lives = emulator
      .journal()
      .slice(0, closed)
      .flatMap((entry) => (entry.kind === 'status' && entry.id === lost ? [entry.to] : []));
    expect(lives.at(-1)).toBe('completed');
    drive.play('bot', { attempts: [{ steps: [{ answer: 'next' }] }] });
    const next = await drive.runs.execute(inIt, { id: drive.id(`after-${step}`) });
    expect(next.output_text).toBe('next');
  });
});
