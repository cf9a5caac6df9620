import { z } from 'zod';
import { defineTool, ToolError } from '../../src/index.ts';
import { payments } from './payments.ts';

export const refundOrder = defineTool({
  name: 'refund_order',
  description: 'Refunds an order. Money moves.',
  parameters: z.object({ order_id: z.string(), cents: z.int().min(1), note: z.string().optional() }),
  context: z.object({ tenant_id: z.string(), may_refund: z.boolean() }),
  effect: 'once',
  effectKey: ({ order_id }, { context }) => [context.tenant_id, order_id],
  onUnknown: 'wait',
  lookup: (key) => {
    const refund = payments.find(key);
    return refund === undefined ? { status: 'not_done' } : { status: 'done', output: refund };
  },
  activity: { startToCloseTimeout: '2 minutes' },
  execute: async ({ order_id, cents }, { context, idempotencyKey }) => {
    if (!context.may_refund) throw new ToolError('Refunds are switched off.', { effect: 'none' });
    return await payments.refund({ order_id, cents, idempotencyKey });
  },
});
