/** The demo's runs: what their model does, what is asked of it, and how each should end. */
import type { RunRequest } from '../contract.ts';
import type { Script, ScriptCall } from '../emulator/index.ts';
import type { ExpectedAttempt, Scenario } from './scenario.ts';

/** How long a run lives on the Assistants wire here. At a provider it is ten minutes. */
export const EXPIRES_AFTER_MS = 8_000;
/** Far below {@link EXPIRES_AFTER_MS}, so that no run expires that should not, on a slow machine either. */
const THINK_MS = 300;
const DEADLINE_SECONDS = 45;

interface Plot extends Pick<
  Scenario,
  'name' | 'wire' | 'about' | 'tools' | 'script' | 'onThread' | 'expected'
> {
  readonly input: string;
  readonly request?: Partial<RunRequest>;
}

function scenario({ input, request, ...plot }: Plot): Scenario {
  const model = `demo-${plot.name}`;
  return {
    ...plot,
    model,
    request: {
      assistant_id: model,
      input,
      context: {},
      limits: { deadline_seconds: DEADLINE_SECONDS },
      ...request,
    },
  };
}

const think = { think_ms: THINK_MS };
const completed = (...answered: readonly (readonly string[])[]): ExpectedAttempt => ({
  status: 'completed',
  answered,
});

const refund = (id: string, note?: string) => ({
  call: [
    {
      id,
      name: 'refund_order',
      arguments: { order_id: '1042', cents: 4_900, ...(note === undefined ? {} : { note }) },
    },
  ],
});

const answer = scenario({
  name: 'answer',
  wire: 'assistants',
  about: 'an answer without tools',
  tools: [],
  input: 'What do you sell?',
  script: { attempts: [{ steps: [think, think, { answer: 'Umbrellas, mostly.' }] }] },
  expected: { attempts: [completed()], effects: [] },
});

const parallel = scenario({
  name: 'parallel',
  wire: 'responses',
  about: 'two tools at the same time',
  tools: ['get_weather', 'get_time'],
  input: 'Do I need an umbrella in Berlin, and is the shop still open?',
  request: { context: { work_ms: 1_000 } },
  script: {
    attempts: [
      {
        steps: [
          think,
          {
            call: [
              { id: 'call_weather', name: 'get_weather', arguments: { city: 'Berlin' } },
              { id: 'call_time', name: 'get_time', arguments: { time_zone: 'Europe/Berlin' } },
            ],
          },
          think,
          { answer: 'Weather: {{output.get_weather}} Time: {{output.get_time}}' },
        ],
      },
    ],
  },
  expected: {
    attempts: [completed(['call_weather', 'call_time'])],
    effects: [
      { tool: 'get_weather', subject: 'Berlin' },
      { tool: 'get_time', subject: 'Europe/Berlin' },
    ],
    inParallel: true,
  },
});

const expire = scenario({
  name: 'expire',
  wire: 'assistants',
  about: 'it expires while a slow tool works, which may act once',
  tools: ['refund_order'],
  input: 'Refund order 1042, please.',
  request: { context: { work_ms: EXPIRES_AFTER_MS + 1_000 } },
  script: {
    attempts: [
      { steps: [think, refund('call_refund')] },
      // Asked again, a model chooses other words.
      { steps: [think, refund('call_refund_again', 'as asked'), think, { answer: '{{outputs}}' }] },
    ],
  },
  expected: {
    attempts: [{ status: 'expired', answered: [] }, completed(['call_refund_again'])],
    effects: [{ tool: 'refund_order', subject: 'order 1042', once: true }],
    endsDuringTool: 1,
  },
});

const budget = scenario({
  name: 'budget',
  wire: 'responses',
  about: 'it runs out of completion tokens and is given more',
  tools: [],
  input: 'Tell me all about umbrellas.',
  request: { max_completion_tokens: 256 },
  script: {
    attempts: [
      {
        steps: [
          think,
          {
            incomplete: 'max_completion_tokens',
            text: 'It was a dark and stormy',
            unless_budget_at_least: 512,
          },
          think,
          { answer: 'It was a dark and stormy night, and nobody had an umbrella.' },
        ],
      },
    ],
  },
  expected: {
    attempts: [{ status: 'incomplete', answered: [] }, completed()],
    effects: [],
    growingBudget: true,
  },
});

const malformed = scenario({
  name: 'malformed',
  wire: 'assistants',
  about: 'the model sends broken arguments and mends them',
  tools: ['get_weather'],
  input: 'Do I need an umbrella in Berlin?',
  script: {
    attempts: [
      {
        steps: [
          think,
          { call: [{ id: 'call_broken', name: 'get_weather', arguments: '{"city": "Berl' }] },
          think,
          { call: [{ id: 'call_mended', name: 'get_weather', arguments: { city: 'Berlin' } }] },
          think,
          { answer: '{{output.1}}' },
        ],
      },
    ],
  },
  expected: {
    attempts: [completed(['call_broken'], ['call_mended'])],
    effects: [{ tool: 'get_weather', subject: 'Berlin' }],
    refused: ['call_broken'],
  },
});

const killed = scenario({
  name: 'killed',
  wire: 'responses',
  about: 'its worker is killed right after a refund, and replaced',
  tools: ['refund_order'],
  input: 'Refund order 1043, please.',
  request: { context: { hold_ms: 10_000 } },
  script: {
    attempts: [
      {
        steps: [
          think,
          {
            call: [
              { id: 'call_refund', name: 'refund_order', arguments: { order_id: '1043', cents: 1_900 } },
            ],
          },
          think,
          { answer: '{{outputs}}' },
        ],
      },
    ],
  },
  expected: {
    attempts: [completed(['call_refund'])],
    effects: [{ tool: 'refund_order', subject: 'order 1043', once: true }],
    workerKilled: true,
  },
});

const approve = scenario({
  name: 'approve',
  wire: 'responses',
  about: 'a large refund waits until somebody approves it',
  tools: ['refund_order'],
  input: 'Refund order 1044, please.',
  script: {
    attempts: [
      {
        steps: [
          think,
          {
            call: [
              { id: 'call_refund', name: 'refund_order', arguments: { order_id: '1044', cents: 25_000 } },
            ],
          },
          think,
          { answer: '{{outputs}}' },
        ],
      },
    ],
  },
  expected: {
    attempts: [completed(['call_refund'])],
    effects: [{ tool: 'refund_order', subject: 'order 1044', once: true }],
    approved: true,
  },
});

const first = scenario({
  name: 'first',
  wire: 'assistants',
  about: 'the first of two messages on one thread',
  tools: [],
  input: 'Where is order 1045?',
  onThread: true,
  script: { attempts: [{ steps: [{ think_ms: 1_500 }, { answer: 'On its way.' }] }] },
  expected: { attempts: [completed()], effects: [] },
});

const next = scenario({
  name: 'next',
  wire: 'assistants',
  about: 'the second one waits until the first has its answer',
  tools: [],
  input: 'And when does it arrive?',
  onThread: true,
  script: { attempts: [{ steps: [think, { answer: 'Tomorrow.' }] }] },
  expected: { attempts: [completed()], effects: [], follows: 'first' },
});

/** In the order in which they are started and shown. */
export const SCENARIOS: readonly Scenario[] = [
  answer,
  parallel,
  expire,
  budget,
  malformed,
  killed,
  approve,
  first,
  next,
];

/** Every call that a script's model makes, in all its attempts. */
export function callsOf({ attempts }: Script): readonly ScriptCall[] {
  return attempts.flatMap(({ steps }) => steps.flatMap((step) => ('call' in step ? step.call : [])));
}
