import { ActivityCancellationDetails, CancelledFailure } from '@temporalio/common';
import type { Logger, LogMetadata } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createToolActivities } from '../../src/activities/tools.ts';
import type { ToolActivitiesOptions } from '../../src/activities/tools.ts';
import { ACTIVITY_FAILURES } from '../../src/steps.ts';
import { defineRemoteTool, defineTool } from '../../src/tools/define-tool.ts';
import type { AnyTool, ToolContext } from '../../src/tools/define-tool.ts';
import { createRegistry } from '../../src/tools/registry.ts';
import { ToolError } from '../../src/tools/tool-error.ts';
import { failureOf, toolInput } from '../support/tool-fixtures.ts';

const SECRET = 'key-"of"-the-shop-1234';
const parameters = z.object({
  order_id: z.string(),
  note: z.string().optional(),
  cents: z.number().default(7),
});

interface LogEntry {
  readonly message: string;
  readonly meta: LogMetadata | undefined;
}

function recordingLogger(entries: LogEntry[]): Logger {
  const write = (message: string, meta?: LogMetadata): void => void entries.push({ message, meta });
  return {
    log: (_, message, meta) => write(message, meta),
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
  };
}

type Execute = (args: z.output<typeof parameters>, ctx: ToolContext<{ tenant_id: string }>) => unknown;

function shop(execute: Execute, changes: Partial<AnyTool> = {}): AnyTool {
  return defineTool({
    name: 'refund',
    description: 'Refunds an order.',
    parameters,
    context: z.object({ tenant_id: z.string() }),
    execute,
    ...(changes as object),
  });
}

interface Bench {
  readonly env: MockActivityEnvironment;
  readonly logs: LogEntry[];
  readonly beats: unknown[];
  readonly run: (...args: unknown[]) => Promise<string>;
}

function bench(tool: AnyTool, options: Partial<ToolActivitiesOptions> = {}, info: object = {}): Bench {
  const logs: LogEntry[] = [];
  const beats: unknown[] = [];
  const env = new MockActivityEnvironment(
    { activityType: tool.name, ...info },
    { logger: recordingLogger(logs) },
  );
  env.on('heartbeat', (details: unknown) => beats.push(details));
  const { runTool } = createToolActivities({ registry: createRegistry([tool]), ...options });
  return { env, logs, beats, run: (...args) => env.run(runTool, ...args) };
}

describe('what a handler is given', () => {
  test('has the arguments by its schema, the trusted context and the key', async () => {
    const seen: unknown[] = [];
    const { run } = bench(
      shop((args, { context, idempotencyKey, runId, toolCallId, attempt }) => {
        seen.push(args, context, idempotencyKey, runId, toolCallId, attempt);
      }),
    );
    await run(toolInput('refund', { arguments: '{"order_id":"1","note":null}', attempt: 2 }));
    expect(seen).toEqual([
      { order_id: '1', cents: 7 },
      { tenant_id: 'acme' },
      'first-run/refund/digest/1',
      'run-1',
      'call_1',
      2,
    ]);
  });

  test.each([
    ['bad JSON', { arguments: '{"order_id"' }, 'bad_arguments'],
    ['a wrong shape', { arguments: '{"order_id":7}' }, 'bad_arguments'],
    ['a context that does not fit', { context: null }, 'bad_context'],
  ])('does not start for %s, and says that nothing was done', async (_, changes, code) => {
    const execute = vi.fn<Execute>();
    const failure = await failureOf(bench(shop(execute)).run(toolInput('refund', changes)));
    expect(failure).toMatchObject({
      type: ACTIVITY_FAILURES.toolFailed,
      nonRetryable: true,
      details: { effect: 'none', output: expect.stringContaining(code) },
    });
    expect(execute).not.toHaveBeenCalled();
  });

  test('counts a check that breaks as a call that was not made', async () => {
    const tool = defineTool({
      name: 'refund',
      description: 'd',
      parameters: z.object({
        order_id: z.string().transform((): string => {
          throw new Error('the order is 1042');
        }),
      }),
      execute: () => '',
    });
    const failure = await failureOf(bench(tool).run(toolInput('refund')));
    expect(failure.details?.effect).toBe('none');
    expect(JSON.stringify(failure)).not.toContain('1042');
  });
});

