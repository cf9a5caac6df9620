import { defineConfig } from '../../src/index.ts';
import { responses } from '../../src/backends.ts';
import { mcpTools } from '../../src/mcp.ts';

const shop = await mcpTools({
  command: 'npx',
  args: ['mcp-server-everything', 'stdio'],
  tools: ['get-*', 'echo'],
  prefix: 'shop_',
  effect: { 'get-*': 'none', echo: 'idempotent' },
  needsApproval: ['echo'],
});

export default defineConfig({
  backends: { openai: responses() },
  assistants: {
    support: { model: 'gpt-5-mini', tools: ['shop_get-sum', 'shop_echo'] },
  },
  tools: [...shop],
});
