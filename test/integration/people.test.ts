/** Calls that wait on people: approvals, outputs that a service hands in, limits of time. */
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RunHandle } from '../../src/client.ts';
import type { WaitingCall } from '../../src/decisions.ts';
import { defineTool, type AnyTool } from '../../src/tools/define-tool.ts';
import { startDrive, WIRES, type Drive, type DriveOptions } from '../support/drive-harness.ts';
import { call } from '../support/recording-tools.ts';

const parameters = z.object({ order_id: z.string(), cents: z.number().int() });
type Refund = z.infer<typeof parameters>;
type Options = Partial<Parameters<typeof defineTool<typeof parameters>>[0]>;

const open: Drive[] = [];
afterEach(async () => {
  for (const drive of open.splice(0)) await drive[Symbol.asyncDispose]();
});

interface Shop {
  readonly drive: Drive;
  readonly refunds: Refund[];
}

async function startShop(
  tool: Options = {},
  options: DriveOptions & { readonly wire?: (typeof WIRES)[number]; readonly more?: readonly AnyTool[] } = {},
): Promise<Shop> {
  const refunds: Refund[] = [];
  const refund = defineTool({
    name: 'refund',
    description: 'Refunds an order.',
    parameters,
    effect: 'once',
    needsApproval: true,
    execute: (args) => {
      refunds.push(args);
      return `refunded ${args.order_id}`;
    },
    ...(tool as object),
  });
  const { wire = 'assistants', more = [], ...rest } = options;
  const drive = await startDrive(wire, { tools: [refund, ...more], ...rest });
  open.push(drive);
  return { drive, refunds };
}

const refund = (order_id: string, cents: number) => call('refund', { order_id, cents });
const ask = (...calls: ReturnType<typeof call>[]) => ({
  attempts: [{ steps: [{ call: calls }, { answer: 'Said: {{outputs}}' }] }],
});

async function begin({ drive }: Shop, label: string, fields: object = {}): Promise<RunHandle> {
  return drive.runs.start({ assistant_id: 'bot', input: 'Go', ...fields }, { id: drive.id(label) });
}

async function waits(run: RunHandle, count = 1): Promise<readonly WaitingCall[]> {
  await expect.poll(async () => (await run.waiting()).length, { timeout: 15_000 }).toBe(count);
  return run.waiting();
}

const updates = async (drive: Drive, run: RunHandle): Promise<number> =>
  (await drive.events(run.id)).filter((type) => type === 'workflowExecutionUpdateAcceptedEventAttributes')
    .length;

describe.each(WIRES)('a call that needs approval, on the %s wire', (wire) => {
  test('waits, does nothing until it is approved, and the result says who decided', async () => {
    const shop = await startShop({}, { wire });
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'approve');
    const [waiting] = await waits(run);
    expect(waiting).toMatchObject({ kind: 'approval', name: 'refund', attempt: 1, round: 1 });
    expect(JSON.parse(waiting!.arguments)).toEqual({ order_id: '7', cents: 500 });
    expect(shop.refunds).toEqual([]);
    expect((await run.progress()).waiting_calls).toEqual([
      expect.not.objectContaining({ arguments: expect.anything() }),
    ]);
    await run.approve(waiting!, { by: 'maria', reason: 'The parcel was lost.' });
    const result = await run.result();
    expect(result.output_text).toBe('Said: refunded 7');
    expect(result.tool_calls[0]).toMatchObject({
      status: 'completed',
      decision: { outcome: 'approve', by: 'maria', reason: 'The parcel was lost.' },
    });
    expect(shop.refunds).toHaveLength(1);
  });

  test('is refused with a reason that the model reads, and a model that insists asks nobody', async () => {
    const shop = await startShop({}, { wire });
    const steps = [{ call: [refund('7', 500)] }, { call: [refund('7', 500)] }, { answer: '{{outputs}}' }];
    shop.drive.play('bot', { attempts: [{ steps }] });
    const run = await begin(shop, 'reject');
    const [waiting] = await waits(run);
    await run.reject(waiting!, { by: 'maria', reason: 'Too much.' });
    const result = await run.result();
    expect(result.tool_calls.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(result.output_text).toContain('Too much.');
    expect(await updates(shop.drive, run)).toBe(1);
    expect(shop.refunds).toEqual([]);
  });

  test('goes on after its attempt expired meanwhile: made again, answered from the ledger, asked once', async () => {
    const shop = await startShop({}, { wire, emulator: { expiresAfterMs: 3_000 } });
    const steps = [{ call: [refund('7', 500)] }, { answer: 'Said: {{outputs}}' }];
    shop.drive.play('bot', { attempts: [{ steps }, { steps }] });
    const run = await begin(shop, 'expired');
    const [waiting] = await waits(run);
    if (wire === 'assistants') {
      await shop.drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'expired');
    }
    expect((await run.progress()).attempt).toBe(1);
    await run.approve(waiting!);
    const result = await run.result();
    expect(result.attempts).toHaveLength(wire === 'assistants' ? 2 : 1);
    expect(result.output_text).toBe('Said: refunded 7');
    expect(shop.refunds).toHaveLength(1);
    expect(await updates(shop.drive, run)).toBe(1);
  });
});

