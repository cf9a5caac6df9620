/** Each kind of answer, held against the official client's own published types. */
import type OpenAI from 'openai';
import { beforeAll, expect, test } from 'vitest';
import type { Step } from '../../src/emulator/index.ts';
import { openEmulator, openThread, scripted } from '../support/emulator-fixture.ts';
import type { Fixture } from '../support/emulator-fixture.ts';
import { clientTypes, unnoticed } from '../support/emulator-schemas.ts';
import type { Checker, ClientType } from '../support/emulator-schemas.ts';

let types: Checker;
beforeAll(() => {
  types = clientTypes();
}, 60_000);

/** The answer as it is on the wire, without what the client adds to it. */
type Plain = Record<string, unknown>;
const plain = (value: unknown): Plain => JSON.parse(JSON.stringify(value)) as Plain;

/** The official examples have `usage: null` until a response has ended; the types do not. */
function withoutNullUsage(value: unknown): Plain {
  const { usage, ...rest } = plain(value);
  return usage === null ? rest : { ...rest, usage };
}

/** What is wrong with an answer of this type, and what the type would let pass; empty where all is well. */
function misfits(type: ClientType, value: unknown, free: readonly string[] = []): readonly string[] {
  const held = plain(value);
  const faultsOf = (given: unknown): readonly string[] => types.faultsOf(type, given);
  const passed = unnoticed(held, faultsOf, free).map((how) => `passes although ${how}`);
  return [...faultsOf(held), ...passed].map((fault) => `${type}: ${fault}`);
}

const CALL: Step = { call: [{ name: 'f', arguments: { x: 1 } }] };
const ENDS: readonly (readonly [string, Step])[] = [
  ['completed', { answer: 'x' }],
  ['completed', { refuse: 'No.' }],
  ['failed', { fail: { code: 'server_error', message: 'Sorry.' } }],
  ['incomplete', { incomplete: 'max_completion_tokens', text: 'It' }],
  ['cancelled', { cancel: true }],
];

async function startRun(fixture: Fixture): Promise<{ run: OpenAI.Beta.Threads.Run; thread: string }> {
  const { thread, assistant } = await openThread(fixture);
  const run = await fixture.client.beta.threads.runs.create(thread, {
    assistant_id: assistant,
    tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
    metadata: { a: '1' },
    max_completion_tokens: 512,
  });
  return { run, thread };
}

async function threadMisfits(fixture: Fixture, thread: string, runId: string): Promise<readonly string[]> {
  const { threads } = fixture.client.beta;
  const found = [...misfits('Run', await threads.runs.retrieve(runId, { thread_id: thread }))];
  for await (const message of threads.messages.list(thread)) found.push(...misfits('Message', message));
  for await (const step of threads.runs.steps.list(runId, { thread_id: thread }))
    found.push(...misfits('RunStep', step));
  return found;
}

test.each(ENDS)('a run that ends %s fits, with its messages and steps: %j', async (status, step) => {
  const fixture = await openEmulator(scripted([step]));
  const { run, thread } = await startRun(fixture);
  expect(misfits('Run', run)).toEqual([]);
  await fixture.reached(run.id, status);
  expect(await threadMisfits(fixture, thread, run.id)).toEqual([]);
});

test('a run that waits for outputs fits, and so does its end', async () => {
  const fixture = await openEmulator(scripted([{ say: 'One moment.' }, CALL, { answer: 'x' }]));
  const { run, thread } = await startRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  expect(await threadMisfits(fixture, thread, run.id)).toEqual([]);
  const { runs } = fixture.client.beta.threads;
  const waiting = await runs.retrieve(run.id, { thread_id: thread });
  const calls = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
  const outputs = calls.map(({ id }) => ({ tool_call_id: id, output: 'y' }));
  expect(
    misfits('Run', await runs.submitToolOutputs(run.id, { thread_id: thread, tool_outputs: outputs })),
  ).toEqual([]);
  await fixture.reached(run.id, 'completed');
  expect(await threadMisfits(fixture, thread, run.id)).toEqual([]);
});

