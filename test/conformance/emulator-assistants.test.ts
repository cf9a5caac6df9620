import type OpenAI from 'openai';
import { expect, test } from 'vitest';
import { openEmulator, openThread, refusal, scripted } from '../support/emulator-fixture.ts';
import type { Fixture } from '../support/emulator-fixture.ts';

type Run = OpenAI.Beta.Threads.Run;
const CALL = { call: [{ name: 'get_order', arguments: { id: 1042 } }] };

async function createRun(
  fixture: Fixture,
  extra: Partial<OpenAI.Beta.Threads.RunCreateParamsNonStreaming> = {},
): Promise<{ run: Run; thread: string; assistant: string }> {
  const { thread, assistant } = await openThread(fixture);
  const run = await fixture.client.beta.threads.runs.create(thread, { assistant_id: assistant, ...extra });
  return { run, thread, assistant };
}

const retrieve = ({ client }: Fixture, thread: string, run: Run): Promise<Run> =>
  client.beta.threads.runs.retrieve(run.id, { thread_id: thread });
const outputsFor = (run: Run, output: string): { tool_call_id: string; output: string }[] =>
  (run.required_action?.submit_tool_outputs.tool_calls ?? []).map(({ id }) => ({ tool_call_id: id, output }));

test('a run with one tool round goes through the documented statuses', async () => {
  const fixture = await openEmulator(
    scripted([{ think_ms: 1 }, CALL, { answer: 'It is {{output.get_order}}.' }]),
  );
  const { run, thread } = await createRun(fixture);
  expect(run).toMatchObject({ status: 'queued', started_at: null, usage: null, required_action: null });
  expect(run.expires_at).toBe(run.created_at + 600);
  await fixture.reached(run.id, 'requires_action');
  const waiting = await retrieve(fixture, thread, run);
  expect(waiting.usage).toBeNull();
  expect(waiting.expires_at).toBe(run.expires_at);
  const submitted = await fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
    thread_id: thread,
    tool_outputs: outputsFor(waiting, 'on its way'),
  });
  expect(submitted).toMatchObject({ status: 'queued', required_action: null, expires_at: run.expires_at });
  await fixture.reached(run.id, 'completed');
  const done = await retrieve(fixture, thread, run);
  expect(done).toMatchObject({ status: 'completed', expires_at: null, required_action: null });
  expect(done.usage?.total_tokens).toBe(
    (done.usage?.prompt_tokens ?? 0) + (done.usage?.completion_tokens ?? 0),
  );
  expect(fixture.statuses(run.id)).toEqual([
    'queued',
    'in_progress',
    'requires_action',
    'queued',
    'in_progress',
    'completed',
  ]);
  const messages = await fixture.client.beta.threads.messages.list(thread, { run_id: run.id });
  expect(messages.data.map((message) => message.content)).toEqual([
    [{ type: 'text', text: { value: 'It is on its way.', annotations: [] } }],
  ]);
  const steps = await fixture.client.beta.threads.runs.steps.list(run.id, {
    thread_id: thread,
    order: 'asc',
  });
  expect(steps.data.map((step) => [step.type, step.status])).toEqual([
    ['tool_calls', 'completed'],
    ['message_creation', 'completed'],
  ]);
});

test('every request field of a run is seen in the run', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const given = {
    model: 'model',
    instructions: 'Be kind.',
    additional_instructions: 'Be brief.',
    tools: [{ type: 'function' as const, function: { name: 'f', parameters: { type: 'object' } } }],
    metadata: { ticket: '77' },
    temperature: 0.5,
    top_p: 0.25,
    max_prompt_tokens: 1000,
    max_completion_tokens: 500,
    truncation_strategy: { type: 'last_messages' as const, last_messages: 3 },
    tool_choice: 'required' as const,
    parallel_tool_calls: false,
    response_format: { type: 'json_object' as const },
    reasoning_effort: 'low' as const,
  };
  const { run } = await createRun(fixture, given);
  const { additional_instructions: _added, ...rest } = given;
  expect(run).toMatchObject({ ...rest, instructions: 'Be kind.\nBe brief.' });
});

test('additional messages enter the thread before the run works on it', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const { run, thread } = await createRun(fixture, {
    additional_messages: [{ role: 'user', content: 'Hurry.' }],
  });
  await fixture.reached(run.id, 'completed');
  const messages = await fixture.client.beta.threads.messages.list(thread, { order: 'asc' });
  expect(messages.data.map((message) => message.role)).toEqual(['user', 'user', 'assistant']);
});

