import { z } from 'zod';
import { defineTool } from '../../src/index.ts';
import { payments } from './payments.ts';

export const refundOrder = defineTool({
  name: 'refund_order',
  description: 'Refunds an order. Money moves.',
  parameters: z.object({ order_id: z.string(), cents: z.int().min(1) }),
  effect: 'once',
  effectKey: ({ order_id }) => [order_id],
  needsApproval: ({ cents }) => cents > 10_000,
  decision: { timeout: '3 days', onTimeout: 'reject' },
  execute: async (order, { idempotencyKey }) => await payments.refund({ ...order, idempotencyKey }),
});

export const askCustomer = defineTool({
  name: 'ask_customer',
  description: 'Asks the customer a question and waits for the answer.',
  parameters: z.object({ question: z.string() }),
  external: true,
});
