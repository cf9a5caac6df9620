import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import type { Quirk } from '../../src/emulator/index.ts';
import { openEmulator, refusal, scripted } from '../support/emulator-fixture.ts';
import type { Fixture } from '../support/emulator-fixture.ts';

type Response = OpenAI.Responses.Response;
type CreateParams = OpenAI.Responses.ResponseCreateParamsNonStreaming;
const CALL = { call: [{ id: 'call_1', name: 'get_order', arguments: { id: 1042 } }] };
const FAIL = { fail: { code: 'server_error', message: 'Sorry.' } };
const output = (text: string, callId = 'call_1'): OpenAI.Responses.ResponseInputItem => ({
  type: 'function_call_output',
  call_id: callId,
  output: text,
});

async function run(fixture: Fixture, params: CreateParams): Promise<Response> {
  const { client, emulator } = fixture;
  const created = await client.responses.create({ model: 'model', ...params });
  await emulator.waitFor(
    (entry) =>
      entry.kind === 'status' &&
      entry.id === created.id &&
      ['completed', 'failed', 'incomplete', 'cancelled'].includes(entry.to),
  );
  return await client.responses.retrieve(created.id);
}

test('a response in the background is queued, then in progress, then wants a tool, and a chain answers it', async () => {
  const fixture = await openEmulator(
    scripted([{ think_ms: 1 }, CALL, { answer: 'It is {{output.get_order}}.' }]),
  );
  const created = await fixture.client.responses.create({
    model: 'model',
    input: 'Where?',
    background: true,
  });
  expect(created).toMatchObject({ status: 'queued', output: [], usage: null, background: true });
  await fixture.reached(created.id, 'completed');
  const first = await fixture.client.responses.retrieve(created.id);
  expect(first.output).toMatchObject([
    {
      type: 'function_call',
      call_id: 'call_1',
      name: 'get_order',
      arguments: '{"id":1042}',
      status: 'completed',
    },
  ]);
  const last = await run(fixture, {
    previous_response_id: first.id,
    input: [output('on its way')],
    background: true,
  });
  expect(last.output_text).toBe('It is on its way.');
  expect(last.usage?.total_tokens).toBeGreaterThan(first.usage?.total_tokens ?? 0);
  expect(fixture.statuses(created.id)).toEqual(['queued', 'in_progress', 'completed']);
});

test('a foreground response answers at its end', async () => {
  const fixture = await openEmulator(scripted([{ think_ms: 1 }, { answer: 'Yes.' }]));
  const done = await fixture.client.responses.create({ model: 'model', input: 'Well?' });
  expect(done).toMatchObject({ status: 'completed', output_text: 'Yes.', background: false });
  expect(fixture.statuses(done.id)).toEqual(['in_progress', 'completed']);
});

test('a foreground response is cancelled when its caller goes', async () => {
  const fixture = await openEmulator(scripted([{ hang: true }]));
  const leaving = new AbortController();
  const asked = fixture.client.responses.create({ model: 'model', input: 'x' }, { signal: leaving.signal });
  const left = asked.catch((error: unknown) => error);
  const entry = await fixture.emulator.waitFor((held) => held.kind === 'status' && held.to === 'in_progress');
  leaving.abort();
  expect(await left).toBeInstanceOf(Error);
  expect(entry.kind === 'status' ? (await fixture.reached(entry.id, 'cancelled')).from : null).toBe(
    'in_progress',
  );
  const answer = await fixture.emulator.waitFor((held) => held.kind === 'answer');
  expect(answer).toMatchObject({ acted: true, delivered: false, status: null });
});

test('what is not stored cannot be read, deleted or gone on from', async () => {
  const fixture = await openEmulator();
  const { responses } = fixture.client;
  const { id } = await responses.create({ model: 'model', input: 'x', store: false });
  expect(await refusal(responses.retrieve(id))).toMatchObject({
    status: 404,
    message: `Response with id '${id}' not found.`,
  });
  expect(
    await refusal(responses.create({ model: 'model', input: 'x', previous_response_id: id })),
  ).toMatchObject({
    status: 400,
    code: 'previous_response_not_found',
  });
});

test('without a store the whole history goes on with its script', async () => {
  const fixture = await openEmulator(scripted([{ reason: 'hm' }, CALL, { answer: '{{outputs}}' }]));
  const { responses } = fixture.client;
  const include: CreateParams['include'] = ['reasoning.encrypted_content'];
  const first = await responses.create({ model: 'model', input: 'x', store: false, include });
  const history = [
    { role: 'user' as const, content: 'x' },
    ...first.output,
    output('42'),
  ] as CreateParams['input'];
  const second = await responses.create({ model: 'model', input: history ?? [], store: false });
  expect(second.output_text).toBe('42');
});

