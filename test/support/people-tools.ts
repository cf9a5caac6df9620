/** Tools that wait for people. */
import { z } from 'zod';
import { defineTool, type AnyTool, type DecisionLimit } from '../../src/tools/define-tool.ts';

export const sendGift = (decision?: DecisionLimit): AnyTool =>
  defineTool({
    name: 'send_gift',
    description: 'Sends a gift.',
    parameters: z.object({ order_id: z.string() }),
    effect: 'once',
    needsApproval: true,
    ...(decision === undefined ? {} : { decision }),
    execute: ({ order_id }) => `sent for ${order_id}`,
  });

export const askCustomer = defineTool({
  name: 'ask_customer',
  description: 'Asks the customer.',
  parameters: z.object({ question: z.string() }),
  external: true,
});
