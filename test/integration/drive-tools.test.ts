import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { NAMES } from '../../src/contract.ts';
import type { RunResult } from '../../src/contract.ts';
import { defineTool, type LookupResult } from '../../src/tools/define-tool.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { nobody } from '../support/nobody-tool.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';
import { until } from '../support/until.ts';

const ended = (result: RunResult) => result.tool_calls.map(({ name, status }) => [name, status]);

describe.each(WIRES)('what a model may call on the %s wire', (wire) => {
  let drive: Drive;
  let shop: Recording;
  beforeAll(async () => {
    shop = recordingTools();
    drive = await startDrive(wire, {
      tools: shop.tools,
      assistant: { tools: ['get_order', 'refund_order', 'set_note', 'break_down'] },
      config: {
        worker: { activities: { sendMail: () => Promise.reject(new Error('a model called an activity')) } },
      },
    });
  });
  beforeEach(() => void shop.effects.splice(0));
  afterAll(() => drive[Symbol.asyncDispose]());

  const run = (label: string, calls: ReturnType<typeof call>[], fields: object = {}) => {
    drive.play('bot', { attempts: [{ steps: [{ call: calls }, { answer: '{{outputs}}' }] }] });
    return drive.runs.execute({ assistant_id: 'bot', input: 'Go', ...fields }, { id: drive.id(label) });
  };

  test('is answered with an error that it can read where its arguments are no JSON or of the wrong shape', async () => {
    const result = await run('bad', [call('get_order', '{"order_id": '), call('get_order', { order: 7 })]);
    expect(ended(result)).toEqual([
      ['get_order', 'bad_arguments'],
      ['get_order', 'bad_arguments'],
    ]);
    expect(result.tool_calls.map(({ output }) => JSON.parse(output!).error.code)).toEqual([
      'bad_arguments',
      'bad_arguments',
    ]);
    expect(shop.effects).toEqual([]);
  });

  const hostile = [
    ...Object.values(NAMES.activities),
    'sendMail',
    '__proto__',
    'constructor',
    'toString',
    'default',
    'no_such_tool',
    '',
  ];

  test('reaches no activity by any name but those of its tools', async () => {
    const result = await run(
      'hostile',
      hostile.map((name) => call(name, {})),
    );
    expect(result.tool_calls).toHaveLength(hostile.length);
    for (const { name, status, key } of result.tool_calls) {
      expect([name, ['unknown_tool', 'not_allowed'].includes(status)]).toEqual([name, true]);
      expect(key).toBeNull();
    }
    const { events } = await drive.client.workflow.getHandle(result.run.id).fetchHistory();
    const activities = (events ?? [])
      .map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name)
      .filter(Boolean);
    const own: readonly unknown[] = [
      NAMES.activities.awaitRun,
      NAMES.activities.createRun,
      NAMES.activities.submitOutputs,
    ];
    expect(activities.filter((type) => !own.includes(type))).toEqual([]);
    expect(activities.filter((type) => type === NAMES.activities.createRun).length).toBeLessThan(2);
  });

  test('is what the run lists, and not all that is registered', async () => {
    const result = await run(
      'unlisted',
      [call('set_note', { order_id: '7' }), call('get_order', { order_id: '7' })],
      { tools: ['get_order'] },
    );
    expect(ended(result)).toEqual([
      ['set_note', 'not_allowed'],
      ['get_order', 'completed'],
    ]);
  });

  test('a tool that throws is retried by its policy and then answered with an error', async () => {
    const result = await run('throws', [call('break_down', {})]);
    expect(ended(result)).toEqual([['break_down', 'failed']]);
    expect(shop.effects).toHaveLength(2);
    expect(new Set(shop.effects.map(({ key }) => key)).size).toBe(1);
    expect(result.run.status).toBe('completed');
  });

  test('a once-only tool that says it did nothing is a failure that the model reads', async () => {
    const result = await run('refuses', [call('refund_order', { order_id: '7', cents: 1, note: 'refuse' })]);
    expect(ended(result)).toEqual([['refund_order', 'failed']]);
    expect(result.output_text).toContain('This order cannot be refunded.');
  });

  test('equal calls of a tool that names its effect are one effect, other arguments are divergent', async () => {
    const result = await run('equal', [
      call('refund_order', { order_id: '7', cents: 100 }),
      call('refund_order', { order_id: '7', cents: 50 }),
      call('refund_order', { order_id: '8', cents: 100 }),
    ]);
    expect(shop.effects).toHaveLength(2);
    expect(shop.effects.map(({ args }) => args)).toEqual(
      expect.arrayContaining([
        { order_id: '7', cents: 100 },
        { order_id: '8', cents: 100 },
      ]),
    );
    expect(result.tool_calls.map(({ reused, divergent }) => [reused, divergent])).toEqual([
      [false, false],
      [true, true],
      [false, false],
    ]);
  });

  test('the context of the service reaches the tools, and never the provider', async () => {
    await run('context', [call('get_order', { order_id: '7' })], { context: { tenant_id: 'marked-tenant' } });
    expect(shop.effects[0]!.context).toEqual({ tenant_id: 'marked-tenant' });
    expect(JSON.stringify(drive.emulator.journal())).not.toContain('marked-tenant');
  });
});

