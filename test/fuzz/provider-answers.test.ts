/**
 * What a provider answers, over real HTTP: an adapter gives an observation that Temporal can carry, or throws
 * the port's one error. Nothing else, no request without end, no words of the provider's beyond what is told.
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assistants } from '../../src/backends/assistants.ts';
import type { Backend, CreateSpec, Observation, ResolvedRun } from '../../src/backends/backend.ts';
import { isBackendError } from '../../src/backends/backend.ts';
import { responses } from '../../src/backends/responses.ts';
import { METADATA_KEYS } from '../../src/contract.ts';
import type { AttemptOutput, AttemptRef, ToolOutput } from '../../src/steps.ts';
import { startCannedServer } from '../support/backend-canned-server.ts';
import type { Canned, CannedServer, Seen } from '../support/backend-canned-server.ts';
import { expectTold, fuzz } from '../support/fuzz.ts';
import { anyJson, anyText, jsonText, mutated } from '../support/fuzz-values.ts';

const KEY = 'first/1';
/** The provider says it back in its errors. */
const API_KEY = 'key-of-the-fuzz-0123456789';
const NEVER = new AbortController().signal;

const run = {
  id: 'run_1',
  object: 'thread.run',
  thread_id: 'thread_1',
  assistant_id: 'asst_1',
  status: 'requires_action',
  created_at: 1_000,
  metadata: { [METADATA_KEYS.key]: KEY },
  required_action: {
    type: 'submit_tool_outputs',
    submit_tool_outputs: {
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
    },
  },
  last_error: { code: 'server_error', message: 'm' },
  incomplete_details: { reason: 'max_completion_tokens' },
  tools: [{ type: 'function', function: { name: 'f' } }],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  truncation_strategy: { type: 'auto', last_messages: null },
};
const message = {
  id: 'msg_1',
  role: 'assistant',
  run_id: 'run_1',
  created_at: 1_001,
  content: [
    { type: 'text', text: { value: 'Hello.', annotations: [] } },
    { type: 'refusal', refusal: 'No.' },
  ],
};
const response = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  created_at: 1_000,
  conversation: { id: 'conv_1' },
  error: { code: 'server_error', message: 'm' },
  incomplete_details: { reason: 'max_output_tokens' },
  metadata: { [METADATA_KEYS.key]: KEY },
  output: [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello.', annotations: [] }],
    },
    { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
    { type: 'mcp_approval_request', id: 'mcpr_1', name: 'n', arguments: '{}', server_label: 's' },
  ],
  text: { format: { type: 'json_schema', name: 'a', schema: {} } },
  reasoning: { effort: 'low' },
  tools: [{ type: 'function', name: 'f', parameters: {} }],
  tool_choice: { type: 'function', name: 'f' },
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3, input_tokens_details: { cached_tokens: 1 } },
};
const list = (...data: readonly object[]): object => ({ object: 'list', data, has_more: true, last_id: 'x' });

/** Which answer a request of either wire wants. */
const VALID = {
  '/runs$|/runs\\?': { get: list(run, { ...run, id: 'run_2' }), post: run },
  '/runs/': { get: run, post: run },
  '/messages': { get: list(message), post: message },
  '/threads': { get: list(), post: { id: 'thread_1', object: 'thread' } },
  '/assistants': { get: list({ id: 'asst_1' }), post: {} },
  '/items': {
    get: list({ ...message, id: 'item_2' }, response.output[2] ?? {}, {
      type: 'message',
      role: 'user',
      id: 'item_1',
      content: 'Hello.',
    }),
    post: list(),
  },
  '/conversations/': {
    get: { id: 'conv_1', metadata: { [METADATA_KEYS.key]: KEY, drover_anchor: 'item_1' } },
    post: { id: 'conv_1', metadata: {} },
  },
  '/responses': { get: response, post: response },
} as const satisfies Record<string, { get: object; post: object }>;

/** What a provider that streams sends of a response. */
const EVENTS = [
  {
    type: 'response.created',
    sequence_number: 0,
    response: { ...response, status: 'in_progress', output: [] },
  },
  { type: 'response.output_text.delta', sequence_number: 1, item_id: 'msg_1', delta: 'Hel' },
  { type: 'response.output_text.delta', sequence_number: 2, item_id: 'msg_1', delta: 'lo.' },
  { type: 'error', sequence_number: 3, code: 'server_error', message: 'm' },
  { type: 'response.completed', sequence_number: 4, response },
] as const;

