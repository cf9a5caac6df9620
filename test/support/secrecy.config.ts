/** The configuration of a worker that is full of secrets, for the test that looks for them everywhere. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import { defineConfig } from '../../src/config.ts';
import { readEnvironment } from '../../src/env.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { ToolError } from '../../src/tools/tool-error.ts';
import { encryptingCodec, encryptingConverter } from './encrypting-codec.ts';

/** Only the last has the shape of a key: the others can only be known by their value. */
export const SECRETS = {
  apiKey: 'hush apikey granite walrus',
  header: 'hush header copper lantern',
  /** From a function, as a vault's would be. */
  fetched: 'hush fetched violet anchor',
  /** A tool's own, which Drover was never told. */
  ofTool: 'hush oftool marble pigeon',
  /** Of the provider's own making: nobody here knows it. */
  shaped: 'sk-hush-shaped-0123456789abcdef',
} as const;

/** What people, models and tools say. It may stand in payloads, and nowhere else. */
export const SAID = {
  prompt: 'whisper prompt',
  instructions: 'whisper instructions',
  arguments: 'whisper arguments',
  output: 'whisper output',
  context: 'whisper context',
  answer: 'whisper answer',
  words: 'whisper words',
  progress: 'whisper progress',
  reason: 'whisper reason',
} as const;

const codecKey = process.env['DROVER_TEST_CODEC_KEY'] ?? '';
const { emulatorUrl: baseURL } = readEnvironment();
const apiKey = (): string => SECRETS.apiKey;
const parameters = z.object({ said: z.string() });

const speaks = defineTool({
  name: 'speaks',
  description: 'Says something back.',
  parameters,
  execute: (args, ctx) => {
    ctx.heartbeat({ at: SAID.progress, header: SECRETS.header });
    return { output: SAID.output, echo: args.said, leaked: SECRETS.header };
  },
});
const throws = defineTool({
  name: 'throws',
  description: 'Throws with all it knows.',
  parameters,
  activity: { retry: { maximumAttempts: 2, initialInterval: '10 milliseconds' } },
  execute: (args) => {
    throw new Error(`${SECRETS.ofTool} and ${args.said}`, { cause: new Error(SECRETS.ofTool) });
  },
});
const refuses = defineTool({
  name: 'refuses',
  description: 'Refuses, and says why.',
  parameters,
  activity: { retry: { maximumAttempts: 1 } },
  execute: (args) => {
    throw new ToolError(`${SECRETS.header} does not take ${args.said}`);
  },
});
const lookedFor = new Set<string>();
const acts = defineTool({
  name: 'acts',
  description: 'Acts once and breaks.',
  parameters,
  effect: 'once',
  onUnknown: 'tell_model',
  lookup: (key) => {
    if (lookedFor.has(key)) return { status: 'unknown' };
    lookedFor.add(key);
    throw new Error(SECRETS.ofTool);
  },
  execute: () => {
    throw new TypeError(SECRETS.ofTool);
  },
});
const works = defineTool({
  name: 'works',
  description: 'Takes its time, and tells how far it is.',
  parameters,
  execute: async (_args, ctx) => {
    ctx.heartbeat({ at: SAID.progress, header: SECRETS.header });
    await sleep(1_500, undefined, { signal: ctx.signal });
    return SAID.output;
  },
});
const asks = defineTool({
  name: 'asks',
  description: 'Needs to be allowed.',
  parameters,
  needsApproval: true,
  execute: () => SAID.output,
});
const tools = [speaks, throws, refuses, acts, works, asks];

export default defineConfig({
  backends: {
    responses: responses({ baseURL, apiKey }),
    assistants: assistants({ baseURL, apiKey }),
    streamed: responses({ baseURL, apiKey, stream: true }),
    foreground: responses({ baseURL, apiKey, mode: 'foreground', store: false }),
  },
  defaultBackend: 'responses',
  assistants: {
    bot: { model: 'bot', tools: tools.map(({ name }) => name), provider_assistant_id: 'asst_bot' },
  },
  tools,
  secrets: { HEADER: SECRETS.header, FETCHED: () => Promise.resolve(SECRETS.fetched) },
  ...(codecKey === ''
    ? {}
    : { dataConverter: encryptingConverter(encryptingCodec(Buffer.from(codecKey, 'hex'))) }),
});