test('a thread with an active run takes neither another run nor a message', async () => {
  const fixture = await openEmulator(scripted([CALL]));
  const { run, thread, assistant } = await createRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  const { threads } = fixture.client.beta;
  expect(await refusal(threads.runs.create(thread, { assistant_id: assistant }))).toMatchObject({
    status: 400,
    message: `Thread ${thread} already has an active run ${run.id}.`,
  });
  expect(await refusal(threads.messages.create(thread, { role: 'user', content: 'x' }))).toMatchObject({
    status: 400,
    message: `Can't add messages to ${thread} while a run ${run.id} is active.`,
  });
});

test('outputs must be those that are waited for, all of them and no others', async () => {
  const fixture = await openEmulator(
    scripted([
      {
        call: [
          { id: 'call_a', name: 'f', arguments: {} },
          { id: 'call_b', name: 'f', arguments: {} },
        ],
      },
    ]),
  );
  const { run, thread } = await createRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  const submit = (...ids: readonly string[]): Promise<unknown> =>
    fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
      thread_id: thread,
      tool_outputs: ids.map((id) => ({ tool_call_id: id, output: 'x' })),
    });
  expect((await refusal(submit('call_a'))).message).toBe(
    "Expected tool outputs for call_ids ['call_a', 'call_b'], got ['call_a']",
  );
  expect((await refusal(submit('call_a', 'call_b', 'call_c'))).message).toBe(
    "Expected tool outputs for call_ids ['call_a', 'call_b'], got ['call_a', 'call_b', 'call_c']",
  );
  const nameless = await fixture.request('POST', `/threads/${thread}/runs/${run.id}/submit_tool_outputs`, {
    tool_outputs: [{ output: 'x' }],
  });
  expect(nameless).toMatchObject({ status: 400 });
  expect(nameless.text).toContain('body -> tool_outputs -> 0 -> tool_call_id field required');
  await submit('call_b', 'call_a');
  await fixture.reached(run.id, 'completed');
  expect((await refusal(submit('call_a', 'call_b'))).message).toBe(
    'Runs in status "completed" do not accept tool outputs.',
  );
});

test('a run expires at its time while it waits for outputs, and then takes none', async () => {
  const fixture = await openEmulator({ ...scripted([CALL]), expiresAfterMs: 300 });
  const { run, thread } = await createRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  const waiting = await retrieve(fixture, thread, run);
  await fixture.reached(run.id, 'expired');
  const expired = await retrieve(fixture, thread, run);
  expect(expired).toMatchObject({ status: 'expired', required_action: null, expires_at: null });
  const late = fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
    thread_id: thread,
    tool_outputs: outputsFor(waiting, 'late'),
  });
  expect(await refusal(late)).toMatchObject({
    status: 400,
    message: 'Runs in status "expired" do not accept tool outputs.',
  });
  const steps = await fixture.client.beta.threads.runs.steps.list(run.id, { thread_id: thread });
  expect(steps.data.map((step) => step.status)).toEqual(['expired']);
});

test('a cancelled run ends cancelled and gives its thread free', async () => {
  const fixture = await openEmulator(scripted([CALL], [{ answer: 'x' }]));
  const { run, thread, assistant } = await createRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  const { runs } = fixture.client.beta.threads;
  const cancelling = await runs.cancel(run.id, { thread_id: thread });
  expect(cancelling.status).toBe('cancelling');
  await fixture.reached(run.id, 'cancelled');
  expect(await refusal(runs.cancel(run.id, { thread_id: thread }))).toMatchObject({
    status: 400,
    message: "Cannot cancel run with status 'cancelled'.",
  });
  const next = await runs.create(thread, { assistant_id: assistant });
  await fixture.reached(next.id, 'completed');
  expect((await retrieve(fixture, thread, run)).cancelled_at).toEqual(expect.any(Number));
});

test('a cancel that comes too late leaves the end to the script', async () => {
  const fixture = await openEmulator({
    scripts: { model: { attempts: [{ steps: [{ hang: true }], on_cancel: 'completed' }] } },
  });
  const { run, thread } = await createRun(fixture);
  await fixture.reached(run.id, 'in_progress');
  await fixture.client.beta.threads.runs.cancel(run.id, { thread_id: thread });
  await fixture.reached(run.id, 'completed');
  expect(fixture.statuses(run.id)).toEqual(['queued', 'in_progress', 'cancelling', 'completed']);
});