const ERROR = {
  error: {
    message: `Incorrect API key provided: ${API_KEY}. Thread thread_1 already has an active run run_9.`,
    type: 'invalid_request_error',
    code: 'rate_limit_exceeded',
    param: null,
    innererror: { code: 'x' },
  },
  detail: [{ loc: ['body', 0], msg: 'wrong', input: 'MARKED' }],
};

type Answers = (seen: Seen) => Canned;

const HEADERS: fc.Arbitrary<Record<string, string>> = fc.dictionary(
  fc.constantFrom(
    'retry-after',
    'retry-after-ms',
    'openai-poll-after-ms',
    'x-request-id',
    'content-type',
    'location',
  ),
  fc.constantFrom(
    '',
    '-1',
    'NaN',
    '1e999',
    '0',
    '99999999999999999999',
    'x'.repeat(4_000),
    'Thu, 01 Jan 1970',
    'text/html',
    'application/json',
    '/',
  ),
  { maxKeys: 2 },
);
const json = (status: number, value: unknown, headers = {}): Canned => ({
  status,
  body: jsonText(value),
  headers: { 'content-type': 'application/json', ...headers },
});
const STATUSES = [200, 201, 204, 301, 304, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503, 599];

/** Any events of a stream in any order, one of them odd, and perhaps cut off. */
const stream: fc.Arbitrary<Canned> = fc
  .tuple(
    fc.array(fc.constantFrom<unknown>(...EVENTS), { maxLength: 8 }),
    fc.constantFrom(...EVENTS).chain((event) => mutated(event, anyJson)),
    fc.nat({ max: 8 }),
    fc.constantFrom('', 'data: [DONE]\n\n', 'data: {"type":\n\n', ': quiet\n\n', 'data: \ud800\n', '<html>'),
    fc.constantFrom<Canned>({}, { cut: 'within' }),
  )
  .map(([events, odd, at, last, cut]) => {
    const sent = events.toSpliced(at, 0, odd).map((event) => `data: ${jsonText(event)}\n\n`);
    return { ...cut, headers: { 'content-type': 'text/event-stream' }, body: `${sent.join('')}${last}` };
  });
const asksForStream = ({ url, body }: Seen): boolean =>
  url.includes('stream=true') || (body as { readonly stream?: unknown } | undefined)?.stream === true;

const kinds = Object.entries(VALID).flatMap(([path, { get, post }]) => [
  { path: new RegExp(path), method: 'GET', valid: get },
  { path: new RegExp(path), method: 'POST', valid: post },
]);
/** A payload of the wire with something odd in it, for whatever is asked. */
const mutatedPayload: fc.Arbitrary<Answers> = fc
  .tuple(
    ...kinds.map(({ valid }) =>
      fc.oneof({ arbitrary: mutated(valid, anyJson), weight: 2 }, fc.constant(valid)),
    ),
  )
  .chain((made) =>
    fc.tuple(HEADERS, stream).map(([headers, events]): Answers => (seen) => {
      if (asksForStream(seen)) return events;
      const at = kinds.findIndex(({ path, method }) => method === seen.method && path.test(seen.url));
      return json(200, made[at], headers);
    }),
  );
const anyAnswer: fc.Arbitrary<Answers> = fc
  .oneof(
    fc
      .tuple(fc.constantFrom(...STATUSES), anyJson, HEADERS)
      .map(([status, value, headers]) => json(status, value, headers)),
    fc
      .tuple(fc.constantFrom(...STATUSES), mutated(ERROR, anyJson), HEADERS)
      .map(([status, value, headers]) => json(status, value, headers)),
    fc.tuple(fc.constantFrom(...STATUSES), anyText).map(([status, body]): Canned => ({ status, body })),
    stream,
    fc.constantFrom<Canned>(
      { body: '' },
      { status: 204, body: '' },
      { body: '<!DOCTYPE html><html><body>Bad gateway</body></html>' },
      { body: '<html>', headers: { 'content-type': 'application/json' } },
      { body: '{"id": "run_1", "sta', headers: { 'content-type': 'application/json' } },
      { body: 'null', headers: { 'content-type': 'application/json' } },
      { status: 301, headers: { location: '/v1/elsewhere' } },
      { cut: 'before' },
      { cut: 'within', body: { ...response, padding: 'x'.repeat(10_000) } },
      { hang: true },
    ),
  )
  .map(
    (canned): Answers =>
      () =>
        canned,
  );