describe('approvals', () => {
  test('are asked for by a function of the arguments, in parallel, while other calls run', async () => {
    const shop = await startShop({ needsApproval: ({ cents }) => cents > 100 });
    shop.drive.play('bot', ask(refund('1', 50), refund('2', 500), refund('3', 101), refund('4', 100)));
    const run = await begin(shop, 'some');
    const waiting = await waits(run, 2);
    await expect.poll(() => shop.refunds.length).toBe(2);
    for (const held of waiting.toReversed()) await run.approve(held);
    const result = await run.result();
    expect(result.tool_calls.map(({ decision }) => decision?.outcome ?? null)).toEqual([
      null,
      'approve',
      'approve',
      null,
    ]);
    expect(shop.refunds).toHaveLength(4);
  });

  test('are waited for, while what follows the news of another call is made in a task of its own', async () => {
    const looks: string[] = [];
    const other = defineTool({
      name: 'pay_out',
      description: 'Pays.',
      parameters,
      effect: 'once',
      execute: () => {
        throw new Error('Nobody knows.');
      },
      lookup: (key) => {
        looks.push(key);
        return { status: 'done', output: 'found' };
      },
    });
    const shop = await startShop({}, { more: [other] });
    shop.drive.play('bot', ask(refund('1', 500), call('pay_out', { order_id: '2', cents: 1 })));
    const run = await begin(shop, 'news');
    const [waiting] = await waits(run);
    await expect.poll(() => looks.length).toBe(1);
    await run.approve(waiting!);
    expect((await run.result()).output_text).toContain('found');
    const { events } = await shop.drive.client.workflow.getHandle(run.id).fetchHistory();
    const lookup = events!.findIndex(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'drover.lookupEffect',
    );
    const news = events!.findIndex((event) => event.activityTaskFailedEventAttributes);
    // Not always right before it: a busy worker may record the two in two tasks.
    const between = events!.slice(news, lookup).filter((event) => event.markerRecordedEventAttributes);
    expect(news).toBeGreaterThan(0);
    expect(between).toHaveLength(1);
  });

  test('may be answered in the place of the tool', async () => {
    const shop = await startShop();
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'answer');
    const [waiting] = await waits(run);
    await run.answer(waiting!, 'refunded by hand', { by: 'maria' });
    const result = await run.result();
    expect(result.output_text).toBe('Said: refunded by hand');
    expect(result.tool_calls[0]).toMatchObject({ status: 'completed', decision: { outcome: 'answer' } });
    expect(shop.refunds).toEqual([]);
  });

  test('that are none are refused with a type, and nothing of them is recorded', async () => {
    const shop = await startShop();
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'refused');
    const [waiting] = await waits(run);
    const refusals: [string, () => Promise<void>][] = [
      ['unknown_call', () => run.approve({ ...waiting!, key: 'other' })],
      ['other_arguments', () => run.approve({ ...waiting!, arguments_digest: '0'.repeat(64) })],
      ['malformed', () => run.approve(waiting!, { reason: 'x'.repeat(3_000) })],
      ['malformed', () => run.decide({ ...waiting!, outcome: 'done', output: 'x' })],
      ['malformed', () => run.decide({ ...waiting!, outcome: 'perhaps' } as never)],
      ['malformed', () => run.decide({ ...waiting!, outcome: 'answer' } as never)],
      ['malformed', () => run.decide(null as never)],
    ];
    for (const [code, send] of refusals) {
      await expect(send()).rejects.toMatchObject({ name: 'DecisionRefusedError', code });
    }
    expect(await updates(shop.drive, run)).toBe(0);
    await run.approve(waiting!);
    await run.result();
    await expect(run.approve(waiting!)).rejects.toMatchObject({ code: 'unknown_call' });
    await expect(shop.drive.runs.getHandle('no-such-run').approve(waiting!)).rejects.toMatchObject({
      code: 'run_not_found',
    });
  });

  test('outlive every worker, and are found by what they wait for', async () => {
    const shop = await startShop();
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'deploy');
    const [waiting] = await waits(run);
    await shop.drive.stopWorkers();
    await shop.drive.startWorker();
    const find = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const { id } of shop.drive.runs.waiting("DroverWaiting = 'approval'")) found.push(id);
      return found;
    };
    await expect.poll(find, { timeout: 15_000 }).toContain(run.id);
    expect(await waits(run)).toEqual([waiting]);
    await run.approve(waiting!);
    await run.result();
    await expect.poll(find, { timeout: 15_000 }).not.toContain(run.id);
  });

  test('take no time from the deadline', async () => {
    const shop = await startShop();
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'deadline', { limits: { deadline_seconds: 2 } });
    const [waiting] = await waits(run);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await run.approve(waiting!);
    expect((await run.result()).output_text).toBe('Said: refunded 7');
  });

  test('that nobody gives in time are refusals that the model reads, or the end of the run', async () => {
    const soon = { timeout: '300 milliseconds' } as const;
    const told = await startShop({ decision: soon });
    told.drive.play('bot', ask(refund('7', 500)));
    const result = await (await begin(told, 'told')).result();
    expect(result.output_text).toContain('undecided');
    expect(result.tool_calls[0]).toMatchObject({ status: 'rejected', decision: { outcome: 'timed_out' } });

    const ended = await startShop({ decision: { ...soon, onTimeout: 'end' } });
    ended.drive.play('bot', ask(refund('7', 500)));
    const outcome = await (await begin(ended, 'ended')).outcome();
    expect(outcome.code).toBe('undecided');
    expect(outcome.attempts[0]?.status).toBe('cancelled');
    expect([...told.refunds, ...ended.refunds]).toEqual([]);
  });

  test('end with a cancel of the run', async () => {
    const shop = await startShop();
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'cancelled');
    const [waiting] = await waits(run);
    await run.cancel();
    const outcome = await run.outcome();
    expect(outcome.code).toBe('cancelled');
    expect(outcome.tool_calls[0]?.status).toBe('cancelled');
    await expect(run.approve(waiting!)).rejects.toMatchObject({ code: 'unknown_call' });
  });

  test('count only where the configuration allows them', async () => {
    const asked: unknown[] = [];
    const shop = await startShop(
      {},
      {
        config: {
          authorizeDecision: (decision, waiting, context) => {
            asked.push([decision.outcome, waiting.name, waiting.run_id, context]);
            if (decision.by === 'broken') throw new Error('the directory is down');
            return decision.by === 'maria' ? true : `${decision.by} may not refund.`;
          },
        },
      },
    );
    shop.drive.play('bot', ask(refund('7', 500)));
    const run = await begin(shop, 'authorized', { context: { tenant: 'acme' } });
    const [waiting] = await waits(run);
    const error: unknown = await run.approve(waiting!, { by: 'eve' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'not_authorized' });
    expect((error as Error).message).toContain('eve may not refund.');
    expect(shop.refunds).toEqual([]);
    await run.approve(waiting!, { by: 'maria' });
    await run.result();
    const decided: unknown[] = [];
    for await (const event of run.watch()) if (event.type === 'call_decided') decided.push(event.by);
    expect(decided).toEqual(['maria']);
    expect(asked).toEqual([
      ['approve', 'refund', run.id, { tenant: 'acme' }],
      ['approve', 'refund', run.id, { tenant: 'acme' }],
    ]);
    expect(shop.refunds).toHaveLength(1);
  });
});

