/**
 * The run object and the create-run request, property by property, on each wire: as it is sent, as the run
 * is read back, and as it stands in the result.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { METADATA_KEYS, NAMES } from '../../src/contract.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import type { RequestEntry, Step } from '../../src/emulator/index.ts';
import { RUN_PROPERTIES } from '../../src/run.ts';
import type { RunObject } from '../../src/run.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { activityResults, rawEvents } from '../support/raw-history.ts';
import { call, recordingTools, type Recording } from '../support/recording-tools.ts';

type Wire = (typeof WIRES)[number];
type Body = Readonly<Record<string, unknown>>;
type RunProperty = (typeof RUN_PROPERTIES)[number];

/** Fields of a create-run request that are no property of the run object. */
type RequestOnly = 'additional_instructions' | 'reasoning_effort';
type Property = RunProperty | RequestOnly;

interface Gap {
  /** `request`: it is not sent. `run`: it is null in the run. `refused`: an issue says so, and nothing is created. */
  readonly missing: 'request' | 'run' | 'refused';
  readonly why: string;
}

/** What a wire cannot carry. The tables of `docs/architecture.md` say the same. */
const NOT_CARRIED: Readonly<Record<Wire, Readonly<Partial<Record<Property, Gap>>>>> = {
  assistants: {},
  responses: {
    assistant_id: {
      missing: 'request',
      why: 'the wire has no assistants: the id names an entry of the configuration, which gives its fields',
    },
    max_prompt_tokens: {
      missing: 'request',
      why: 'there is no such parameter: the adapter counts between steps, and ends the attempt incomplete',
    },
    truncation_strategy: {
      missing: 'refused',
      why: '`last_messages` is refused; `auto` is carried as `truncation`',
    },
    expires_at: { missing: 'run', why: 'nothing expires: `limits.attempt_seconds` is the limit there is' },
  },
};

const LOOK_UP = {
  type: 'function',
  function: {
    name: 'look_up',
    description: 'Looks something up.',
    parameters: { type: 'object', properties: { what: { type: 'string' } } },
    strict: false,
  },
} as const;

/** One value for each field, none of them anybody's default. */
const ASKED = {
  model: 'model-of-the-request',
  instructions: 'Speak like a pirate.',
  additional_instructions: 'Be brief.',
  reasoning_effort: 'high',
  tools: ['get_order', LOOK_UP],
  metadata: { ticket: '77', tenant: 'acme' },
  temperature: 0.25,
  top_p: 0.5,
  max_prompt_tokens: 5_000,
  max_completion_tokens: 4_000,
  tool_choice: { type: 'function', function: { name: 'get_order' } },
  parallel_tool_calls: false,
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'answer', schema: { type: 'object' }, strict: false },
  },
} as const satisfies Partial<RunRequest>;

const TRUNCATION = {
  assistants: { type: 'last_messages', last_messages: 7 },
  responses: { type: 'auto', last_messages: null },
} as const satisfies Record<Wire, RunRequest['truncation_strategy']>;

/** What one run showed of itself. */
interface Look {
  readonly id: string;
  /** The create's body, under the names and in the shapes of the run object. */
  readonly sent: Body;
  /** The run as the worker read it back for the last time. */
  readonly read: RunObject;
  readonly result: RunResult;
}

interface Looks {
  readonly thread: string;
  readonly completed: Look;
  readonly failed: Look;
  readonly incomplete: Look;
  readonly cancelled: Look;
  /** The result while the first round of the completed run was at work. */
  readonly waiting: RunResult;
}

/** A body of the Responses wire as the run object would say it. */
function fromResponses(body: Body): Body {
  const tools = body['tools'] as readonly Body[] | undefined;
  const choice = body['tool_choice'] as Body | undefined;
  const format = (body['text'] as { readonly format?: Body } | undefined)?.format;
  return {
    ...body,
    thread_id: body['conversation'],
    tools: tools?.map(({ type, ...definition }) => ({ type, function: definition })),
    tool_choice: choice && { type: choice['type'], function: { name: choice['name'] } },
    response_format: format && {
      type: format['type'],
      json_schema: { name: format['name'], schema: format['schema'], strict: format['strict'] },
    },
    reasoning_effort: (body['reasoning'] as Body | undefined)?.['effort'],
    max_completion_tokens: body['max_output_tokens'],
    truncation_strategy: body['truncation'] && { type: body['truncation'], last_messages: null },
  };
}

const createsOf = (drive: Drive, id: string): readonly RequestEntry[] =>
  drive.emulator
    .journal()
    .filter((entry) => entry.kind === 'request')
    .filter(({ method, path }) => method === 'POST' && /\/(?:runs|responses)$/.test(path))
    .filter(({ body }) => (body as { readonly metadata?: Body }).metadata?.[METADATA_KEYS.run] === id);

function createOf(drive: Drive, id: string): RequestEntry {
  const [first] = createsOf(drive, id);
  if (first === undefined) throw new Error(`The journal has no create of ${id}.`);
  return first;
}