/** One behaviour for each request in turn; the last one goes on. */
const behaviour = fc.array(fc.oneof({ arbitrary: mutatedPayload, weight: 3 }, anyAnswer), {
  minLength: 1,
  maxLength: 4,
});

const resolved: ResolvedRun = {
  run_id: 'run-1',
  key: KEY,
  assistant_id: 'asst_1',
  model: 'm',
  messages: [{ role: 'user', content: 'Hello.' }],
  metadata: { [METADATA_KEYS.run]: 'run-1', [METADATA_KEYS.key]: KEY },
};
const spec = (thread: string | null, since: number | null): CreateSpec => ({
  run: resolved,
  thread_id: thread,
  include_input: true,
  find_since_ms: since,
  previous: null,
  resume_outputs: [],
});
const OUTPUTS: readonly ToolOutput[] = [{ tool_call_id: 'call_1', output: 'done' }];

/** What asks the provider nothing. */
type Silent = 'name' | 'wire' | 'capabilities' | 'check' | 'lookActs' | 'webhooks';
type Verb =
  Exclude<keyof Backend, Silent> | 'create again' | 'submit again' | 'webhooks.read' | 'webhooks.runOf';
const HEARD_MOST = 1_000;

async function hear(backend: Backend, attempt: AttemptRef): Promise<void> {
  const signal = AbortSignal.timeout(2_000);
  let pieces = 0;
  for await (const { cursor, text, news } of backend.listen?.(attempt, { cursor: null, signal }) ?? []) {
    assert.ok(Number.isSafeInteger(cursor));
    assert.ok(text === null || typeof text === 'string');
    if (news || (pieces += 1) > HEARD_MOST) return;
  }
  assert.equal(signal.aborted, false);
}

/** Every verb of the port, on an attempt that waits for `call_1`. */
function verbs(backend: Backend, attempt: AttemptRef): Readonly<Record<Verb, () => Promise<unknown>>> {
  const { thread_id: thread } = attempt;
  return {
    create: () => backend.create(spec(thread, null), NEVER),
    'create again': () => backend.create(spec(thread, 1_000_000), NEVER),
    find: () =>
      backend.find?.(resolved, { thread_id: thread, since_ms: 1_000_000 }, NEVER) ?? Promise.resolve(),
    createThread: () => backend.createThread?.(resolved, NEVER) ?? Promise.resolve(),
    observe: async () => {
      for await (const seen of backend.observe(attempt, resolved, { signal: NEVER, nextLook: () => 10 }))
        return seen;
      return undefined;
    },
    submit: () => backend.submit(attempt, OUTPUTS, resolved, { suspect: false, signal: NEVER }),
    'submit again': () => backend.submit(attempt, OUTPUTS, resolved, { suspect: true, signal: NEVER }),
    cancel: () => backend.cancel(attempt, NEVER),
    releaseThread: () => backend.releaseThread?.(attempt, NEVER) ?? Promise.resolve(),
    output: () => backend.output(attempt, NEVER),
    probe: () => backend.probe(NEVER),
    listen: () => hear(backend, attempt),
    lookForLostStep: () =>
      backend.lookForLostStep?.(
        resolved,
        { thread_id: thread ?? 'thread_1', call_ids: ['call_1'], first: true },
        NEVER,
      ) ?? Promise.resolve(),
    'webhooks.read': () =>
      backend.webhooks?.read(JSON.stringify(response), new Headers({ 'webhook-id': 'x' })) ??
      Promise.resolve(),
    'webhooks.runOf': () => backend.webhooks?.runOf(attempt.id, NEVER) ?? Promise.resolve(),
  };
}

const isObservation = (value: unknown): value is Observation =>
  typeof value === 'object' && value !== null && 'attempt' in value && 'calls' in value;

