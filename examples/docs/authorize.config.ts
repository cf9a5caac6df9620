import { responses } from '../../src/backends.ts';
import { defineConfig } from '../../src/index.ts';
import { askCustomer, refundOrder } from './approvals.ts';

const managers: ReadonlySet<string> = new Set(['maria', 'tom']);

export default defineConfig({
  backends: { openai: responses({ apiKey: () => process.env['OPENAI_API_KEY'] ?? '' }) },
  assistants: { support: { model: 'gpt-5', tools: ['refund_order', 'ask_customer'] } },
  tools: [refundOrder, askCustomer],
  authorizeDecision: ({ by, outcome }, { name }) => {
    if (name !== 'refund_order' || outcome === 'reject') return true;
    return managers.has(by ?? '') || 'A refund is approved by a manager.';
  },
});