describe('an effect whose outcome is unknown', () => {
  const unknown = {
    attempts: [
      {
        steps: [
          { call: [call('refund_order', { order_id: '7', cents: 1, note: 'throw' })] },
          { answer: 'Said: {{outputs}}' },
        ],
      },
    ],
  };
  const request = { assistant_id: 'bot', input: 'Refund' };

  test('ends the run by effect_unknown, with the call in the result and nothing alive at the provider', async () => {
    const shop = recordingTools('end');
    await using drive = await startDrive('assistants', { tools: shop.tools });
    drive.play('bot', unknown);
    const outcome = await (await drive.runs.start(request, { id: drive.id('end') })).outcome();
    expect(outcome.code).toBe('effect_unknown');
    expect(ended(outcome)).toEqual([['refund_order', 'unknown_outcome']]);
    expect(outcome.attempts[0]).toMatchObject({ status: 'cancelled' });
    expect(shop.effects).toHaveLength(1);
  });

  test('is told to the model where the tool wants that', async () => {
    const shop = recordingTools('tell_model');
    await using drive = await startDrive('assistants', { tools: shop.tools });
    drive.play('bot', unknown);
    const result = await drive.runs.execute(request, { id: drive.id('tell') });
    expect(result.output_text).toContain('unknown_outcome');
    expect(shop.effects).toHaveLength(1);
  });

  test("is settled by the tool's own lookup", async () => {
    const shop = recordingTools('end');
    shop.lookup = 'done';
    await using drive = await startDrive('assistants', { tools: shop.tools });
    drive.play('bot', unknown);
    const result = await drive.runs.execute(request, { id: drive.id('lookup') });
    expect(result.output_text).toBe('Said: found: refunded');
  });

  test('is tried again where its lookup says that nothing was done, with pauses and not for ever', async () => {
    const shop = recordingTools('end');
    shop.lookup = 'not_done';
    await using drive = await startDrive('assistants', { tools: shop.tools });
    drive.play('bot', unknown);
    const result = await drive.runs.execute(request, { id: drive.id('undone') });
    expect(result.output_text).toContain('Nothing was done');
    expect(ended(result)).toEqual([['refund_order', 'failed']]);
    expect(shop.effects).toHaveLength(5);
    expect(new Set(shop.effects.map(({ key }) => key)).size).toBe(1);
  });

  test('is looked up where its tool has its handler', async () => {
    const pay = (queue: object, found: () => Promise<LookupResult>) =>
      defineTool({
        name: 'pay',
        description: 'Pays.',
        parameters: z.object({}),
        effect: 'once',
        activity: queue,
        lookup: found,
        execute: () => Promise.reject(new Error('the connection broke')),
      });
    const paid = { status: 'done', output: 'paid there' } as const;
    await using there = await startDrive('assistants', { tools: [pay({}, () => Promise.resolve(paid))] });
    const here = pay({ taskQueue: there.taskQueue }, () => Promise.reject(new Error('no access from here')));
    await using drive = await startDrive('assistants', { tools: [here] });
    drive.play('bot', { attempts: [{ steps: [{ call: [call('pay', {})] }, { answer: '{{outputs}}' }] }] });
    const result = await drive.runs.execute(request, { id: drive.id('lookup-there') });
    expect(result.output_text).toBe('paid there');
  });

  test('is not that of a call which a cancel met before it was dispatched again', async () => {
    await using drive = await startDrive('assistants', { tools: [nobody] });
    drive.play('bot', { attempts: [{ steps: [{ call: [call('nobody', {})] }, { answer: 'Done.' }] }] });
    const handle = await drive.runs.start(request, { id: drive.id('between') });
    const { workflow } = handle;
    await until(async () => {
      const { events } = await workflow.fetchHistory();
      return events?.some((event) => event.timerStartedEventAttributes) === true ? true : undefined;
    });
    await handle.cancel();
    expect(ended(await handle.outcome())).toEqual([['nobody', 'cancelled']]);
    const seed = await workflow.query<{ ledger: { entries: { status: string }[] } } | null>('seed');
    expect(JSON.stringify(seed)).toContain('"failed"');
    expect(JSON.stringify(seed)).not.toContain('"unknown"');
  });

  test('stays unknown where the run is cancelled while it waits for a person', async () => {
    const shop = recordingTools('wait');
    await using drive = await startDrive('assistants', { tools: shop.tools });
    drive.play('bot', unknown);
    const handle = await drive.runs.start(request, { id: drive.id('wait-cancelled') });
    await waitForUnsettled(drive, handle.id);
    await handle.cancel();
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('cancelled');
    expect(ended(outcome)).toEqual([['refund_order', 'unknown_outcome']]);
  });

  test('waits for a person, who says that it was done', async () => {
    const shop = recordingTools('wait');
    await using drive = await startDrive('assistants', { tools: shop.tools });
    drive.play('bot', unknown);
    const handle = await drive.runs.start(request, { id: drive.id('wait') });
    const key = await waitForUnsettled(drive, handle.id);
    const workflow = drive.client.workflow.getHandle(handle.id);
    await expect(
      workflow.executeUpdate('settleEffect', { args: [{ key: 'another', outcome: 'done', output: 'x' }] }),
    ).rejects.toThrow('Workflow Update failed');
    await workflow.executeUpdate('settleEffect', { args: [{ key, outcome: 'done', output: 'by hand' }] });
    const result = await handle.result();
    expect(result.output_text).toBe('Said: by hand');
    expect(shop.effects).toHaveLength(1);
  });
});

async function waitForUnsettled(drive: Drive, id: string): Promise<string> {
  return expect
    .poll(
      async () =>
        (
          await drive.client.workflow
            .getHandle(id)
            .query<{ unsettled_effects: { key: string }[] }>('progress')
        ).unsettled_effects[0]?.key,
      { timeout: 15_000 },
    )
    .toBeTypeOf('string')
    .then(
      async () =>
        (
          await drive.client.workflow
            .getHandle(id)
            .query<{ unsettled_effects: { key: string }[] }>('progress')
        ).unsettled_effects[0]!.key,
    );
}