test('a reasoning item that nobody stored must come with its encrypted form', async () => {
  const fixture = await openEmulator(scripted([{ reason: 'hm' }, { answer: 'x' }]));
  const { responses } = fixture.client;
  const first = await responses.create({ model: 'model', input: 'x', store: false });
  const again = responses.create({ model: 'model', input: first.output as OpenAI.Responses.ResponseInput });
  expect(await refusal(again)).toMatchObject({ status: 404 });
});

test('background needs a store', async () => {
  const { client } = await openEmulator();
  const refused = client.responses.create({ model: 'model', input: 'x', background: true, store: false });
  expect(await refusal(refused)).toMatchObject({ status: 400 });
});

test('a deleted response is gone', async () => {
  const fixture = await openEmulator();
  const { id } = await run(fixture, { input: 'x', background: true });
  await fixture.client.responses.delete(id);
  expect(await refusal(fixture.client.responses.retrieve(id))).toMatchObject({ status: 404 });
});

test('calls must be answered, and outputs must have their call', async () => {
  const fixture = await openEmulator(
    scripted([{ call: [...CALL.call, { id: 'call_2', name: 'f', arguments: {} }] }, { answer: 'x' }]),
  );
  const first = await run(fixture, { input: 'x', background: true });
  const goOn = (...input: OpenAI.Responses.ResponseInputItem[]): Promise<unknown> =>
    fixture.client.responses.create({ model: 'model', previous_response_id: first.id, input });
  expect((await refusal(goOn(output('a')))).message).toBe('No tool output found for function call call_2.');
  expect((await refusal(goOn(output('a'), output('b', 'call_2'), output('c', 'call_3')))).message).toBe(
    'No tool call found for function call output with call_id call_3.',
  );
  expect(await goOn(output('b', 'call_2'), output('a'))).toMatchObject({ status: 'completed' });
});

test('a cancel ends a response in the background, twice is no error, and a foreground one refuses it', async () => {
  const fixture = await openEmulator(scripted([{ hang: true }], [{ answer: 'x' }]));
  const { responses } = fixture.client;
  const metadata = { drover_run: 'r' };
  const live = await responses.create({ model: 'model', input: 'x', background: true, metadata });
  expect(await responses.cancel(live.id)).toMatchObject({ status: 'cancelled', usage: null, output: [] });
  expect(await responses.cancel(live.id)).toMatchObject({ status: 'cancelled' });
  const foreground = await responses.create({ model: 'model', input: 'x', metadata });
  expect(await refusal(responses.cancel(foreground.id))).toMatchObject({
    status: 400,
    message: 'Cannot cancel a synchronous response.',
  });
  const done = await run(fixture, { input: 'x', background: true, metadata });
  expect(await responses.cancel(done.id)).toMatchObject({ status: 'completed' });
});

test.each<[string, readonly Quirk[], readonly string[]]>([
  ['with the output, when the response completes', [], []],
  ['at once, on a server of that habit', ['input_enters_at_create'], ['user']],
])('the input enters a conversation %s', async (_when, quirks, early) => {
  const fixture = await openEmulator({ ...scripted([{ hang: true }], [CALL, { answer: 'x' }]), quirks });
  const { client } = fixture;
  const { id } = await client.conversations.create();
  const kinds = async (): Promise<readonly unknown[]> => {
    const page = await client.conversations.items.list(id, { order: 'asc' });
    return page.data.map((item) => (item.type === 'message' ? item.role : item.type));
  };
  const params = { model: 'model', conversation: id, background: true };
  const live = await client.responses.create({ ...params, input: 'x' });
  expect(live.conversation).toEqual({ id });
  expect(await kinds()).toEqual(early);
  await client.responses.cancel(live.id);
  expect(await kinds()).toEqual(early);
  await run(fixture, { ...params, input: 'y' });
  expect(await kinds()).toEqual([...early, 'user', 'function_call']);
  const end = await run(fixture, { ...params, input: [output('42')] });
  expect(end.output_text).toBe('x');
  expect(await kinds()).toEqual([...early, 'user', 'function_call', 'function_call_output', 'assistant']);
});

test('a conversation that a response writes is locked', async () => {
  const fixture = await openEmulator(scripted([{ hang: true }]));
  const { client } = fixture;
  const { id } = await client.conversations.create();
  const params = { model: 'model', conversation: id, input: 'x', background: true };
  const live = await client.responses.create(params);
  expect(await refusal(client.responses.create(params))).toMatchObject({
    status: 400,
    code: 'conversation_locked',
  });
  await client.responses.cancel(live.id);
  expect(await client.responses.create(params)).toMatchObject({ status: 'queued' });
});