describe('what the model reads', () => {
  test.each([
    ['a text', 'done', 'done'],
    ['an object', { ok: true }, '{"ok":true}'],
    ['nothing', undefined, ''],
    ['null', null, 'null'],
    ['a function', () => 1, ''],
    ['a lone surrogate', 'a\ud800', 'a\ufffd'],
    ['a secret', `key ${SECRET}`, 'key [redacted]'],
    ['a secret within JSON', { key: SECRET }, '{"key":"[redacted]"}'],
  ])('is, for %s', async (_, value, output) => {
    const { run } = bench(
      shop(() => value),
      { secrets: [SECRET, 'short'] },
    );
    expect(await run(toolInput('refund'))).toBe(output);
  });

  test.each([
    ['larger than its limit', 'x'.repeat(101), 'output_too_large'],
    ['too large in bytes', 'é'.repeat(51), 'output_too_large'],
    ['a bigint', { a: 1n }, 'output_not_serializable'],
  ])('is a notice where the output is %s: the work is done', async (_, value, code) => {
    const { run } = bench(shop(() => value, { maxOutputBytes: 100 }));
    const { error } = JSON.parse(await run(toolInput('refund'))) as {
      error: { code: string; message: string };
    };
    expect(error.code).toBe(code);
    expect(error.message).toContain('did its work');
  });

  test("is a ToolError's message, without secrets and not for ever", async () => {
    const tool = shop(() => {
      throw new ToolError(`no money with ${SECRET}`, { effect: 'none' });
    });
    expect(await failureOf(bench(tool, { secrets: [SECRET] }).run(toolInput('refund')))).toEqual({
      type: ACTIVITY_FAILURES.toolFailed,
      message: 'refund failed',
      nonRetryable: true,
      details: {
        effect: 'none',
        output: '{"error":{"code":"tool_failed","message":"no money with [redacted]"}}',
      },
    });
    const long = shop(() => {
      throw new ToolError('x'.repeat(1e6), { retryable: true });
    });
    const failure = await failureOf(bench(long).run(toolInput('refund')));
    expect(failure).toMatchObject({ nonRetryable: false, details: { effect: 'unknown' } });
    expect(JSON.stringify(failure).length).toBeLessThan(5_000);
  });

  test('is nothing of any other error, and neither history nor log gets its words', async () => {
    const { run, logs } = bench(
      shop(({ order_id }) => {
        throw new TypeError(`order ${order_id}\n    at 1042 with ${SECRET}`, { cause: new Error(SECRET) });
      }),
    );
    const failure = await failureOf(run(toolInput('refund')));
    expect(failure).toEqual({
      type: ACTIVITY_FAILURES.toolFailed,
      message: 'refund threw TypeError',
      nonRetryable: false,
      details: { effect: 'unknown', output: '{"error":{"code":"tool_failed","message":"refund failed."}}' },
    });
    const entry = logs.find(({ message }) => message === 'A tool threw');
    expect(entry?.meta).toMatchObject({ tool: 'refund', toolCallId: 'call_1', errorName: 'TypeError' });
    expect(JSON.stringify(entry?.meta?.['frames'])).toContain('tool-activity.test');
    expect(JSON.stringify(logs)).not.toMatch(/1042|of-the-shop/);
  });

  test.each([
    ['a text', 'order 1042'],
    ['an error with a name of its own making', Object.assign(new Error('x'), { name: 'order 1042' })],
    [
      'an error with another stack',
      Object.assign(new Error('order 1042'), { stack: 'order 1042 said otherwise' }),
    ],
    ['undefined', undefined],
  ])('is nothing of a thrown %s', async (_, thrown) => {
    const { run, logs } = bench(
      shop(() => {
        throw thrown;
      }),
    );
    expect(JSON.stringify([await failureOf(run(toolInput('refund'))), logs])).not.toContain('order 1042');
  });
});

describe('which calls a worker takes', () => {
  const execute = vi.fn<Execute>(() => 'ran');

  test('sends back a call of a tool that it lacks, or that another worker runs', async () => {
    const { run } = bench(shop(execute), {}, { activityType: 'other' });
    expect(await failureOf(run(toolInput('other')))).toMatchObject({
      type: ACTIVITY_FAILURES.notStarted,
      nonRetryable: true,
    });
    const remote = defineRemoteTool({
      name: 'remote',
      description: 'd',
      parameters: z.object({}),
      activity: { taskQueue: 'python' },
    });
    expect(await failureOf(bench(remote).run(toolInput('remote')))).toMatchObject({
      type: ACTIVITY_FAILURES.notStarted,
    });
  });

  test.each([
    ['once', 'idempotent'],
    ['once', 'none'],
    ['idempotent', 'none'],
  ] as const)('sends back a call of its %s tool that was planned as %s', async (here, planned) => {
    const failure = await failureOf(
      bench(shop(execute, { effect: here })).run(toolInput('refund', { effect: planned })),
    );
    expect(failure).toMatchObject({ type: ACTIVITY_FAILURES.notStarted, nonRetryable: true });
    expect(execute).not.toHaveBeenCalled();
  });

  test('takes a call that was planned as stricter', async () => {
    expect(
      await bench(shop(() => 'ran', { effect: 'none' })).run(toolInput('refund', { effect: 'idempotent' })),
    ).toBe('ran');
  });

  test.each([
    ['no input', []],
    ['the input of another activity', [{ order_id: '1' }]],
    ['two arguments', [toolInput('refund'), 1]],
    ['the input of another tool', [toolInput('other')]],
    ['an effect nobody knows', [{ ...toolInput('refund'), effect: 'constructor' }]],
  ])('answers as a worker without that activity for %s', async (_, args) => {
    const failure = await failureOf(bench(shop(execute)).run(...args));
    expect(failure).toMatchObject({ type: 'NotFoundError', nonRetryable: false });
    expect(execute).not.toHaveBeenCalled();
  });
});

