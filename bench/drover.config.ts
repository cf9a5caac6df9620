/** The configuration of the benched Drover: the emulator on both wires, tools that do nothing, all else default. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type * as Backends from '../src/backends.ts';
import type * as Drover from '../src/index.ts';
import { PUSHED, PUSHED_URL, WEBHOOK_SECRET } from './pushed.ts';

// The built worker loads this file; what it gets has to be of the same build.
const isBuilt = /[\\/]dist[\\/]worker\.js$/.test(process.argv[1] ?? '');
const door = async (name: string): Promise<unknown> =>
  await import(isBuilt ? `../dist/src/${name}.js` : `../src/${name}.ts`);
const { defineConfig, defineTool } = (await door('index')) as typeof Drover;
const { assistants, responses } = (await door('backends')) as typeof Backends;

const baseURL = process.env['DROVER_EMULATOR_URL'] ?? '';
const toolJournal = process.env['DROVER_TOOL_JOURNAL'];

const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks something up.',
  parameters: z.object({ what: z.string() }),
  effect: 'none',
  execute: () => Promise.resolve('found'),
});

/** Says when it starts, one line each: the run's id and the time. */
const workLong = defineTool({
  name: 'work_long',
  description: 'Works for a while.',
  parameters: z.object({ ms: z.int() }),
  effect: 'none',
  execute: async ({ ms }, { runId, signal }) => {
    if (toolJournal !== undefined) appendFileSync(toolJournal, `${runId} ${Date.now()}\n`);
    await sleep(ms, undefined, { signal });
    return 'done';
  },
});

export default defineConfig({
  backends: {
    responses: responses({ baseURL }),
    assistants: assistants({ baseURL }),
    [PUSHED]: responses({
      baseURL: process.env[PUSHED_URL] ?? baseURL,
      webhookSecret: WEBHOOK_SECRET,
    }),
  },
  defaultBackend: 'responses',
  // The request names the model, which is the script that the emulator plays.
  assistants: { bench: { model: 'bench', tools: ['look_up', 'work_long'] } },
  tools: [lookUp, workLong],
});