async function lookAt(drive: Drive, wire: Wire, result: RunResult): Promise<Look> {
  const { id } = result.run;
  const create = createOf(drive, id);
  const body = create.body as Body;
  const sent =
    wire === 'responses'
      ? fromResponses(body)
      : { ...body, thread_id: /\/threads\/([^/]+)\/runs$/.exec(create.path)?.[1] };
  const events = await rawEvents(drive.client, id);
  const seen = [NAMES.activities.awaitRun, NAMES.activities.cancelRun]
    .flatMap((type) => activityResults(events, type))
    .flatMap((step) => (step as { readonly run?: RunObject | null }).run ?? []);
  const read = seen.at(-1);
  if (read === undefined) throw new Error(`The history of ${id} has no run.`);
  return { id, sent, read, result };
}

/** A thread, or a conversation, as a service made it before. */
async function makeThread({ emulator }: Drive, wire: Wire): Promise<string> {
  const response = await fetch(`${emulator.url}/${wire === 'assistants' ? 'threads' : 'conversations'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' },
    body: '{}',
  });
  return ((await response.json()) as { readonly id: string }).id;
}

async function runAll(drive: Drive, wire: Wire, shop: Recording): Promise<Looks> {
  const play = (label: string, steps: readonly Step[]): string => {
    const name = label === 'completed' ? ASKED.model : label;
    drive.play(name, { attempts: [{ steps }] });
    return drive.id(label);
  };
  const start = (model: string, id: string) =>
    drive.runs.start({ assistant_id: 'bot', input: 'Hello', model, retry: { attempts: 1 } }, { id });

  const thread = await makeThread(drive, wire);
  let open = (): void => undefined;
  shop.gate = new Promise((resolve) => {
    open = () => resolve();
  });
  const usage = { usage: { prompt_tokens: 30, completion_tokens: 10 } };
  const wholeId = play('completed', [
    { think_ms: 600 },
    usage,
    { call: [call('refund_order', { order_id: '1', cents: 1 }), call('look_up', { what: 'x' })] },
    usage,
    { answer: '{"said":"Ahoy."}' },
  ]);
  const whole = await drive.runs.start(
    {
      ...ASKED,
      assistant_id: 'bot',
      input: 'Where is order 7?',
      tools: [...ASKED.tools, 'refund_order'],
      truncation_strategy: TRUNCATION[wire],
      thread_id: thread,
    },
    { id: wholeId },
  );
  await vi.waitFor(() => expect(shop.effects).toHaveLength(1), { timeout: 20_000 });
  const waiting = await whole.workflow.query<RunResult>(NAMES.queries.result);
  open();

  const failed = await start(
    'failed',
    play('failed', [{ fail: { code: 'server_error', message: 'It broke.' } }]),
  );
  const incomplete = await start('incomplete', play('incomplete', [{ incomplete: 'max_completion_tokens' }]));
  const cancelled = await start('cancelled', play('cancelled', [{ hang: true }]));
  await drive.emulator.waitFor(
    (entry) =>
      entry.kind === 'status' &&
      entry.to === 'in_progress' &&
      entry.metadata[METADATA_KEYS.run] === cancelled.id,
  );
  await cancelled.cancel();
  const looks = [whole, failed, incomplete, cancelled].map(async (handle) =>
    lookAt(drive, wire, await handle.outcome()),
  );
  const [a, b, c, d] = (await Promise.all(looks)) as [Look, Look, Look, Look];
  return { thread, completed: a, failed: b, incomplete: c, cancelled: d, waiting };
}

const seconds: unknown = expect.any(Number);

/** What each property has to be. A value that is asked for is the same at every place, but for {@link NOT_CARRIED}. */
interface Expected {
  readonly sent: unknown;
  readonly read: unknown;
  readonly result: unknown;
}
interface Row {
  /** In which of the runs it is looked at. @default 'completed' */
  readonly at?: 'completed' | 'failed' | 'incomplete' | 'cancelled';
  readonly is: (looks: Looks, wire: Wire) => Expected;
}

const asked = (value: unknown): Row => ({ is: () => ({ sent: value, read: value, result: value }) });
/** The provider's own, which no request can ask for. */
const told = (value: unknown, at: Row['at'] = 'completed'): Row => ({
  at,
  is: () => ({ sent: null, read: value, result: value }),
});

const definitionOf = (name: string): unknown =>
  expect.objectContaining({ type: 'function', function: expect.objectContaining({ name }) as unknown });
const TOOLS = [definitionOf('get_order'), LOOK_UP, definitionOf('refund_order')];

const ROWS: Readonly<Record<Property, Row>> = {
  id: {
    is: ({ completed: { id, result } }) => ({
      sent: null,
      read: result.attempts[0]?.provider_ids[0],
      result: id,
    }),
  },
  object: told('thread.run'),
  created_at: told(seconds),
  thread_id: { is: ({ thread }) => ({ sent: thread, read: thread, result: thread }) },
  assistant_id: {
    is: (_looks, wire) => ({
      sent: 'asst_bot',
      read: wire === 'assistants' ? 'asst_bot' : 'bot',
      result: 'bot',
    }),
  },
  status: told('completed'),
  required_action: told(null),
  last_error: told({ code: 'server_error', message: 'It broke.' }, 'failed'),
  expires_at: told(null),
  started_at: told(seconds),
  cancelled_at: told(seconds, 'cancelled'),
  failed_at: told(seconds, 'failed'),
  completed_at: told(seconds),
  incomplete_details: told({ reason: 'max_completion_tokens' }, 'incomplete'),
  model: asked(ASKED.model),
  instructions: {
    is: (_looks, wire) => {
      const both = expect.stringMatching(/^Speak like a pirate\.\n+Be brief\.$/) as unknown;
      return { sent: wire === 'responses' ? both : ASKED.instructions, read: both, result: both };
    },
  },
  tools: asked(TOOLS),
  metadata: {
    is: ({ completed: { id } }) => {
      const ours = { [METADATA_KEYS.run]: id, [METADATA_KEYS.key]: expect.stringMatching(/\/1$/) as unknown };
      const all = { ...ASKED.metadata, ...ours };
      return { sent: all, read: all, result: ASKED.metadata };
    },
  },
  usage: told({ prompt_tokens: 60, completion_tokens: 20, total_tokens: 80 }),
  temperature: asked(ASKED.temperature),
  top_p: asked(ASKED.top_p),
  max_prompt_tokens: asked(ASKED.max_prompt_tokens),
  max_completion_tokens: asked(ASKED.max_completion_tokens),
  truncation_strategy: {
    is: (_looks, wire) => ({ sent: TRUNCATION[wire], read: TRUNCATION[wire], result: TRUNCATION[wire] }),
  },
  tool_choice: asked(ASKED.tool_choice),
  parallel_tool_calls: asked(ASKED.parallel_tool_calls),
  response_format: asked(ASKED.response_format),
  // A property of no official run; servers that have it show it, and so does Drover.
  reasoning_effort: asked(ASKED.reasoning_effort),
  additional_instructions: {
    is: (_looks, wire) => ({
      sent: wire === 'responses' ? null : ASKED.additional_instructions,
      read: null,
      result: null,
    }),
  },
};

describe.each(WIRES)('a run on the %s wire', (wire) => {
  let drive: Drive;
  let looks: Looks;
  beforeAll(async () => {
    const shop = recordingTools();
    drive = await startDrive(wire, { tools: shop.tools });
    looks = await runAll(drive, wire, shop);
  });
  afterAll(() => drive[Symbol.asyncDispose]());

  const gapOf = (property: Property): Gap | undefined => NOT_CARRIED[wire][property];

  test.each(Object.keys(ROWS) as Property[])('carries %s in and out, or says that it cannot', (property) => {
    const { at = 'completed', is } = ROWS[property];
    const expected = is(looks, wire);
    const { sent, read, result } = looks[at];
    expect({
      sent: sent[property] ?? null,
      read: read[property] ?? null,
      result: result.run[property] ?? null,
    }).toEqual({ ...expected, ...(gapOf(property)?.missing === 'request' ? { sent: null } : {}) });
  });

  test('has every property of the run object in its result, however it ended', () => {
    for (const at of ['completed', 'failed', 'incomplete', 'cancelled'] as const) {
      for (const property of RUN_PROPERTIES) expect(looks[at].result.run).toHaveProperty(property);
      expect([at, looks[at].result.run.status]).toEqual([at, at]);
    }
  });

  test('shows what it waits for while it waits', () => {
    const { run } = looks.waiting;
    expect(run.status).toBe('requires_action');
    expect(run.required_action?.submit_tool_outputs?.tool_calls.map((made) => made.function.name)).toEqual([
      'refund_order',
      'look_up',
    ]);
    expect(looks.completed.result.tool_calls.map(({ id }) => id)).toEqual(
      run.required_action?.submit_tool_outputs?.tool_calls.map(({ id }) => id),
    );
    expect(run.expires_at).toEqual(gapOf('expires_at') === undefined ? seconds : null);
  });

  test('refuses by name what its wire cannot carry, and creates nothing', async () => {
    const id = drive.id('refused');
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Hi', truncation_strategy: TRUNCATION.assistants },
      { id },
    );
    const { code, issues } = await handle.outcome();
    const refused = Object.entries(NOT_CARRIED[wire]).filter(([, { missing }]) => missing === 'refused');
    expect({ code, fields: issues.map(({ field }) => field), created: createsOf(drive, id).length }).toEqual(
      refused.length > 0
        ? { code: 'invalid_request', fields: refused.map(([field]) => field), created: 0 }
        : { code: null, fields: [], created: 1 },
    );
  });

  test('gives the provider no more than what was asked for and what is Drover’s', () => {
    const fields = Object.keys(createOf(drive, looks.failed.id).body as Body).sort();
    expect(fields).toEqual(
      wire === 'assistants'
        ? ['additional_messages', 'assistant_id', 'metadata', 'model', 'tools']
        : ['background', 'input', 'metadata', 'model', 'store', 'tools'],
    );
  });
});
