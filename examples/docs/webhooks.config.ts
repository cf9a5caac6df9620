import { readFile } from 'node:fs/promises';
import { defineConfig } from '../../src/index.ts';
import { responses } from '../../src/backends.ts';

export default defineConfig({
  backends: {
    openai: responses({
      apiKey: () => readFile('/run/secrets/openai', 'utf8'),
      webhookSecret: () => readFile('/run/secrets/openai-webhooks', 'utf8'),
    }),
  },
  assistants: { support: { model: 'gpt-5-mini' } },
});
