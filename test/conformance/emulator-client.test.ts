/** The official client's own helpers, as its users use them. */
import { expect, test } from 'vitest';
import { openEmulator, openThread, scripted } from '../support/emulator-fixture.ts';

const CALLS = {
  call: [
    { name: 'f', arguments: {} },
    { name: 'g', arguments: {} },
  ],
};
const QUICK = { pollIntervalMs: 1 };

async function collect<T extends { id?: string | null }>(pages: AsyncIterable<T>): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const item of pages) ids.push(item.id);
  return ids;
}

test('createAndPoll and submitToolOutputsAndPoll drive a run to its end', async () => {
  const fixture = await openEmulator(
    scripted([{ think_ms: 2 }, CALLS, { think_ms: 2 }, { answer: '{{outputs}}' }]),
  );
  const { thread, assistant } = await openThread(fixture);
  const { runs } = fixture.client.beta.threads;
  const waiting = await runs.createAndPoll(thread, { assistant_id: assistant }, QUICK);
  expect(waiting.status).toBe('requires_action');
  const calls = waiting.required_action?.submit_tool_outputs.tool_calls ?? [];
  const done = await runs.submitToolOutputsAndPoll(
    waiting.id,
    {
      thread_id: thread,
      tool_outputs: calls.map((call) => ({ tool_call_id: call.id, output: call.function.name })),
    },
    QUICK,
  );
  expect(done.status).toBe('completed');
});

test('createAndRunPoll makes the thread and drives its run', async () => {
  const { client, emulator } = await openEmulator(scripted([{ answer: 'x' }]));
  const assistant = emulator.createAssistant({ model: 'model' });
  const run = await client.beta.threads.createAndRunPoll(
    { assistant_id: assistant, thread: { messages: [{ role: 'user', content: 'x' }] } },
    QUICK,
  );
  expect(run.status).toBe('completed');
  const messages = await client.beta.threads.messages.list(run.thread_id);
  expect(messages.data).toHaveLength(2);
});

test('lists page forwards in both orders, and each item comes once', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const { thread, assistant } = await openThread(fixture);
  const { runs, messages } = fixture.client.beta.threads;
  const made: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const run = await runs.createAndPoll(thread, { assistant_id: assistant }, QUICK);
    made.push(run.id);
  }
  expect(await collect(runs.list(thread, { limit: 2, order: 'asc' }))).toEqual(made);
  expect(await collect(runs.list(thread, { limit: 2 }))).toEqual(made.toReversed());
  expect(await collect(messages.list(thread, { limit: 2 }))).toHaveLength(6);
  const before = await runs.list(thread, { limit: 2, order: 'asc', before: made[3] ?? '' });
  expect(before.data.map((run) => run.id)).toEqual(made.slice(1, 3));
  expect(before.has_more).toBe(true);
});

test('assistants can be created, read, changed, listed and deleted', async () => {
  const { client } = await openEmulator();
  const { assistants } = client.beta;
  const made = await assistants.create({
    model: 'model',
    name: 'Support',
    tools: [{ type: 'code_interpreter' }],
  });
  await assistants.update(made.id, { instructions: 'Be kind.' });
  expect(await assistants.retrieve(made.id)).toMatchObject({
    name: 'Support',
    instructions: 'Be kind.',
    model: 'model',
  });
  expect(await collect(assistants.list())).toEqual([made.id]);
  expect(await assistants.delete(made.id)).toMatchObject({ deleted: true });
  expect(await collect(assistants.list())).toEqual([]);
});

test('threads and messages can be read, changed and deleted', async () => {
  const { client } = await openEmulator();
  const { threads } = client.beta;
  const thread = await threads.create({ metadata: { a: '1' } });
  expect((await threads.update(thread.id, { metadata: { a: '2' } })).metadata).toEqual({ a: '2' });
  const content = [
    { type: 'text' as const, text: 'What is this?' },
    { type: 'image_url' as const, image_url: { url: 'https://example.com/a.png' } },
    { type: 'image_file' as const, image_file: { file_id: 'file-1' } },
  ];
  const message = await threads.messages.create(thread.id, { role: 'user', content });
  expect(message.content.map((part) => part.type)).toEqual(['text', 'image_url', 'image_file']);
  const place = { thread_id: thread.id };
  expect(await threads.messages.retrieve(message.id, place)).toEqual(message);
  expect(await threads.messages.delete(message.id, place)).toMatchObject({ deleted: true });
  expect((await threads.messages.list(thread.id)).data).toEqual([]);
  expect(await threads.delete(thread.id)).toMatchObject({ deleted: true });
});

test('responses: create, retrieve, cancel, input items, token count', async () => {
  const { client } = await openEmulator(scripted([{ hang: true }]));
  const input = ['a', 'b', 'c'].map((content) => ({ role: 'user' as const, content }));
  const made = await client.responses.create({ model: 'model', input, background: true });
  expect((await client.responses.retrieve(made.id)).id).toBe(made.id);
  expect(await collect(client.responses.inputItems.list(made.id, { limit: 2, order: 'asc' }))).toHaveLength(
    3,
  );
  expect((await client.responses.cancel(made.id)).status).toBe('cancelled');
  const counted = await client.responses.inputTokens.count({ model: 'model', input });
  expect(counted.input_tokens).toBeGreaterThan(0);
});

test('conversations: create, read, change, items, delete', async () => {
  const { client } = await openEmulator();
  const { conversations } = client;
  const made = await conversations.create({ items: [{ role: 'user', content: 'a' }], metadata: { a: '1' } });
  expect((await conversations.update(made.id, { metadata: { a: '2' } })).metadata).toEqual({ a: '2' });
  expect((await conversations.retrieve(made.id)).metadata).toEqual({ a: '2' });
  const added = await conversations.items.create(made.id, {
    items: ['b', 'c'].map((content) => ({ type: 'message' as const, role: 'user' as const, content })),
  });
  expect(added.data).toHaveLength(2);
  const ids = await collect(conversations.items.list(made.id, { limit: 1, order: 'asc' }));
  expect(ids).toHaveLength(3);
  const first = String(ids[0]);
  expect(await conversations.items.retrieve(first, { conversation_id: made.id })).toMatchObject({
    id: first,
  });
  await conversations.items.delete(first, { conversation_id: made.id });
  expect(await collect(conversations.items.list(made.id))).toEqual(ids.slice(1).toReversed());
  expect(await conversations.delete(made.id)).toMatchObject({ deleted: true });
});
