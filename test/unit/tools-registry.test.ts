import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { checkContext } from '../../src/tools/check-context.ts';
import { defineRemoteTool, defineTool } from '../../src/tools/define-tool.ts';
import type { AnyTool, ToolContext } from '../../src/tools/define-tool.ts';
import { createRegistry } from '../../src/tools/registry.ts';
import { TOOL_DEFAULTS } from '../../src/tools/tool-defaults.ts';
import {
  isToolDefinitionError,
  isToolError,
  ToolDefinitionError,
  ToolError,
} from '../../src/tools/tool-error.ts';

const parameters = z.object({ order_id: z.string() });

const getOrder = defineTool({
  name: 'get_order',
  description: 'Reads an order.',
  parameters,
  effect: 'none',
  execute: ({ order_id }) => ({ order_id }),
});

const refund = defineTool({
  name: 'refund_order',
  description: 'Refunds an order.',
  parameters,
  context: z.object({ tenant_id: z.string() }),
  effect: 'once',
  effectKey: ({ order_id }, { context }) => [context.tenant_id, order_id],
  lookup: () => ({ status: 'not_done' }),
  activity: { startToCloseTimeout: '3 minutes', retry: { maximumAttempts: 3 }, taskQueue: 'payments' },
  execute: () => 'refunded',
});

const geocode = defineRemoteTool({
  name: 'geocode',
  description: 'Finds a place.',
  parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  activity: { taskQueue: 'python-tools' },
});

function mistakes(...tools: unknown[]): readonly string[] {
  try {
    createRegistry(tools as AnyTool[]);
    return [];
  } catch (error) {
    if (!isToolDefinitionError(error)) throw error;
    return error.issues.map(({ field }) => field);
  }
}

describe('createRegistry', () => {
  test('finds tools by name, in the order they came', () => {
    const registry = createRegistry([refund, getOrder, geocode]);
    expect(registry.names()).toEqual(['refund_order', 'get_order', 'geocode']);
    expect(registry.get('get_order')).toBe(getOrder);
  });

  test.each(['__proto__', 'constructor', 'toString', 'drover.createRun', '', 'get_order ', 'x'.repeat(1e6)])(
    'knows no tool named %.20s',
    (name) => {
      const registry = createRegistry([getOrder]);
      expect(registry.get(name)).toBeUndefined();
      expect(() => registry.policy(name)).toThrow(RangeError);
      expect(() => registry.definition(name)).toThrow(RangeError);
    },
  );

  test("gives the wire's tool object, the same bytes each time", () => {
    const definition = createRegistry([getOrder]).definition('get_order');
    expect(definition).toEqual({
      type: 'function',
      function: {
        name: 'get_order',
        description: 'Reads an order.',
        parameters: {
          type: 'object',
          properties: { order_id: { type: 'string' } },
          required: ['order_id'],
          additionalProperties: false,
        },
        strict: true,
      },
    });
    expect(JSON.stringify(createRegistry([getOrder]).definition('get_order'))).toBe(
      JSON.stringify(definition),
    );
  });

  test('gives policies with the defaults filled in', () => {
    const registry = createRegistry([getOrder, refund, geocode]);
    expect(registry.policy('get_order')).toEqual({
      effect: 'none',
      keyed: false,
      remote: false,
      reuse: false,
      on_unknown: 'end',
      has_lookup: false,
      task_queue: null,
      start_to_close_ms: 120_000,
      schedule_to_start_ms: null,
      heartbeat_ms: TOOL_DEFAULTS.heartbeatMs,
      max_output_bytes: 65_536,
      retry: {
        maximum_attempts: 3,
        initial_interval_ms: 1000,
        backoff_coefficient: 2,
        maximum_interval_ms: 30_000,
      },
      priority: null,
    });
    expect(registry.policy('refund_order')).toMatchObject({
      effect: 'once',
      keyed: true,
      has_lookup: true,
      task_queue: 'payments',
      start_to_close_ms: 180_000,
      schedule_to_start_ms: 300_000,
      heartbeat_ms: 5_000,
      // A handler of a `once` tool is never started twice, whatever its definition says of retries.
      retry: { maximum_attempts: 1 },
    });
    expect(registry.policy('geocode')).toMatchObject({
      effect: 'idempotent',
      remote: true,
      heartbeat_ms: null,
      task_queue: 'python-tools',
    });
  });

  test('reports every mistake of every tool at once', () => {
    const bad = { kind: 'local', name: 'a b', description: ' ', parameters: z.object({ at: z.date() }) };
    expect(
      mistakes(bad, { ...getOrder, reuse: 'yes', maxOutputBytes: 1e9 }, getOrder, null, {
        ...refund,
        kind: 'x',
      }),
    ).toEqual([
      'tools.a b.name',
      'tools.a b.description',
      'tools.a b.execute',
      'tools.a b.parameters.at',
      'tools.get_order.maxOutputBytes',
      'tools.get_order.reuse',
      'tools.get_order.name',
      'tools.3',
      'tools.refund_order.',
    ]);
  });

  test.each([
    ['a reserved name', { name: 'constructor' }, ['constructor.name']],
    ['a name of Temporal', { name: '__temporal_x' }, ['__temporal_x.name']],
    ["the SDK's default", { name: 'default' }, ['default.name']],
    ['a dotted name', { name: 'drover.createRun' }, ['drover.createRun.name']],
    ['a lookup without once', { lookup: () => ({ status: 'unknown' }) }, ['t.lookup']],
    ['onUnknown without once', { onUnknown: 'wait' }, ['t.onUnknown']],
    ['an effect key without an effect', { effect: 'none', effectKey: () => 1 }, ['t.effectKey']],
    ['reuse with an effect', { reuse: true }, ['t.reuse']],
    ['an unknown effect', { effect: 'twice' }, ['t.effect']],
    ['a misspelt option', { exectue: () => 1 }, ['t.exectue']],
    [
      'bad durations',
      { activity: { startToCloseTimeout: 'soon', heartbeatTimeout: -1 } },
      ['t.activity.startToCloseTimeout', 't.activity.heartbeatTimeout'],
    ],
    [
      'endless retries',
      { activity: { retry: { maximumAttempts: 0 } } },
      ['t.activity.retry.maximumAttempts'],
    ],
    [
      'a longest wait below the first one',
      { activity: { retry: { initialInterval: '1 minute', maximumInterval: '30 seconds' } } },
      ['t.activity.retry.maximumInterval'],
    ],
    ['a bad priority', { activity: { priority: { priorityKey: 9 } } }, ['t.activity.priority.priorityKey']],
    ['a misspelt priority', { activity: { priority: { priority: 1 } } }, ['t.activity.priority.priority']],
    [
      'no task queue for a remote tool',
      { kind: 'remote', execute: undefined },
      ['t.execute', 't.activity.taskQueue'],
    ],
  ])('refuses %s', (_, change, fields) => {
    const tool = { kind: 'local', name: 't', description: 'd', parameters, execute: () => '', ...change };
    expect(mistakes(tool)).toEqual(fields.map((field) => `tools.${field}`));
  });
});