describe('heartbeats', () => {
  test('begin at once, go on, and keep what the handler or an earlier try said last', async () => {
    const { run, beats } = bench(
      shop(async (_, { heartbeat, heartbeatDetails }) => {
        expect(heartbeatDetails).toEqual({ page: 1 });
        await vi.waitUntil(() => beats.length >= 2);
        heartbeat({ page: 2, key: SECRET });
        const told = beats.length;
        await vi.waitUntil(() => beats.length > told);
        heartbeat({ page: 'x'.repeat(1e6) });
        heartbeat(1n as never);
      }),
      { secrets: [SECRET] },
      { heartbeatTimeoutMs: 20, heartbeatDetails: { page: 1 } },
    );
    await run(toolInput('refund'));
    expect(beats[0]).toEqual({ page: 1 });
    const second = { page: 2, key: '[redacted]' };
    const from = beats.findIndex((details) => (details as { page: number }).page === 2);
    expect(from).toBeGreaterThan(1);
    expect(beats.slice(from).length).toBeGreaterThan(3);
    for (const details of beats.slice(from)) expect(details).toEqual(second);
  });

  test('are not sent where the activity has no heartbeat timeout', async () => {
    const { run, beats } = bench(shop(() => 'done'));
    await run(toolInput('refund'));
    expect(beats).toEqual([]);
  });
});

const cancel = (env: MockActivityEnvironment): void =>
  env.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));

describe('a cancelled tool', () => {
  test('ends with the cancellation where its handler gives up', async () => {
    const { run, env } = bench(
      shop((_, { signal }) => {
        cancel(env);
        signal.throwIfAborted();
      }),
    );
    await expect(run(toolInput('refund'))).rejects.toBeInstanceOf(CancelledFailure);
  });

  test('ends with the cancellation where its handler throws something else then', async () => {
    const { run, env, logs } = bench(
      shop(() => {
        cancel(env);
        throw new Error('socket closed');
      }),
    );
    await expect(run(toolInput('refund'))).rejects.toBeInstanceOf(CancelledFailure);
    expect(logs.some(({ message }) => message === 'A tool threw')).toBe(false);
  });

  test('tells what it knows of its effect', async () => {
    const { run, env } = bench(
      shop(() => {
        cancel(env);
        throw new ToolError('rolled back', { effect: 'none' });
      }),
    );
    expect((await failureOf(run(toolInput('refund')))).details?.effect).toBe('none');
  });

  test('gives its output where its handler finishes in time', async () => {
    const { run, env } = bench(
      shop(() => {
        cancel(env);
        return 'done';
      }),
    );
    expect(await run(toolInput('refund'))).toBe('done');
  });

  test('is given up where its handler ignores the signal, and its late end is logged', async () => {
    const gate = Promise.withResolvers<string>();
    const { run, env, logs } = bench(
      shop(() => {
        cancel(env);
        return gate.promise;
      }),
      { graceMs: 1 },
    );
    await expect(run(toolInput('refund'))).rejects.toBeInstanceOf(CancelledFailure);
    gate.reject(new Error('order 1042'));
    const late = await vi.waitUntil(() => logs.find(({ message }) => message.includes('given up')));
    expect(late.meta).toMatchObject({
      tool: 'refund',
      idempotencyKey: 'first-run/refund/digest/1',
      outcome: 'threw',
    });
    expect(JSON.stringify(logs)).not.toContain('order 1042');
  });

  test('does not start where the cancel came first', async () => {
    const execute = vi.fn<Execute>();
    const { run, env } = bench(shop(execute));
    cancel(env);
    await expect(run(toolInput('refund'))).rejects.toBeInstanceOf(CancelledFailure);
    expect(execute).not.toHaveBeenCalled();
  });
});

