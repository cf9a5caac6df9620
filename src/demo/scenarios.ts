/** The demo's runs: what their model does, what is asked of it, and how each should end. */
import type { RunRequest } from '../contract.ts';
import type { Script, ScriptCall } from '../emulator/index.ts';

export type Wire = 'assistants' | 'responses';

/** One attempt at the provider, as it should be. */
export interface ExpectedAttempt {
  /** How it ends. */
  readonly status: string;
  /** Ids of the calls that are answered in it, a round in each list. */
  readonly answered: readonly (readonly string[])[];
}

export interface ExpectedEffect {
  readonly tool: string;
  /** What it is done to, in the tools' journal. */
  readonly subject: string;
  /** It is started once and done once, whatever happens. A tool that only reads may be asked again. */
  readonly once?: true;
}

export interface Expectation {
  readonly attempts: readonly ExpectedAttempt[];
  /** Each happens, and nothing else does. */
  readonly effects: readonly ExpectedEffect[];
  /** Calls that are told what went wrong, and not what a tool gave. */
  readonly refused?: readonly string[];
  /** Tools of this run work at the same time. */
  readonly inParallel?: true;
  /** Each attempt has a larger budget of completion tokens than the one before. */
  readonly growingBudget?: true;
  /** Its worker is killed while a tool works, and another one ends the run. */
  readonly workerKilled?: true;
  /** Its tool waits for somebody's approval, and starts after it. */
  readonly approved?: true;
  /** A tool still works when this attempt (from 1) ends. */
  readonly endsDuringTool?: number;
}

export interface Scenario {
  readonly name: string;
  readonly wire: Wire;
  /** What it shows, in a few words. */
  readonly about: string;
  /** The model that plays its script; its assistant has the same name. */
  readonly model: string;
  readonly tools: readonly string[];
  readonly script: Script;
  readonly request: RunRequest;
  readonly expected: Expectation;
}

/** How long a run lives on the Assistants wire here. At a provider it is ten minutes. */
export const EXPIRES_AFTER_MS = 8_000;
/** Far below {@link EXPIRES_AFTER_MS}, so that no run expires that should not, on a slow machine either. */
const THINK_MS = 300;
const DEADLINE_SECONDS = 45;

interface Plot extends Pick<Scenario, 'name' | 'wire' | 'about' | 'tools' | 'script' | 'expected'> {
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

/** In the order in which they are shown. */
export const SCENARIOS: readonly Scenario[] = [answer, parallel, expire, budget, malformed, killed, approve];

/** Every call that a script's model makes, in all its attempts. */
export function callsOf({ attempts }: Script): readonly ScriptCall[] {
  return attempts.flatMap(({ steps }) => steps.flatMap((step) => ('call' in step ? step.call : [])));
}
