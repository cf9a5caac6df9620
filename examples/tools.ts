/** Tools of a small shop: two that only read, and one that must act once. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../src/tools/define-tool.ts';
import type { ToolContext } from '../src/tools/define-tool.ts';
import { ToolError } from '../src/tools/tool-error.ts';
import { writeToolJournal } from './tool-journal.ts';

/** What the service that starts a run may say about it; all of it optional, so that any run can use these tools. */
const shopContext = z
  .looseObject({
    tenant_id: z.string().min(1).default('demo'),
    /** How long each tool works, in milliseconds. */
    work_ms: z.int().min(0).max(3_600_000).default(0),
  })
  .nullish()
  .transform((context) => context ?? { tenant_id: 'demo', work_ms: 0 });

type Shop = z.output<typeof shopContext>;

/** Does `work` after the time that the context asks for, with a line in the journal before and after. */
async function journaled<T>(tool: string, ctx: ToolContext<Shop>, work: () => T): Promise<T> {
  const line = { tool, key: ctx.idempotencyKey, run_id: ctx.runId, tool_call_id: ctx.toolCallId };
  writeToolJournal({ ...line, event: 'started' });
  try {
    if (ctx.context.work_ms > 0) await sleep(ctx.context.work_ms, undefined, { signal: ctx.signal });
    const result = work();
    writeToolJournal({ ...line, event: 'finished' });
    return result;
  } catch (error) {
    writeToolJournal({ ...line, event: 'failed' });
    throw error;
  }
}

/** The same answer for the same question, as a shop's database would give. */
function pick<T>(seed: string, choices: readonly [T, ...T[]]): T {
  const byte = createHash('sha256').update(seed).digest()[0] ?? 0;
  return choices[byte % choices.length] ?? choices[0];
}

export const getTime = defineTool({
  name: 'get_time',
  description: 'The time of day in a time zone.',
  parameters: z.object({ time_zone: z.string().describe('IANA name, such as Europe/Berlin') }),
  context: shopContext,
  effect: 'none',
  execute: async ({ time_zone }, ctx) =>
    await journaled('get_time', ctx, () => {
      try {
        const time = new Intl.DateTimeFormat('en-GB', { timeZone: time_zone, timeStyle: 'short' });
        return { time_zone, time: time.format() };
      } catch {
        throw new ToolError('There is no such time zone.', { effect: 'none' });
      }
    }),
});

export const getWeather = defineTool({
  name: 'get_weather',
  description: 'The weather in a city, today.',
  parameters: z.object({ city: z.string().min(1) }),
  context: shopContext,
  effect: 'none',
  execute: async ({ city }, ctx) =>
    await journaled('get_weather', ctx, () => ({
      city,
      sky: pick(city, ['sunny', 'cloudy', 'rainy']),
      celsius: pick(`${city}°`, [4, 12, 19, 27]),
    })),
});

export const getOrder = defineTool({
  name: 'get_order',
  description: 'Where an order is, and what it cost.',
  parameters: z.object({ order_id: z.string().regex(/^\d{1,10}$/) }),
  context: shopContext,
  effect: 'none',
  execute: async ({ order_id }, ctx) =>
    await journaled('get_order', ctx, () => ({
      order_id,
      status: pick(order_id, ['packed', 'on its way', 'delivered']),
      cents: 4_900,
    })),
});

/** Refunds by key, in this process: what a payment provider would keep. */
const refunds = new Map<string, { readonly refund_id: string; readonly cents: number }>();

export const refundOrder = defineTool({
  name: 'refund_order',
  description: 'Refunds an order. Money moves.',
  parameters: z.object({
    order_id: z.string().regex(/^\d{1,10}$/),
    cents: z.int().min(1).max(100_000),
    note: z.string().max(500).optional(),
  }),
  context: shopContext,
  effect: 'once',
  effectKey: ({ order_id }, { context }) => [context.tenant_id, order_id],
  activity: { startToCloseTimeout: '10 minutes' },
  lookup: (key) => {
    const output = refunds.get(key);
    return output === undefined ? { status: 'unknown' } : { status: 'done', output };
  },
  execute: async ({ cents }, ctx) =>
    await journaled('refund_order', ctx, () => {
      const refund = { refund_id: `re_${ctx.idempotencyKey.slice(-12)}`, cents };
      refunds.set(ctx.idempotencyKey, refund);
      return refund;
    }),
});

export const exampleTools = [getTime, getWeather, getOrder, refundOrder];
