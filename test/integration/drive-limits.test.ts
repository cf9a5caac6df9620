import { describe, expect, test } from 'vitest';
import { isInvalidRequestError } from '../../src/errors.ts';
import { startDrive, WIRES } from '../support/drive-harness.ts';
import { fastClock } from '../support/fast-clock.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

const request = { assistant_id: 'bot', input: 'Go' };

describe.each(WIRES)('the deadline on the %s wire', (wire) => {
  test('cancels an attempt that never ends, and ends the run by deadline_exceeded', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const handle = await drive.runs.start(
      { ...request, limits: { deadline_seconds: 2 } },
      { id: drive.id('deadline') },
    );
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('deadline_exceeded');
    expect(outcome.run.status).toBe('expired');
    expect(outcome.attempts).toMatchObject([{ status: 'cancelled' }]);
  });

  test('is the deadline, too, where the clock of the worker is ahead of the server’s', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    using stack = new DisposableStack();
    stack.use(fastClock(2_000));
    const handle = await drive.runs.start(
      { ...request, limits: { deadline_seconds: 5 } },
      { id: drive.id('fast-clock') },
    );
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('deadline_exceeded');
    expect(outcome.attempts).toHaveLength(1);
  });

  test('ends a run whose status nobody knows by unknown_status, having polled it without spinning', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ status: 'pondering' }] }] });
    const handle = await drive.runs.start(
      { ...request, limits: { deadline_seconds: 3 } },
      { id: drive.id('unknown') },
    );
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('unknown_status');
    const gets = drive.emulator
      .journal()
      .filter((entry) => entry.kind === 'request' && entry.method === 'GET');
    expect(gets.length).toBeLessThan(20);
  });

  test('is not reached by an unknown status that passes', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', {
      attempts: [{ steps: [{ status: 'pondering', for_ms: 600 }, { answer: 'thought' }] }],
    });
    const result = await drive.runs.execute(request, { id: drive.id('passes') });
    expect(result.output_text).toBe('thought');
  });
});

describe('an attempt that ends by itself while it is cancelled for the deadline', () => {
  test('gives its answer: it is paid for', async () => {
    await using drive = await startDrive('assistants');
    drive.play('bot', {
      attempts: [{ steps: [{ say: 'just in time' }, { hang: true }], on_cancel: 'completed' }],
    });
    const handle = await drive.runs.start(
      { ...request, limits: { deadline_seconds: 2 } },
      { id: drive.id('just-in-time') },
    );
    const result = await handle.result();
    expect(result.attempts).toMatchObject([{ status: 'completed', reason: 'completed' }]);
  });
});

describe('a worker that comes back after the deadline', () => {
  test('still takes the answer that was given before it', async () => {
    await using drive = await startDrive('assistants');
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_000 }, { answer: 'in time' }] }] });
    const working = drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    const done = drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'completed');
    const handle = await drive.runs.start(
      { ...request, limits: { deadline_seconds: 6 } },
      { id: drive.id('late') },
    );
    await working;
    await drive.stopWorkers();
    await done;
    const deadline = 6_000;
    await new Promise((resolve) => setTimeout(resolve, deadline));
    await drive.startWorker();
    expect((await handle.result()).output_text).toBe('in time');
  });
});

describe('the limit of rounds', () => {
  test('ends a run whose model goes in circles by rounds_exceeded, with the attempt cancelled', async () => {
    const shop = recordingTools();
    await using drive = await startDrive('assistants', { tools: shop.tools });
    const again = { call: [call('set_note', { order_id: '7' })] };
    drive.play('bot', { attempts: [{ steps: [again, again, again, again, { answer: 'no' }] }] });
    const handle = await drive.runs.start({ ...request, limits: { rounds: 2 } }, { id: drive.id('rounds') });
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('rounds_exceeded');
    expect(outcome.tool_calls).toHaveLength(2);
    expect(outcome.attempts).toMatchObject([{ status: 'cancelled' }]);
  });
});

describe.each(WIRES)('continuing as new on the %s wire', (wire) => {
  test('between effect and submit carries the ledger and the outputs along', async () => {
    const shop = recordingTools();
    await using drive = await startDrive(wire, { tools: shop.tools });
    const refund = { call: [call('refund_order', { order_id: '7', cents: 1 })] };
    drive.play('bot', {
      attempts: [
        {
          steps: [refund, { call: [call('set_note', { order_id: '7' })] }, refund, { answer: '{{outputs}}' }],
        },
      ],
    });
    const id = drive.id('continue');
    const result = await drive.runs.execute({ ...request, limits: { history_events: 12 } }, { id });
    expect(shop.effects.map(({ tool }) => tool)).toEqual(['refund_order', 'set_note']);
    expect(result.tool_calls.map(({ output }) => output)).toEqual(['refunded 7', 'noted 7', 'refunded 7']);
    expect(result.attempts).toHaveLength(1);
    const events = await drive.events(id);
    expect(events.length).toBeLessThan(30);
    const { events: last } = await drive.client.workflow.getHandle(id).fetchHistory();
    expect(last?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId).toBeTruthy();
  });
});

describe('a request that is wrong', () => {
  const wrong = {
    assistant_id: 'bot',
    temperature: 9,
    top_p: -1,
    max_completion_tokens: 3,
    metadata: { drover_key: 'x' },
  };

  test('is refused by the client with every mistake, before anything is started', async () => {
    await using drive = await startDrive('assistants', { idle: true });
    const error: unknown = await drive.runs
      .start(wrong, { id: drive.id('wrong') })
      .catch((refused: unknown) => refused);
    expect(isInvalidRequestError(error)).toBe(true);
    if (!isInvalidRequestError(error)) return;
    expect(error.issues.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['temperature', 'top_p', 'max_completion_tokens', 'metadata.drover_key']),
    );
  });

  test.each([[wrong], ['no object'], [null], [{ limits: { deadline_seconds: 'soon' } }]])(
    'and was started past the client (%j) fails its workflow with the issues, and makes nothing',
    async (input) => {
      await using drive = await startDrive('assistants');
      const id = drive.id('raw');
      await drive.client.workflow.start('driveRun', {
        taskQueue: drive.taskQueue,
        workflowId: id,
        args: [input],
      });
      const outcome = await drive.runs.getHandle(id).outcome();
      expect(outcome.code).toBe('invalid_request');
      expect(outcome.issues.length).toBeGreaterThan(0);
      expect(drive.emulator.journal().filter((entry) => entry.kind === 'request')).toEqual([]);
    },
  );

  test('by what its wire cannot carry is refused before anything is made', async () => {
    await using drive = await startDrive('assistants');
    const image = { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } };
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: [{ role: 'user', content: [image] }] },
      { id: drive.id('wire') },
    );
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('invalid_request');
    expect(drive.emulator.journal().filter((entry) => entry.kind === 'request')).toEqual([]);
  });
});