test('a tool that cannot be read is a mistake beside the others', () => {
  const broken = Object.defineProperty({ kind: 'local', name: 'broken' }, 'description', {
    get: () => {
      throw new Error('no such text\n    at somewhere');
    },
  });
  const nameless = {
    kind: 'local',
    name: 'x'.repeat(1_000),
    description: 'd',
    parameters,
    execute: () => '',
  };
  expect(mistakes(broken, nameless)).toEqual(['tools.broken', `tools."${'x'.repeat(40)}…".name`]);
});

test('no more mistakes are shown than can be read', () => {
  const options = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`option_${index}`, 1]));
  const tool = { kind: 'local', name: 't', description: 'd', parameters, execute: () => '', ...options };
  expect(mistakes(tool)).toHaveLength(1_000);
  expect(() => createRegistry([tool as unknown as AnyTool])).toThrow(/and 950 more/);
});

test('waits between tries no less than the first time, where nothing else is said', () => {
  const retry = { initialInterval: '1 minute' } as const;
  const tool = defineTool({
    name: 't',
    description: 'd',
    parameters: z.object({}),
    activity: { retry },
    execute: () => '',
  });
  expect(createRegistry([tool]).policy('t').retry).toMatchObject({
    initial_interval_ms: 60_000,
    maximum_interval_ms: 60_000,
  });
});

describe('types of a tool', () => {
  test("follow from its schemas: arguments after, effectKey's before the schema's defaults", () => {
    defineTool({
      name: 'typed',
      description: 'd',
      parameters: z.object({
        count: z.number().default(1),
        text: z.string().transform((held) => held.length),
      }),
      context: z.object({ tenant: z.string() }),
      effectKey: (args, ctx) => {
        expectTypeOf(args).toEqualTypeOf<{ count?: number | undefined; text: string }>();
        expectTypeOf(ctx.context).toEqualTypeOf<{ tenant: string }>();
        return args.text;
      },
      execute: (args, ctx) => {
        expectTypeOf(args).toEqualTypeOf<{ count: number; text: number }>();
        expectTypeOf(ctx).toEqualTypeOf<ToolContext<{ tenant: string }>>();
        return '';
      },
    });
    expectTypeOf(refund).toExtend<AnyTool>();
    expectTypeOf(geocode).toExtend<AnyTool>();
    expect(Object.isFrozen(refund)).toBe(true);
  });
});

describe('checkContext', () => {
  test('names what each tool misses, and asks no tool of another run', async () => {
    const registry = createRegistry([getOrder, refund]);
    expect(await checkContext(registry, ['get_order', 'nobody'], null)).toEqual([]);
    expect(await checkContext(registry, ['refund_order'], { tenant_id: 'acme' })).toEqual([]);
    expect(await checkContext(registry, ['refund_order'], {})).toEqual([
      { field: 'context.tenant_id', message: expect.stringContaining('refund_order') },
    ]);
  });
});

describe('the errors of tools', () => {
  test('are known by their names, also from another copy of Drover', () => {
    const foreign = Object.assign(new Error('no'), { name: 'ToolError', effect: 'none', retryable: false });
    expect([new ToolError('no'), foreign].map(isToolError)).toEqual([true, true]);
    expect(
      [new Error('no'), { name: 'ToolError' }, null, Object.assign(new Error(''), { name: 'ToolError' })].map(
        isToolError,
      ),
    ).toEqual([false, false, false, false]);
    expect(isToolDefinitionError(new ToolDefinitionError([]))).toBe(true);
    expect(isToolDefinitionError(new ToolError('no'))).toBe(false);
  });

  test('count an effect as unknown unless told otherwise', () => {
    expect(new ToolError('no')).toMatchObject({ effect: 'unknown', retryable: false, message: 'no' });
    expect(new ToolError('no', { effect: 'none', retryable: true })).toMatchObject({
      effect: 'none',
      retryable: true,
    });
  });
});
