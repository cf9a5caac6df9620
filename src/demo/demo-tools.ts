/** The demo's tools: a shop that looks things up, and moves money once. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../tools/define-tool.ts';
import type { ToolContext } from '../tools/define-tool.ts';
import { readToolEntries, writeToolEntry } from './tool-journal.ts';

const milliseconds = z.int().min(0).max(60_000).default(0);

/** What the demo says of each run: how slow the shop is today. */
const paceOfShop = z.object({
  /** How long a tool works before it acts. */
  work_ms: milliseconds,
  /** How long it takes to say so after it has acted: the time in which the demo kills its worker. */
  hold_ms: milliseconds,
});

type Context = ToolContext<z.output<typeof paceOfShop>>;

interface Work {
  readonly tool: string;
  readonly subject: string;
  readonly receipt: string;
}

async function workOn({ tool, subject, receipt }: Work, ctx: Context): Promise<void> {
  const { work_ms: workMs, hold_ms: holdMs } = ctx.context;
  const { idempotencyKey: key, runId, attempt, toolCallId, signal } = ctx;
  const line = { tool, subject, key, run_id: runId, attempt, tool_call_id: toolCallId };
  writeToolEntry({ ...line, event: 'started', receipt: null });
  try {
    await sleep(workMs, undefined, { signal });
  } catch (error) {
    writeToolEntry({ ...line, event: 'failed', receipt: null });
    throw error;
  }
  writeToolEntry({ ...line, event: 'done', receipt });
  await sleep(holdMs, undefined, { signal });
}

export const getTime = defineTool({
  name: 'get_time',
  description: 'The time of day in a time zone.',
  parameters: z.object({ time_zone: z.string().describe('IANA name, such as Europe/Berlin') }),
  context: paceOfShop,
  effect: 'none',
  execute: async ({ time_zone }, ctx) => {
    const time = new Intl.DateTimeFormat('en-GB', { timeZone: time_zone, timeStyle: 'short' }).format();
    await workOn({ tool: 'get_time', subject: time_zone, receipt: time }, ctx);
    return { time_zone, time };
  },
});

export const getWeather = defineTool({
  name: 'get_weather',
  description: 'The weather in a city, today.',
  parameters: z.object({ city: z.string().min(1) }),
  context: paceOfShop,
  effect: 'none',
  execute: async ({ city }, ctx) => {
    await workOn({ tool: 'get_weather', subject: city, receipt: 'sunny' }, ctx);
    return { city, sky: 'sunny', celsius: 21 };
  },
});

export const refundOrder = defineTool({
  name: 'refund_order',
  description: 'Refunds an order. Money moves.',
  parameters: z.object({
    order_id: z.string().regex(/^\d{1,10}$/),
    cents: z.int().min(1).max(100_000),
    note: z.string().max(500).optional(),
  }),
  context: paceOfShop,
  effect: 'once',
  effectKey: ({ order_id }) => [order_id],
  needsApproval: ({ cents }) => cents > 10_000,
  // The journal is the shop's book here. What is not in it may still be on its way into it.
  lookup: (key) => {
    const found = readToolEntries().find((entry) => entry.event === 'done' && entry.key === key);
    if (found === undefined) return { status: 'unknown' };
    return { status: 'done', output: { refund_id: found.receipt } };
  },
  execute: async ({ order_id }, ctx) => {
    const refundId = `re_${randomUUID().slice(0, 8)}`;
    await workOn({ tool: 'refund_order', subject: `order ${order_id}`, receipt: refundId }, ctx);
    return { refund_id: refundId };
  },
});