test('assistants and threads fit, and what is said of their deletion', async () => {
  const { client } = await openEmulator();
  const { assistants, threads } = client.beta;
  const assistant = await assistants.create({ model: 'model', tools: [{ type: 'file_search' }] });
  expect(misfits('Assistant', assistant)).toEqual([]);
  expect(misfits('AssistantDeleted', await assistants.delete(assistant.id))).toEqual([]);
  const thread = await threads.create({ messages: [{ role: 'user', content: 'x' }] });
  expect(misfits('Thread', thread)).toEqual([]);
  const { data } = await threads.messages.list(thread.id);
  const place = { thread_id: thread.id };
  expect(misfits('MessageDeleted', await threads.messages.delete(data[0]?.id ?? '', place))).toEqual([]);
  expect(misfits('ThreadDeleted', await threads.delete(thread.id))).toEqual([]);
});

const sent = {
  model: 'model',
  input: [
    {
      role: 'user' as const,
      content: [
        { type: 'input_text' as const, text: 'x' },
        { type: 'input_image' as const, image_url: 'https://example.com/a.png', detail: 'auto' as const },
        { type: 'input_file' as const, file_id: 'file-1' },
      ],
    },
    { role: 'assistant' as const, content: 'Yes?' },
  ],
  tools: [{ type: 'function' as const, name: 'f', parameters: {}, strict: false }],
  metadata: { a: '1' },
  text: { format: { type: 'json_schema' as const, name: 'n', schema: {} } },
  reasoning: { effort: 'low' as const },
  background: true,
};

test.each([
  ...ENDS,
  ['completed', CALL],
  ['completed', { approve: [{ server_label: 's', name: 'n', arguments: {} }] }],
] as const)('a response that ends %s fits, with its items: %j', async (status, step) => {
  const fixture = await openEmulator(scripted([{ reason: 'hm' }, step]));
  const { responses } = fixture.client;
  const created = await responses.create(sent);
  expect(misfits('Response', withoutNullUsage(created), ['output_text'])).toEqual([]);
  await fixture.reached(created.id, status);
  const ended = await responses.retrieve(created.id);
  expect(misfits('Response', withoutNullUsage(ended), ['output_text'])).toEqual([]);
  for await (const item of responses.inputItems.list(created.id))
    expect(misfits('ResponseItem', item)).toEqual([]);
});

test('a conversation fits, with its items and what is said of its deletion', async () => {
  const fixture = await openEmulator(scripted([{ reason: 'hm' }, CALL], [{ answer: 'x' }]));
  const { conversations, responses } = fixture.client;
  const conversation = await conversations.create({ metadata: { a: '1' } });
  expect(misfits('Conversation', conversation, ['metadata'])).toEqual([]);
  const created = await responses.create({ ...sent, conversation: conversation.id });
  await fixture.reached(created.id, 'completed');
  const call = (await responses.retrieve(created.id)).output.find((item) => item.type === 'function_call');
  await conversations.items.create(conversation.id, {
    items: [{ type: 'function_call_output', call_id: call?.call_id ?? '', output: 'y' }],
  });
  for await (const item of conversations.items.list(conversation.id))
    expect(misfits('ConversationItem', item)).toEqual([]);
  expect(misfits('ConversationDeletedResource', await conversations.delete(conversation.id))).toEqual([]);
});

test('a token count fits', async () => {
  const { client } = await openEmulator();
  expect(
    misfits('InputTokenCountResponse', await client.responses.inputTokens.count({ input: 'x' })),
  ).toEqual([]);
});

test.each([
  ['GET', '/threads/thread_none', undefined],
  ['GET', '/responses/resp_none', undefined],
  ['POST', '/responses', { model: 'm' }],
  ['POST', '/threads', { unknown: 1 }],
  ['GET', '/none', undefined],
] as const)('the error of %s %s fits', async (method, path, body) => {
  const fixture = await openEmulator();
  const { json } = await fixture.request(method, path, body);
  expect(misfits('ErrorObject', json['error'])).toEqual([]);
});

test('a list has its envelope, also when it is empty', async () => {
  const fixture = await openEmulator();
  const { json: thread } = await fixture.request('POST', '/threads', {
    messages: [{ role: 'user', content: 'x' }],
  });
  const path = `/threads/${String(thread['id'])}`;
  const { json } = await fixture.request('GET', `${path}/messages`);
  const [message] = json['data'] as [{ id: string }];
  expect(json).toEqual({
    object: 'list',
    data: [message],
    first_id: message.id,
    last_id: message.id,
    has_more: false,
  });
  const empty = await fixture.request('GET', `${path}/runs`);
  expect(empty.json).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false });
});