test.each([
  ['completed', { refuse: 'No.' }, { last_error: null }],
  [
    'failed',
    { fail: { code: 'rate_limit_exceeded', message: 'Slow.' } },
    { last_error: { code: 'rate_limit_exceeded', message: 'Slow.' } },
  ],
  [
    'incomplete',
    { incomplete: 'max_completion_tokens', text: 'It is' },
    { incomplete_details: { reason: 'max_completion_tokens' } },
  ],
  ['incomplete', { incomplete: 'content_filter' }, { incomplete_details: { reason: 'content_filter' } }],
  ['expired', { expire: true }, {}],
  ['cancelled', { cancel: true }, {}],
] as const)('a run ends %s by %j', async (status, step, fields) => {
  const fixture = await openEmulator(scripted([step]));
  const { run, thread } = await createRun(fixture);
  await fixture.reached(run.id, status);
  expect(await retrieve(fixture, thread, run)).toMatchObject({ status, expires_at: null, ...fields });
});

test('a status that nobody knows is shown, and passes', async () => {
  const fixture = await openEmulator(scripted([{ status: 'pondering', for_ms: 1 }, { answer: 'x' }]));
  const { run } = await createRun(fixture);
  await fixture.reached(run.id, 'completed');
  expect(fixture.statuses(run.id)).toEqual([
    'queued',
    'in_progress',
    'pondering',
    'in_progress',
    'completed',
  ]);
});

test('attempts are counted for one logical run, over threads too, and for a thread without a mark', async () => {
  const fixture = await openEmulator(
    scripted([{ fail: { code: 'server_error', message: 'x' } }], [{ answer: 'x' }]),
  );
  const ends = async (metadata: Record<string, string>): Promise<string | null> => {
    const { run } = await createRun(fixture, { metadata });
    const entry = await fixture.emulator.waitFor(
      (held) => held.kind === 'status' && held.id === run.id && ['failed', 'completed'].includes(held.to),
    );
    return entry.kind === 'status' ? entry.to : null;
  };
  expect(await ends({ drover_run: 'one' })).toBe('failed');
  expect(await ends({ drover_run: 'one' })).toBe('completed');
  expect(await ends({ drover_run: 'two' })).toBe('failed');
  expect(await ends({})).toBe('failed');
  expect(await ends({})).toBe('failed');
});

test('the content filter refuses at create as Azure does, and leaves nothing behind', async () => {
  const fixture = await openEmulator(
    scripted([{ reject: { status: 400, code: 'content_filter', message: 'The prompt was filtered.' } }]),
  );
  const { thread, assistant } = await openThread(fixture);
  const create = fixture.client.beta.threads.runs.create(thread, { assistant_id: assistant });
  expect(await refusal(create)).toEqual({
    status: 400,
    code: 'content_filter',
    message: 'The prompt was filtered.',
  });
  expect((await fixture.client.beta.threads.runs.list(thread)).data).toEqual([]);
});

test('an approval is asked for in the shape of Azure', async () => {
  const approval = { server_label: 'github', name: 'delete_repo', arguments: { name: 'x' } };
  const fixture = await openEmulator(scripted([{ approve: [approval] }]));
  const { run, thread } = await createRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  expect((await retrieve(fixture, thread, run)).required_action).toMatchObject({
    type: 'submit_tool_approval',
    submit_tool_approval: { tool_calls: [{ type: 'mcp', server_label: 'github', name: 'delete_repo' }] },
  });
});

test('a run that vanishes is not found any more', async () => {
  const fixture = await openEmulator(scripted([{ vanish: true }]));
  const { run, thread } = await createRun(fixture);
  await fixture.reached(run.id, 'failed');
  expect(await refusal(retrieve(fixture, thread, run))).toMatchObject({
    status: 404,
    message: `No run found with id '${run.id}'.`,
  });
});

test.each([
  ['GET', '/threads/thread_none', 404, "No thread found with id 'thread_none'."],
  ['GET', '/assistants/asst_none', 404, "No assistant found with id 'asst_none'."],
  [
    'GET',
    '/threads/undefined',
    400,
    "Invalid 'thread_id': 'undefined'. Expected an ID that begins with 'thread'.",
  ],
] as const)('%s %s is answered %i', async (method, path, status, message) => {
  const fixture = await openEmulator();
  const answer = await fixture.request(method, path);
  expect(answer).toMatchObject({ status, json: { error: { message, type: 'invalid_request_error' } } });
});