test('a conversation keeps calls that nobody answered, until somebody does', async () => {
  const fixture = await openEmulator(scripted([CALL], [{ answer: 'x' }]));
  const { client } = fixture;
  const { id } = await client.conversations.create();
  await run(fixture, { conversation: id, input: 'x', background: true });
  const params = { model: 'model', conversation: id, input: 'And now?' };
  expect((await refusal(client.responses.create(params))).message).toBe(
    'No tool output found for function call call_1.',
  );
  await client.conversations.items.create(id, { items: [output('cancelled')] });
  expect(await client.responses.create(params)).toMatchObject({ status: 'completed', output_text: 'x' });
});

test('a chain and a conversation exclude each other', async () => {
  const fixture = await openEmulator();
  const first = await run(fixture, { input: 'x', background: true });
  const { id } = await fixture.client.conversations.create();
  const both = fixture.client.responses.create({
    model: 'model',
    input: 'x',
    previous_response_id: first.id,
    conversation: id,
  });
  expect(await refusal(both)).toMatchObject({ status: 400, code: 'mutually_exclusive_parameters' });
});

test('instructions are not carried along a chain', async () => {
  const fixture = await openEmulator();
  const first = await run(fixture, { input: 'x', instructions: 'Be kind.', background: true });
  const second = await run(fixture, { input: 'y', previous_response_id: first.id, background: true });
  expect([first.instructions, second.instructions]).toEqual(['Be kind.', null]);
});

test('a failed step can be repeated from the last good response, and the script goes on after the failure', async () => {
  const fixture = await openEmulator(scripted([CALL, FAIL, { answer: '{{outputs}}' }]));
  const first = await run(fixture, { input: 'x', background: true });
  const step = { previous_response_id: first.id, input: [output('42')], background: true };
  expect(await run(fixture, step)).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  expect((await run(fixture, step)).output_text).toBe('42');
});

test('a failed step in a conversation can be repeated without its outputs', async () => {
  const fixture = await openEmulator({
    ...scripted([CALL, FAIL, { answer: '{{outputs}}' }]),
    quirks: ['input_enters_at_create'],
  });
  const { id } = await fixture.client.conversations.create();
  await run(fixture, { conversation: id, input: 'x', background: true });
  await run(fixture, { conversation: id, input: [output('42')], background: true });
  expect((await run(fixture, { conversation: id, input: [], background: true })).output_text).toBe('42');
});

test('a cancelled step in a conversation that its own attempt makes again is told the same turn, and no other attempt is', async () => {
  const fixture = await openEmulator({
    ...scripted([CALL, { cancel: true }, { answer: 'never' }], [{ answer: 'anew' }]),
    quirks: ['input_enters_at_create'],
  });
  const { id } = await fixture.client.conversations.create();
  const say = (key: string, input: NonNullable<CreateParams['input']>): Promise<Response> =>
    run(fixture, {
      conversation: id,
      input,
      background: true,
      metadata: { drover_run: 'r', drover_key: key },
    });
  await say('first', 'x');
  expect((await say('first', [output('42')])).status).toBe('cancelled');
  expect(await say('first', [])).toMatchObject({ status: 'cancelled', output: [] });
  expect((await say('second', [])).output_text).toBe('anew');
});

test('a step that was made twice, its answer lost, is told the same twice', async () => {
  const fixture = await openEmulator(scripted([CALL, { answer: 'first {{outputs}}' }, { answer: 'never' }]));
  const first = await run(fixture, { input: 'x', background: true });
  const step = { previous_response_id: first.id, input: [output('42')], background: true };
  expect((await run(fixture, step)).output_text).toBe('first 42');
  expect((await run(fixture, step)).output_text).toBe('first 42');
});

test('each chain is its own logical run, unless its metadata says which', async () => {
  const fixture = await openEmulator(scripted([FAIL], [{ answer: 'x' }]));
  const ends = async (metadata: Record<string, string>): Promise<unknown> =>
    (await run(fixture, { input: 'x', metadata, background: true })).status;
  expect([await ends({}), await ends({})]).toEqual(['failed', 'failed']);
  expect([await ends({ drover_run: 'r' }), await ends({ drover_run: 'r' })]).toEqual(['failed', 'completed']);
});

test('a budget that ran out has the name of this wire, and a larger one goes past it', async () => {
  const fixture = await openEmulator(
    scripted([
      { incomplete: 'max_completion_tokens', text: 'It', unless_budget_at_least: 512 },
      { answer: 'x' },
    ]),
  );
  const cut = await run(fixture, { input: 'x', max_output_tokens: 256, background: true });
  expect(cut).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [{ type: 'message', status: 'incomplete' }],
  });
  expect(await run(fixture, { input: 'x', max_output_tokens: 512, background: true })).toMatchObject({
    status: 'completed',
  });
});

