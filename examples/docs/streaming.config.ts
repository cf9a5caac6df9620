import { defineConfig } from '../../src/index.ts';
import { responses } from '../../src/backends.ts';

export default defineConfig({
  backends: { openai: responses({ stream: true }) },
  assistants: { support: { model: 'gpt-5-mini' } },
});
