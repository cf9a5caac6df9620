import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../src/client-handle.ts';
import { LIMITS } from '../../src/contract.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';

describe.each(WIRES)('cancelling a run on the %s wire', (wire) => {
  let drive: Drive;
  let shop: Recording;
  beforeAll(async () => {
    shop = recordingTools();
    drive = await startDrive(wire, { tools: shop.tools });
  });
  afterAll(() => drive[Symbol.asyncDispose]());

  const becomes = (to: string) =>
    drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === to);

  test('that waits cancels its attempt, frees the thread and still gives a result', async () => {
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const working = becomes('in_progress');
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Wait' },
      { id: drive.id('cancel-wait') },
    );
    await working;
    await handle.cancel({ reason: 'changed my mind' });
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('cancelled');
    expect(outcome.run.status).toBe('cancelled');
    expect(outcome.attempts).toMatchObject([{ status: 'cancelled', reason: 'cancelled' }]);
    expect(outcome.warnings).toEqual([]);
    const { status } = await drive.client.workflow.getHandle(handle.id).describe();
    expect(status.name).toBe('CANCELLED');

    drive.play('bot', { attempts: [{ steps: [{ answer: 'next' }] }] });
    const thread = wire === 'assistants' ? outcome.run.thread_id : null;
    const next = await drive.runs.execute(
      { assistant_id: 'bot', input: 'Again', thread_id: thread },
      { id: drive.id('after') },
    );
    expect(next.output_text).toBe('next');
  });

  test('while a tool works cancels the attempt at once, and says what became of the effect', async () => {
    drive.play('bot', {
      attempts: [
        { steps: [{ call: [call('refund_order', { order_id: '7', cents: 1 })] }, { answer: 'no' }] },
      ],
    });
    let open = (): void => undefined;
    shop.gate = new Promise((resolve) => {
      open = () => resolve();
    });
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Refund' },
      { id: drive.id('cancel-tool') },
    );
    await expect.poll(() => shop.effects.length, { timeout: 15_000 }).toBe(1);
    await handle.cancel();
    const outcome = await handle.outcome();
    open();
    expect(outcome.code).toBe('cancelled');
    expect(outcome.tool_calls).toMatchObject([{ name: 'refund_order', status: 'unknown_outcome' }]);
    expect(outcome.attempts).toMatchObject([{ status: 'cancelled' }]);
  });

  test('while its create fails ends as cancelled, not by the failure', async () => {
    drive.play('bot', { attempts: [{ steps: [{ answer: 'no' }] }] });
    const path = wire === 'assistants' ? '/runs$/' : '/responses$/';
    const match = { method: 'POST', path };
    drive.emulator.addFault({ match, do: { status: 503 } });
    const asked = (): number =>
      drive.emulator
        .journal()
        .filter(({ kind, ...entry }) => kind === 'answer' && 'fault' in entry && entry.fault === 'status 503')
        .length;
    const before = asked();
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Hi' },
      { id: drive.id('cancel-503') },
    );
    // The first try is a local one; after the second a plain activity waits for its next.
    await expect.poll(() => asked() - before, { timeout: 30_000 }).toBeGreaterThan(1);
    drive.emulator.addFault({ match, do: { latency_ms: 1_500 } });
    const tried = asked();
    const held = drive.emulator.journal().length;
    await expect
      .poll(
        () =>
          drive.emulator
            .journal()
            .slice(held)
            .some((entry) => entry.kind === 'request' && entry.method === 'POST'),
        { timeout: 30_000 },
      )
      .toBe(true);
    expect(asked()).toBe(tried);
    await handle.cancel();
    const outcome = await handle.outcome();
    drive.emulator.clearFaults();
    expect(outcome).toMatchObject({ code: 'cancelled', run: { status: 'cancelled' } });
  });

  /** What the provider's journal says of the run at the moment that Drover has closed it. */
  async function cancelAndSee(run: RunHandle) {
    await run.cancel();
    const outcome = await run.outcome();
    const last = drive.emulator.journal().findLast((entry) => entry.kind === 'status');
    drive.emulator.clearFaults();
    return { outcome, last: last?.kind === 'status' ? last.to : null };
  }

  test('whose cancel is refused by 404 does not end before its attempt', async () => {
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 3_000 }, { answer: 'late' }] }] });
    const working = becomes('in_progress');
    const run = await drive.runs.start(
      { assistant_id: 'bot', input: 'Wait' },
      { id: drive.id('no-cancel-route') },
    );
    await working;
    drive.emulator.addFault({
      match: { method: 'POST', path: '/cancel' },
      do: { status: 404, message: 'Not Found' },
    });
    const { outcome, last } = await cancelAndSee(run);
    expect(last).toBe('completed');
    expect(outcome).toMatchObject({ code: 'cancelled', warnings: [] });
  });

  test('whose cancel is refused in unknown words, as its attempt has ended, ends', async () => {
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 500 }, { answer: 'early' }] }] });
    const done = becomes('completed');
    const read = { method: 'GET', path: wire === 'assistants' ? '/runs/[^/]+$/' : '/responses/[^/]+$/' };
    drive.emulator.addFault({ match: read, do: { status: 503, retry_after_s: 600 } });
    const run = await drive.runs.start({ assistant_id: 'bot', input: 'Hi' }, { id: drive.id('409') });
    await done;
    drive.emulator.clearFaults();
    drive.emulator.addFault({
      match: { method: 'POST', path: '/cancel' },
      do: { status: 409, message: 'It has already been completed.' },
    });
    const { outcome } = await cancelAndSee(run);
    expect(outcome).toMatchObject({ code: 'cancelled', warnings: [] });
    expect(outcome.attempts).toMatchObject([{ status: 'completed' }]);
  });

  test.runIf(wire === 'assistants')(
    'that is not found by its id is not over while it is listed',
    async () => {
      drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
      const working = becomes('in_progress');
      const run = await drive.runs.start({ assistant_id: 'bot', input: 'Wait' }, { id: drive.id('listed') });
      await working;
      const none = { status: 404, message: 'Not found.' };
      drive.emulator.addFault({ match: { method: 'GET', path: '/runs/[^/]+$/' }, do: none });
      drive.emulator.addFault({ match: { method: 'POST', path: '/cancel' }, times: 2, do: none });
      const { outcome, last } = await cancelAndSee(run);
      expect(last).toBe('cancelled');
      expect(outcome).toMatchObject({ code: 'cancelled', warnings: [] });
    },
  );

  test('that ended is no error, and changes nothing', async () => {
    drive.play('bot', { attempts: [{ steps: [{ answer: 'done' }] }] });
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Hi' },
      { id: drive.id('cancel-ended') },
    );
    await handle.result();
    await handle.cancel().catch(() => undefined);
    expect((await handle.outcome()).run.status).toBe('completed');
  });
});

test('calls of a round that had not begun when the run was cancelled are cancelled, not unknown', async () => {
  const shop = recordingTools();
  await using drive = await startDrive('assistants', { tools: shop.tools });
  let open = (): void => undefined;
  shop.gate = new Promise((resolve) => {
    open = () => resolve();
  });
  const calls = Array.from({ length: 80 }, (_, index) =>
    call('refund_order', { order_id: String(index), cents: 1 }),
  );
  drive.play('bot', { attempts: [{ steps: [{ call: calls }, { answer: 'no' }] }] });
  const handle = await drive.runs.start(
    { assistant_id: 'bot', input: 'Refund all' },
    { id: drive.id('many') },
  );
  await expect.poll(() => shop.effects.length, { timeout: 30_000 }).toBe(LIMITS.callsInFlight);
  await handle.cancel();
  open();
  const outcome = await handle.outcome();
  const states = outcome.tool_calls.map(({ status }) => status);
  expect(states.filter((status) => status === 'cancelled')).toHaveLength(80 - LIMITS.callsInFlight);
  expect(shop.effects).toHaveLength(LIMITS.callsInFlight);
});