describe('a once tool, as far as no server is needed', () => {
  test.each([
    ['whose start was marked before', { heartbeatDetails: { drover_started: 'key' } }],
    [
      'whose start was marked before, in a later attempt',
      { attempt: 2, heartbeatDetails: { drover_started: 'key' } },
    ],
    ['in a later attempt', { attempt: 2 }],
    ['that was scheduled anew', { scheduledTimestampMs: 1, currentAttemptScheduledTimestampMs: 2 }],
  ])('is not started %s: its outcome is unknown', async (_, info) => {
    const execute = vi.fn<Execute>();
    const { run } = bench(shop(execute, { effect: 'once' }), {}, info);
    // Arguments that no longer fit change nothing: an earlier try may have acted on them.
    const failure = await failureOf(run(toolInput('refund', { effect: 'once', arguments: '{}' })));
    expect(failure).toMatchObject({
      type: ACTIVITY_FAILURES.toolFailed,
      nonRetryable: true,
      details: { effect: 'unknown' },
    });
    expect(execute).not.toHaveBeenCalled();
  });

  test('whose start was marked is not sent back by a worker that lacks it', async () => {
    const marked = { activityType: 'other', attempt: 2, heartbeatDetails: { drover_started: 'key' } };
    const { run } = bench(
      shop(() => ''),
      {},
      marked,
    );
    expect(await failureOf(run(toolInput('other', { effect: 'once' })))).toMatchObject({
      type: ACTIVITY_FAILURES.toolFailed,
      details: { effect: 'unknown' },
    });
  });

  test('is not started where its start cannot be written down', async () => {
    const execute = vi.fn<Execute>();
    const failure = await failureOf(
      bench(shop(execute, { effect: 'once' })).run(toolInput('refund', { effect: 'once' })),
    );
    expect(failure).toMatchObject({ type: ACTIVITY_FAILURES.notStarted, nonRetryable: true });
    expect(execute).not.toHaveBeenCalled();
  });
});

describe('lookupEffect', () => {
  const lookUp = (lookup: unknown, changes: Parameters<typeof toolInput>[1] = {}) => {
    const tool = shop(() => '', { effect: 'once', lookup } as Partial<AnyTool>);
    const env = new MockActivityEnvironment(
      { activityType: 'drover.lookupEffect' },
      { logger: recordingLogger([]) },
    );
    const { lookupEffect } = createToolActivities({ registry: createRegistry([tool]), secrets: [SECRET] });
    return env.run(lookupEffect, {
      name: 'refund',
      call: toolInput('refund', { effect: 'once', ...changes }),
    });
  };

  test('hands the key, the arguments and the context to the tool', async () => {
    const lookup = vi.fn<(key: string, args: unknown, ctx: ToolContext) => unknown>(() => ({
      status: 'done',
      output: { refunded: true, key: SECRET },
    }));
    expect(await lookUp(lookup)).toEqual({ status: 'done', output: '{"refunded":true,"key":"[redacted]"}' });
    const [[key, args, ctx] = []] = lookup.mock.calls;
    expect([key, args, ctx?.context]).toEqual([
      'first-run/refund/digest/1',
      { order_id: '1042', cents: 7 },
      { tenant_id: 'acme' },
    ]);
  });

  test.each([
    ['not_done', { status: 'not_done' }, 'not_done'],
    ['unknown', { status: 'unknown' }, 'unknown'],
    ['something else', { status: 'perhaps' }, 'unknown'],
  ])('passes %s on', async (_, found, status) => {
    expect(await lookUp(() => found)).toEqual({ status });
  });

  test('knows nothing of arguments that no longer fit', async () => {
    const lookup = vi.fn<() => unknown>();
    expect(await lookUp(lookup, { arguments: '{}' })).toEqual({ status: 'unknown' });
    expect(lookup).not.toHaveBeenCalled();
  });

  test('is asked again where it throws, and its words stay here', async () => {
    const failure = await failureOf(lookUp(() => Promise.reject(new Error('order 1042'))));
    expect(failure.nonRetryable).toBe(false);
    expect(JSON.stringify(failure)).not.toContain('1042');
  });

  test('is given up where it ignores its signal', async () => {
    const tool = shop(() => '', { effect: 'once', lookup: () => new Promise(() => undefined) } as object);
    const env = new MockActivityEnvironment({ activityType: 'drover.lookupEffect' });
    const { lookupEffect } = createToolActivities({ registry: createRegistry([tool]), graceMs: 1 });
    const asked = env.run(lookupEffect, { name: 'refund', call: toolInput('refund', { effect: 'once' }) });
    cancel(env);
    await expect(asked).rejects.toBeInstanceOf(CancelledFailure);
  });

  test('is asked again, perhaps of another worker, where this one has none', async () => {
    expect(await failureOf(lookUp(undefined))).toMatchObject({ type: 'NotFoundError', nonRetryable: false });
  });
});