test('the Assistants wire asks for its beta header, the other one does not', async () => {
  const fixture = await openEmulator();
  const answer = await fixture.request('POST', '/threads', {}, { 'openai-beta': '' });
  expect(answer).toMatchObject({ status: 401, json: { error: { code: 'invalid_beta' } } });
  expect(await fixture.request('POST', '/conversations', {}, { 'openai-beta': '' })).toMatchObject({
    status: 200,
  });
});

test('another key than its own is answered 401', async () => {
  const fixture = await openEmulator({ apiKey: 'right' });
  const answer = await fixture.request('POST', '/threads', {}, { authorization: 'Bearer wrong' });
  expect(answer).toMatchObject({ status: 401, json: { error: { code: 'invalid_api_key' } } });
  expect(answer.text).not.toContain('wrong');
  expect(await fixture.request('POST', '/threads', {})).toMatchObject({ status: 200 });
});

const long = (length: number): string => 'x'.repeat(length);
test.each([
  ['assistant_id', {}, 'missing_required_parameter'],
  ['temperature', { assistant_id: 'a', temperature: 2.5 }, 'decimal_above_max_value'],
  ['top_p', { assistant_id: 'a', top_p: -0.5 }, 'decimal_below_min_value'],
  ['max_prompt_tokens', { assistant_id: 'a', max_prompt_tokens: 255 }, 'integer_below_min_value'],
  ['max_completion_tokens', { assistant_id: 'a', max_completion_tokens: 1 }, 'integer_below_min_value'],
  ['metadata.k', { assistant_id: 'a', metadata: { k: long(513) } }, 'string_above_max_length'],
  ['tool_outputs', { assistant_id: 'a', tool_outputs: [] }, 'unknown_parameter'],
  ['reasoning_effort', { assistant_id: 'a', reasoning_effort: 'huge' }, 'invalid_value'],
  [
    'additional_messages[0].role',
    { assistant_id: 'a', additional_messages: [{ role: 'system', content: 'x' }] },
    'invalid_value',
  ],
  [
    'tools[0].function.name',
    { assistant_id: 'a', tools: [{ type: 'function', function: { name: 'a b' } }] },
    'invalid_value',
  ],
  ['stream', { assistant_id: 'A', stream: true }, 'unsupported_value'],
] as const)('a run with a bad %s is refused by name', async (param, body, code) => {
  const fixture = await openEmulator();
  const thread = (await fixture.request('POST', '/threads', {})).json['id'] as string;
  fixture.emulator.createAssistant({ id: 'A', model: 'model' });
  const answer = await fixture.request('POST', `/threads/${thread}/runs`, body);
  expect(answer).toMatchObject({ status: 400, json: { error: { param, code } } });
  expect(answer.text.length).toBeLessThan(400);
});

test('metadata has 16 pairs at most', async () => {
  const fixture = await openEmulator();
  const pairs = (count: number): object => ({
    metadata: Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v'])),
  });
  expect(await fixture.request('POST', '/threads', pairs(16))).toMatchObject({ status: 200 });
  expect(await fixture.request('POST', '/threads', pairs(17))).toMatchObject({ status: 400 });
});

test('a body that is not JSON is refused in words', async () => {
  const fixture = await openEmulator();
  expect(await fixture.request('POST', '/threads', '{"metadata":')).toMatchObject({
    status: 400,
    json: { error: { type: 'invalid_request_error' } },
  });
});

test('a body that is nested without end is refused in the same words', async () => {
  const fixture = await openEmulator();
  const body = `{"metadata":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  expect(await fixture.request('POST', '/threads', body)).toMatchObject({
    status: 400,
    json: { error: { type: 'invalid_request_error' } },
  });
});

test('a path that is not there is answered as the API does', async () => {
  const fixture = await openEmulator();
  expect(await fixture.request('GET', '/responses')).toMatchObject({
    status: 404,
    json: { error: { message: 'Invalid URL (GET /v1/responses)' } },
  });
});

test('metadata of a run can be modified, and nothing else', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const { run, thread } = await createRun(fixture, { metadata: { a: '1' } });
  const changed = await fixture.client.beta.threads.runs.update(run.id, {
    thread_id: thread,
    metadata: { b: '2' },
  });
  expect(changed.metadata).toEqual({ b: '2' });
  const other = await fixture.request('POST', `/threads/${thread}/runs/${run.id}`, { model: 'x' });
  expect(other).toMatchObject({ status: 400, json: { error: { code: 'unknown_parameter' } } });
});
