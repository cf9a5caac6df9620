/** The configuration of the workers that tests start as processes. What differs between tests comes by environment. */
import { z } from 'zod';
import { exampleTools } from '../../examples/tools.ts';
import { writeToolJournal } from '../../examples/tool-journal.ts';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import { defineConfig } from '../../src/config.ts';
import { readEnvironment } from '../../src/env.ts';
import { defineTool } from '../../src/tools/define-tool.ts';

const { emulatorUrl: baseURL } = readEnvironment();

/** Never ends, whatever it is told. */
const stubborn = defineTool({
  name: 'stubborn',
  description: 'Works for ever.',
  parameters: z.object({}),
  execute: async (_args, ctx) => {
    const line = {
      tool: 'stubborn',
      run_id: ctx.runId,
      tool_call_id: ctx.toolCallId,
      key: ctx.idempotencyKey,
    };
    writeToolJournal({ ...line, event: 'started' });
    return await new Promise(() => {
      setInterval(() => undefined, 1_000);
    });
  },
});

const tools = [...exampleTools, stubborn];
const names = tools.map(({ name }) => name);
const graceSeconds = Number(process.env['DROVER_TEST_GRACE_SECONDS'] ?? '20');

export default defineConfig({
  backends: { responses: responses({ baseURL }), assistants: assistants({ baseURL }) },
  defaultBackend: 'responses',
  assistants: Object.fromEntries(
    ['thinks', 'refunds', 'stubborn'].map((model) => [model, { model, tools: names }]),
  ),
  tools,
  worker: { shutdownGraceTime: graceSeconds * 1_000, shutdownForceTime: graceSeconds * 1_000 + 1_000 },
});