/** Names and codes of the provider's go into heartbeats, messages and the UI: they are short, or they are none. */
function expectName(value: string | null): void {
  if (value === null) return;
  assert.ok(value.length <= 512);
  assert.equal(value.isWellFormed(), true);
}

function expectCarried(value: unknown): void {
  // Temporal's converter writes it, and the next activity reads it.
  const text = JSON.stringify(value) ?? 'null';
  assert.equal(JSON.stringify(JSON.parse(text)), text);
  const seen = isObservation(value) ? value : (value as { observation?: Observation } | null)?.observation;
  if (seen === undefined) return;
  const { attempt, run: object, calls, unsupported_action, raw_code, look_after_ms } = seen;
  [attempt.id, attempt.thread_id, ...attempt.provider_ids].forEach(expectName);
  [object.id, object.status, object.model, object.thread_id, unsupported_action, raw_code].forEach(
    expectName,
  );
  for (const {
    id,
    function: { name, arguments: args },
  } of calls) {
    expectName(id);
    assert.notEqual(id, '');
    assert.equal(typeof name, 'string');
    assert.equal(typeof args, 'string');
  }
  if (look_after_ms !== null) assert.ok(look_after_ms > 0);
}

let server: CannedServer;
beforeAll(async () => {
  server = await startCannedServer();
});
afterAll(async () => {
  await server.close();
});

const options = () => ({ baseURL: `${server.url}/v1`, apiKey: API_KEY, timeoutMs: 250 });
const attemptOn = (id: string, thread: string | null): AttemptRef => ({
  id,
  thread_id: thread,
  key: KEY,
  provider_ids: [id],
  state: { last: { status: 'completed', error_code: null, usage: null, calls: ['call_1'] } },
});

const WIRES: Readonly<Record<string, () => { backend: Backend; attempt: AttemptRef }>> = {
  assistants: () => ({
    backend: assistants(options())('legacy'),
    attempt: { ...attemptOn('run_1', 'thread_1'), state: null },
  }),
  'responses in a chain': () => ({
    backend: responses(options())('openai'),
    attempt: attemptOn('resp_1', null),
  }),
  'responses that stream': () => ({
    backend: responses({ ...options(), stream: true })('streamed'),
    attempt: attemptOn('resp_1', null),
  }),
  'responses with webhooks': () => ({
    backend: responses({ ...options(), webhookSecret: `whsec_${btoa('a secret of the fuzz')}` })('pushed'),
    attempt: attemptOn('resp_1', null),
  }),
  'responses in a conversation': () => ({
    backend: responses(options())('openai'),
    attempt: attemptOn('resp_1', 'conv_1'),
  }),
  'responses in the foreground': () => ({
    backend: responses({ ...options(), mode: 'foreground', store: false, foregroundTimeoutMs: 250 })('local'),
    attempt: {
      ...attemptOn('resp_1', null),
      state: { pending: { kind: 'first', outputs: [], resumes: false, fresh: true } },
    },
  }),
};

describe.each(Object.entries(WIRES))('%s', (_name, open) => {
  test('takes any answer, or says that it is none', async () => {
    const { backend, attempt } = open();
    const acts = verbs(backend, attempt);
    expect(
      await fuzz(
        fc.asyncProperty(
          behaviour,
          fc.constantFrom(...(Object.keys(acts) as Verb[])),
          async (answers, verb) => {
            server.seen.length = 0;
            let asked = 0;
            server.answerWith((seen) => answers[Math.min(asked++, answers.length - 1)]?.(seen) ?? {});
            try {
              const given = await acts[verb]();
              if (verb !== 'output') expectCarried(given);
              else assert.equal(typeof (given as AttemptOutput).text, 'string');
            } catch (error) {
              if (!isBackendError(error)) throw error;
              expectTold(error.message);
              assert.ok(error.message.length < 2_000);
              assert.ok(!error.message.includes(API_KEY));
              [error.code, error.requestId, error.activeRunId].forEach(expectName);
              if (error.retryAfterMs !== null) assert.ok(error.retryAfterMs >= 0);
            }
            assert.ok(server.seen.length < 60);
          },
        ),
        200,
      ),
    ).toBeNull();
  });
});