test('a decision that is looked at while its run is cancelled comes too late, and says so', async () => {
  const looks = Promise.withResolvers<void>();
  const shop = await startShop(
    {},
    {
      config: {
        authorizeDecision: async () => {
          looks.resolve();
          // Past the time after which a workflow task is kept alive by another one, which brings the cancel.
          await new Promise((resolve) => setTimeout(resolve, 7_000));
          return true;
        },
      },
    },
  );
  shop.drive.play('bot', ask(refund('7', 500)));
  const run = await begin(shop, 'too-late');
  const [waiting] = await waits(run);
  const said = run.approve(waiting!, { by: 'maria' }).catch((thrown: unknown) => thrown);
  await looks.promise;
  await run.cancel();
  expect(await said).toMatchObject({ name: 'DecisionRefusedError', code: 'unknown_call' });
  expect((await run.outcome()).code).toBe('cancelled');
});

describe('a tool that the service runs itself', () => {
  const external = (needsApproval = false) =>
    defineTool({
      name: 'ask_customer',
      description: 'Asks the customer.',
      parameters: z.object({ question: z.string() }),
      external: true,
      needsApproval,
    });
  const question = call('ask_customer', { question: 'Which colour?' });

  test('waits for its output, beside tools that run, and is not asked twice by another attempt', async () => {
    const shop = await startShop({ needsApproval: false }, { more: [external()] });
    const steps = [{ call: [question, refund('7', 500)] }, { expire: true as const }];
    const again = [{ call: [question, refund('7', 500)] }, { answer: 'Said: {{outputs}}' }];
    shop.drive.play('bot', { attempts: [{ steps }, { steps: again }] });
    const run = await begin(shop, 'external');
    const [waiting] = await waits(run);
    expect(waiting?.kind).toBe('external');
    await expect(run.approve(waiting!)).rejects.toMatchObject({ code: 'malformed' });
    await run.answer(waiting!, 'blue');
    const result = await run.result();
    expect(result.attempts).toHaveLength(2);
    expect(result.output_text).toBe('Said: blue\nrefunded 7');
    expect(await updates(shop.drive, run)).toBe(1);
    expect(shop.refunds).toHaveLength(1);
  });

  test('may need an approval first', async () => {
    const shop = await startShop({}, { more: [external(true)] });
    shop.drive.play('bot', ask(question));
    const run = await begin(shop, 'approved-external');
    const [first] = await waits(run);
    expect(first?.kind).toBe('approval');
    await run.approve(first!);
    await expect.poll(async () => (await run.waiting())[0]?.kind, { timeout: 15_000 }).toBe('external');
    await run.answer((await run.waiting())[0]!, 'blue');
    expect((await run.result()).output_text).toBe('Said: blue');
  });
});

