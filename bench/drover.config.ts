/** The configuration of the benched Drover: the emulator on both wires, one tool that does nothing, all else default. */
import { z } from 'zod';
import { assistants } from '../src/backends/assistants.ts';
import { responses } from '../src/backends/responses.ts';
import { defineConfig } from '../src/config.ts';
import { readEnvironment } from '../src/env.ts';
import { defineTool } from '../src/tools/define-tool.ts';

const { emulatorUrl: baseURL } = readEnvironment();

const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks something up.',
  parameters: z.object({ what: z.string() }),
  effect: 'none',
  execute: () => Promise.resolve('found'),
});

export default defineConfig({
  backends: { responses: responses({ baseURL }), assistants: assistants({ baseURL }) },
  defaultBackend: 'responses',
  // The request names the model, which is the script that the emulator plays.
  assistants: { bench: { model: 'bench', tools: ['look_up'] } },
  tools: [lookUp],
});
