import { responses } from '../../src/backends.ts';
import { defineConfig } from '../../src/index.ts';
import { refundOrder } from './tools.ts';

export default defineConfig({
  backends: { openai: responses({ apiKey: () => process.env['OPENAI_API_KEY'] ?? '' }) },
  assistants: {
    support: { model: 'gpt-5', instructions: 'You answer for a shop.', tools: ['refund_order'] },
  },
  tools: [refundOrder],
});
