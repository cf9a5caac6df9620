import { z } from 'zod';
import { defineTool } from '../../src/index.ts';
import { payments } from './payments.ts';

export const refundOrder = defineTool({
  name: 'refund_order',
  description: 'Refunds an order. Money moves.',
  parameters: z.object({ order_id: z.string(), cents: z.int().min(1) }),
  effect: 'once',
  effectKey: ({ order_id }) => [order_id],
  execute: async (order, { idempotencyKey }) => await payments.refund({ ...order, idempotencyKey }),
});
