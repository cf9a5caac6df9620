import { assistants, responses } from '../../src/backends.ts';
import { defineConfig } from '../../src/index.ts';
import { EncryptionCodec } from './encryption-codec.ts';
import { refundOrder } from './once-tool.ts';
import { readSecret } from './secrets.ts';

const codecKey = Buffer.from(process.env['CODEC_KEY'] ?? '0'.repeat(64), 'hex');

export default defineConfig({
  taskQueue: 'shop',
  backends: {
    openai: responses({ apiKey: () => readSecret('OPENAI_API_KEY') }),
    foundry: responses({
      baseURL: 'https://foundry.example.com/openai/v1',
      apiKey: () => readSecret('ENTRA_TOKEN'),
      body: { agent_reference: { type: 'agent_reference', name: 'support' } },
    }),
    local: responses({ baseURL: 'http://127.0.0.1:8000/v1', mode: 'foreground', store: false }),
    classic: assistants({
      baseURL: 'https://foundry.example.com/api/projects/shop',
      query: { 'api-version': 'v1' },
      apiKey: () => readSecret('ENTRA_TOKEN'),
      betaHeader: null,
    }),
  },
  defaultBackend: 'openai',
  assistants: {
    support: {
      model: 'gpt-5',
      instructions: 'You answer for a shop.',
      tools: ['refund_order'],
      max_completion_tokens: 4_000,
    },
    archive: { backend: 'classic', provider_assistant_id: 'asst_1234', tools: [] },
  },
  tools: [refundOrder],
  limits: { deadline_seconds: 1_800, attempt_seconds: 600, rounds: 16 },
  retry: { attempts: 2, budget_ceiling_tokens: 16_000 },
  secrets: { CRM_TOKEN: () => readSecret('CRM_TOKEN') },
  dataConverter: { payloadCodecs: [new EncryptionCodec(codecKey)] },
  worker: { maxConcurrentActivityTaskExecutions: 2_000, shutdownGraceTime: '45 seconds' },
  metrics: { prometheus: '0.0.0.0:9464' },
});