describe.each(WIRES)('a call of an MCP server that the provider asks about, on the %s wire', (wire) => {
  const buy = { server_label: 'shop', name: 'buy', arguments: { item: 7 } };
  const asking = { attempts: [{ steps: [{ approve: [buy] }, { answer: 'Bought.' }] }] };
  /** What the provider was told, by the wire's own names. */
  const told = (drive: Drive): readonly boolean[] =>
    drive.emulator
      .journal()
      .flatMap((entry) => (entry.kind === 'request' ? [JSON.stringify(entry.body ?? null)] : []))
      .flatMap((body) => [...body.matchAll(/"approve":(true|false)/g)].map(([, word]) => word === 'true'));

  test('waits like an approval, and the provider is told what was said', async () => {
    const shop = await startShop({}, { wire });
    shop.drive.play('bot', asking);
    const run = await begin(shop, 'mcp');
    const [waiting] = await waits(run);
    expect(waiting).toMatchObject({ kind: 'mcp_approval', name: 'shop.buy', arguments: '{"item":7}' });
    await expect(run.answer(waiting!, 'x')).rejects.toMatchObject({ code: 'malformed' });
    expect(told(shop.drive)).toEqual([]);
    await run.approve(waiting!, { by: 'maria' });
    const result = await run.result();
    expect(result.output_text).toBe('Bought.');
    expect(result.tool_calls).toMatchObject([
      { name: 'shop.buy', status: 'completed', decision: { outcome: 'approve', by: 'maria' } },
    ]);
    expect(told(shop.drive)).toEqual([true]);
  });

  test('may be refused', async () => {
    const shop = await startShop({}, { wire });
    shop.drive.play('bot', asking);
    const run = await begin(shop, 'mcp-refused');
    const [waiting] = await waits(run);
    await run.reject(waiting!, { reason: 'Too dear.' });
    const result = await run.result();
    expect(result.tool_calls).toMatchObject([{ status: 'rejected', decision: { reason: 'Too dear.' } }]);
    expect(told(shop.drive)).toEqual([false]);
  });
});