test.each([
  [
    'a refusal',
    { refuse: 'No.' },
    'completed',
    [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }],
  ],
  ['a filter', { incomplete: 'content_filter' }, 'incomplete', []],
  ['a cancel by somebody else', { cancel: true }, 'cancelled', []],
  [
    'an approval',
    { approve: [{ server_label: 's', name: 'n', arguments: {} }] },
    'completed',
    [{ type: 'mcp_approval_request', server_label: 's' }],
  ],
] as const)('%s is shown as the wire shows it', async (_what, step, status, items) => {
  const fixture = await openEmulator(scripted([step]));
  expect(await run(fixture, { input: 'x', background: true })).toMatchObject({ status, output: items });
});

test('an approval that is given goes on with the script', async () => {
  const fixture = await openEmulator(
    scripted([{ approve: [{ server_label: 's', name: 'n', arguments: {} }] }, { answer: 'done' }]),
  );
  const first = await run(fixture, { input: 'x', background: true });
  const approval = {
    type: 'mcp_approval_response' as const,
    approve: true,
    approval_request_id: first.output[0]?.id ?? '',
  };
  const last = await run(fixture, { input: [approval], previous_response_id: first.id, background: true });
  expect(last.output_text).toBe('done');
});

test('on this wire nothing expires: it hangs', async () => {
  const fixture = await openEmulator(scripted([{ expire: true }]));
  const live = await fixture.client.responses.create({ model: 'model', input: 'x', background: true });
  await fixture.reached(live.id, 'in_progress');
  expect(await fixture.client.responses.retrieve(live.id)).toMatchObject({ status: 'in_progress' });
});

const userText = (text: string): object => ({ role: 'user', content: [{ type: 'input_text', text }] });
test.each([
  ['model', { input: 'x' }, 'missing_required_parameter'],
  ['input', { model: 'm' }, 'missing_required_parameter'],
  ['temperature', { model: 'm', input: 'x', temperature: 3 }, 'integer_above_max_value'],
  ['max_output_tokens', { model: 'm', input: 'x', max_output_tokens: 15 }, 'integer_below_min_value'],
  ['thread_id', { model: 'm', input: 'x', thread_id: 't' }, 'unknown_parameter'],
  [
    'input[0].content[0].type',
    { model: 'm', input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    'invalid_value',
  ],
  [
    'input[1].content[0].detail',
    {
      model: 'm',
      input: [userText('x'), { role: 'user', content: [{ type: 'input_image', image_url: 'u' }] }],
    },
    'missing_required_parameter',
  ],
  [
    'input[0].output',
    { model: 'm', input: [{ type: 'function_call_output', call_id: 'c' }] },
    'missing_required_parameter',
  ],
  [
    'tools[0].parameters',
    { model: 'm', input: 'x', tools: [{ type: 'function', name: 'f', strict: true }] },
    'missing_required_parameter',
  ],
  [
    'input[0].call_id',
    { model: 'm', input: [{ type: 'function_call_output', call_id: 'c'.repeat(65), output: 'x' }] },
    'string_above_max_length',
  ],
  ['stream', { model: 'm', input: 'x', stream: true }, 'unsupported_value'],
] as const)('a response with a bad %s is refused by name', async (param, body, code) => {
  const fixture = await openEmulator();
  const answer = await fixture.request('POST', '/responses', body);
  expect(answer).toMatchObject({ status: 400, json: { error: { param, code } } });
});

test('the official description offers no list of responses, and neither does the emulator', async () => {
  const fixture = await openEmulator();
  expect(await fixture.request('GET', '/responses')).toMatchObject({ status: 404 });
  expect(await fixture.request('GET', '/conversations')).toMatchObject({ status: 404 });
});

test('a response that was created by a stream is streamed again behind any event, and no other one is', async () => {
  const fixture = await openEmulator(scripted([{ think_ms: 1 }, { answer: 'It is on its way.' }]));
  const { client } = fixture;
  const params = { model: 'model', input: 'Where?', background: true } as const;
  const events = [];
  for await (const event of await client.responses.create({ ...params, stream: true })) events.push(event);
  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at));
  expect(events[0]).toMatchObject({ type: 'response.created', response: { status: 'queued' } });
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
  const said = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []));
  expect(said.length).toBeGreaterThan(1);
  expect(said.join('')).toBe('It is on its way.');
  const id = events[0]?.type === 'response.created' ? events[0].response.id : '';
  const rest = [];
  const behind = { stream: true, starting_after: 3 } as const;
  for await (const event of await client.responses.retrieve(id, behind)) rest.push(event);
  expect(rest).toEqual(events.slice(4));
  const plain = await run(fixture, params);
  expect(await refusal(client.responses.retrieve(plain.id, behind))).toMatchObject({ status: 400 });
});
