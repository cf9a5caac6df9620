import { responses } from '../../src/backends.ts';
import { defineConfig } from '../../src/index.ts';
import { refundOrder } from './once-tool.ts';

export default defineConfig({
  backends: { local: responses({ baseURL: 'http://127.0.0.1:8787/v1' }) },
  assistants: { support: { model: 'shop', tools: ['refund_order'] } },
  tools: [refundOrder],
});
