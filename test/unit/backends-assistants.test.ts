import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { assistants } from '../../src/backends/assistants.ts';
import type { AssistantsOptions } from '../../src/backends/assistants.ts';
import { chooseRun, findRuns } from '../../src/backends/assistants-find.ts';
import { observeRun, readOutput, readPage } from '../../src/backends/assistants-read.ts';
import { checkRun, createBody, mapMessage, threadBody } from '../../src/backends/assistants-request.ts';
import type { Backend, CreateSpec, ResolvedRun } from '../../src/backends/backend.ts';
import type { InputMessage } from '../../src/contract.ts';
import { readRun } from '../../src/run.ts';
import type { RunObject } from '../../src/run.ts';
import type { AttemptRef } from '../../src/steps.ts';
import { startCannedServer } from '../support/backend-canned-server.ts';
import type { CannedServer } from '../support/backend-canned-server.ts';

const NEVER = new AbortController().signal;
const KEY = 'first/1';

let server: CannedServer;
beforeAll(async () => {
  server = await startCannedServer();
});
beforeEach(() => {
  server.seen.length = 0;
});
afterAll(async () => {
  await server.close();
});

const backendOn = (options: AssistantsOptions = {}): Backend =>
  assistants({ baseURL: `${server.url}/v1`, apiKey: 'key-of-the-test', ...options })('legacy');

const resolved = (given: Partial<ResolvedRun> = {}): ResolvedRun => ({
  run_id: 'run-1',
  key: KEY,
  assistant_id: 'asst_1',
  messages: [{ role: 'user', content: 'Hello.' }],
  metadata: { drover_run: 'run-1', drover_key: KEY, ticket: '77' },
  ...given,
});

const spec = (given: Partial<CreateSpec> = {}): CreateSpec => ({
  run: resolved(),
  thread_id: 'thread_1',
  include_input: true,
  find_since_ms: null,
  previous: null,
  resume_outputs: [],
  ...given,
});

const attempt: AttemptRef = {
  id: 'run_1',
  thread_id: 'thread_1',
  key: KEY,
  provider_ids: ['run_1'],
  state: null,
};

const wireRun = (id: string, status = 'in_progress', more: object = {}): object => ({
  id,
  object: 'thread.run',
  status,
  thread_id: 'thread_1',
  created_at: 1_000,
  metadata: { drover_key: KEY },
  ...more,
});

const waiting = (id: string, ...calls: readonly string[]): object =>
  wireRun(id, 'requires_action', {
    required_action: {
      type: 'submit_tool_outputs',
      submit_tool_outputs: {
        tool_calls: calls.map((call) => ({
          id: call,
          type: 'function',
          function: { name: 'f', arguments: '{}' },
        })),
      },
    },
  });

function run(value: object): RunObject {
  const read = readRun(value);
  if (read === null) throw new Error('It is no run.');
  return read;
}

describe('what the wire cannot carry', () => {
  const withContent = (content: InputMessage['content']): ResolvedRun =>
    resolved({ messages: [{ role: 'user', content }] });

  test('all mistakes are named at once, with their places', () => {
    const issues = checkRun({
      ...withContent([
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'file', file: { url: 'https://example.com/a.pdf' } },
        { type: 'text', text: 'x' },
      ]),
      tools: Array.from({ length: 21 }, () => ({ type: 'code_interpreter' })),
    });
    expect(issues.map((issue) => issue.field)).toEqual([
      'tools',
      'messages[0].content[0].image_url.url',
      'messages[0].content[1].file',
    ]);
    expect(issues[0]).toMatchObject({ limit: 20, value: 21 });
    expect(JSON.stringify(issues)).not.toContain('AAAA');
  });

  test.each([
    ['a text', 'Hello.'],
    ['parts', [{ type: 'text', text: 'x' }] as const],
    ['an image by URL', [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] as const],
    ['an image by id', [{ type: 'image_file', image_file: { file_id: 'file_1' } }] as const],
    [
      'a file by id beside a text',
      [
        { type: 'text', text: 'x' },
        { type: 'file', file: { file_id: 'file_1' } },
      ] as const,
    ],
  ])('%s is fine', (_name, content) => {
    expect(checkRun(withContent(content))).toEqual([]);
  });

  test.each([
    ['an empty text', ''],
    ['no part at all', []],
    ['a file alone', [{ type: 'file', file: { file_id: 'file_1' } }] as const],
    ['a part that nobody knows', [{ type: 'sound' } as never]],
  ])('%s is not', (_name, content) => {
    expect(checkRun(withContent(content))).toHaveLength(1);
  });
});

describe('the body of create-run', () => {
  test('a file becomes an attachment for file_search, beside those that were given', () => {
    expect(
      mapMessage({
        role: 'user',
        content: [
          { type: 'text', text: 'Read this.' },
          { type: 'file', file: { file_id: 'file_1' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        ],
        attachments: [{ file_id: 'file_0', tools: [{ type: 'code_interpreter' }] }],
        metadata: { a: 'b' },
      }),
    ).toEqual({
      role: 'user',
      content: [
        { type: 'text', text: 'Read this.' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
      ],
      attachments: [
        { file_id: 'file_0', tools: [{ type: 'code_interpreter' }] },
        { file_id: 'file_1', tools: [{ type: 'file_search' }] },
      ],
      metadata: { a: 'b' },
    });
  });

  test('messages go along only where the thread lacks them', () => {
    expect(createBody(resolved(), true)['additional_messages']).toHaveLength(1);
    expect(createBody(resolved(), false)).not.toHaveProperty('additional_messages');
    expect(createBody(resolved({ messages: [] }), true)).not.toHaveProperty('additional_messages');
  });

  test('what is passed through stands below what the request says', () => {
    const body = createBody(resolved({ temperature: 0 }), true, {
      temperature: 1,
      metadata: {},
      tool_resources: { x: 1 },
    });
    expect(body).toMatchObject({
      temperature: 0,
      tool_resources: { x: 1 },
      metadata: { drover_key: KEY, ticket: '77' },
    });
  });

  test("a thread bears Drover's pairs only", () => {
    expect(threadBody(resolved())).toEqual({ metadata: { drover_run: 'run-1', drover_key: KEY } });
  });
});

describe('finding a run by its key', () => {
  const key = (id: string, at: number | null, held: string = KEY): object =>
    wireRun(id, 'in_progress', { created_at: at, metadata: { drover_key: held } });

  const pages = (...data: readonly (readonly object[])[]) => {
    const asked: (string | null)[] = [];
    const list = (after: string | null) => {
      asked.push(after);
      const at = Math.min(asked.length - 1, data.length - 1);
      const page = readPage({ object: 'list', data: data[at], has_more: at < data.length - 1 });
      return page === null ? Promise.reject(new Error('no page')) : Promise.resolve(page);
    };
    return { asked, list };
  };

  test('pages back to the first try, and no further', async () => {
    const { asked, list } = pages(
      [key('c', 2_000_000, 'other'), key('b', 1_900_000)],
      [key('a', 1_000_000, 'other'), key('z', 999_000)],
      [key('y', 1)],
    );
    const found = await findRuns('thread_1', KEY, 1_900_000_000, list);
    expect(found.map((one) => one.id)).toEqual(['z', 'b']);
    expect(asked).toEqual([null, 'b']);
  });

  test('reads on where times are missing or the list is oldest first', async () => {
    const missing = pages([key('b', null, 'other')], [key('a', null)]);
    expect(await findRuns('thread_1', KEY, 9e12, missing.list)).toHaveLength(1);
    const ascending = pages([key('a', 1, 'other'), key('b', 2, 'other')], [key('c', 3), key('d', 4)]);
    expect((await findRuns('thread_1', KEY, 9e12, ascending.list)).map((one) => one.id)).toEqual(['c', 'd']);
  });

  test('does not spin where the server ignores the cursor', async () => {
    const asked: (string | null)[] = [];
    const found = await findRuns('thread_1', KEY, 0, (after) => {
      asked.push(after);
      return Promise.resolve({ data: [key('a', 5, 'other') as never], hasMore: true, lastId: 'a' });
    });
    expect(found).toEqual([]);
    expect(asked).toEqual([null, 'a']);
  });

  test("leaves out another thread's runs and what is no run", async () => {
    const { list } = pages([{ ...key('a', 5), thread_id: 'thread_2' }, { id: 'b' }, key('c', 5)]);
    expect((await findRuns('thread_1', KEY, 0, list)).map((one) => one.id)).toEqual(['c']);
  });

  test('of runs made in the same second the one that was listed last is the oldest', async () => {
    const { list } = pages([key('younger', 5), key('older', 5)]);
    const { chosen, twins } = chooseRun(await findRuns('thread_1', KEY, 0, list));
    expect(chosen?.id).toBe('older');
    expect(twins.map((twin) => twin.id)).toEqual(['younger']);
  });

  test('twins that have ended or are cancelling are left alone', () => {
    const runs = ['in_progress', 'completed', 'cancelling', 'reticulating'].map((status, at) =>
      run(wireRun(`run_${at}`, status)),
    );
    expect(chooseRun(runs).twins.map((twin) => twin.status)).toEqual(['reticulating']);
    expect(chooseRun([])).toEqual({ chosen: null, twins: [] });
  });
});

describe('one look at a run', () => {
  const look = (value: object) => observeRun(run(value), { threadId: 'thread_1', key: KEY }, 250);

  test('carries the key and the wish for the next look, and fills the thread in', () => {
    expect(look({ id: 'run_1', status: 'queued' })).toMatchObject({
      attempt: { id: 'run_1', thread_id: 'thread_1', key: KEY, provider_ids: ['run_1'] },
      run: { thread_id: 'thread_1' },
      look_after_ms: 250,
      calls: [],
      unsupported_action: null,
    });
  });

  test('a call id that is repeated is one call', () => {
    expect(look(waiting('run_1', 'a', 'b', 'a')).calls.map((call) => call.id)).toEqual(['a', 'b']);
  });

  test.each([
    [
      "Azure's approval without an id",
      {
        type: 'submit_tool_approval',
        submit_tool_approval: { tool_calls: [{ type: 'mcp', name: 'n', arguments: '{}' }] },
      },
      'submit_tool_approval',
    ],
    ['nothing', null, 'required_action is missing'],
    ['an empty object', {}, 'required_action is missing'],
    [
      'no calls',
      { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: [] } },
      'submit_tool_outputs without calls',
    ],
    [
      'a call without an id',
      {
        type: 'submit_tool_outputs',
        submit_tool_outputs: { tool_calls: [{ type: 'function', function: { name: 'f', arguments: '' } }] },
      },
      'submit_tool_outputs with unreadable calls',
    ],
  ])('%s that it waits for is named', (_name, action, expected) => {
    const seen = look(wireRun('run_1', 'requires_action', { required_action: action }));
    expect(seen.unsupported_action).toBe(expected);
  });

  test.each([
    ['tool_server_error', 'tool_server_error'],
    ['server_error', null],
  ])('the code %s stands beside the run as %s', (code, raw) => {
    expect(look(wireRun('run_1', 'failed', { last_error: { code, message: '' } })).raw_code).toBe(raw);
  });
});

describe('what a run said', () => {
  const message = (id: string, text: string, more: object = {}) => ({
    id,
    role: 'assistant',
    run_id: 'run_1',
    created_at: 5,
    content: [{ type: 'text', text: { value: text, annotations: [{ type: 'file_citation' }] } }],
    ...more,
  });

  test('joins the texts of its own messages, and keeps their annotations', () => {
    const output = readOutput(
      [
        message('a', 'One.'),
        message('b', 'Other.', { run_id: 'run_2' }),
        message('c', 'Mine.', { role: 'user' }),
        message('d', 'Two.'),
      ],
      'run_1',
    );
    expect(output.text).toBe('One.\nTwo.');
    expect(output.messages.map((one) => one.id)).toEqual(['a', 'd']);
    expect(output.messages[0]?.content[0]).toMatchObject({
      text: { annotations: [{ type: 'file_citation' }] },
    });
  });

  test('reads content that is plain text, in parts or in whole, and no run_id', () => {
    const bare = { role: 'assistant', content: 'Plain.' };
    const flat = { role: 'assistant', content: [{ type: 'text', text: 'Flat.' }, { type: 'image_file' }, 7] };
    expect(readOutput([bare, flat, { role: 'assistant' }], 'run_1').text).toBe('Plain.\nFlat.');
  });

  test('puts messages that come newest first in order', () => {
    const output = readOutput(
      [message('b', 'Two.', { created_at: 6 }), message('a', 'One.', { created_at: 5 })],
      'run_1',
    );
    expect(output.text).toBe('One.\nTwo.');
  });

  test('tells a refusal from the text', () => {
    const refusal = { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] };
    expect(readOutput([refusal], 'run_1')).toMatchObject({ text: '', refusal: 'No.' });
  });
});

describe('the adapter on the wire', () => {
  test('speaks to Azure by base URL, query and token, without the beta header', async () => {
    server.answer({ body: { id: 'thread_9' } });
    const backend = backendOn({
      baseURL: `${server.url}/api/projects/p`,
      query: { 'api-version': 'v1' },
      apiKey: () => Promise.resolve('entra-token'),
      betaHeader: null,
      headers: { 'x-team': 'support' },
    });
    expect(await backend.createThread?.(resolved(), NEVER)).toBe('thread_9');
    const [seen] = server.seen;
    expect(seen?.url).toBe('/api/projects/p/threads?api-version=v1');
    expect(seen?.headers).toMatchObject({ authorization: 'Bearer entra-token', 'x-team': 'support' });
    expect(seen?.headers).not.toHaveProperty('openai-beta');
  });

  test('sends the beta header by default, and the body that is passed through', async () => {
    server.answer({ body: wireRun('run_1', 'queued') });
    await backendOn({ body: { tool_resources: { mcp: [] } } }).create(spec(), NEVER);
    expect(server.seen[0]?.headers['openai-beta']).toBe('assistants=v2');
    expect(server.seen[0]?.body).toMatchObject({ tool_resources: { mcp: [] }, assistant_id: 'asst_1' });
  });

  test('takes the wish for the next look from the header', async () => {
    server.answer({ body: wireRun('run_1', 'queued'), headers: { 'openai-poll-after-ms': '700' } });
    const { observation } = await backendOn().create(spec(), NEVER);
    expect(observation.look_after_ms).toBe(700);
  });

  test.each([
    ['a web page', '<html></html>'],
    ['another object', { object: 'error' }],
    ['nothing', ''],
  ])('does not create where the search was answered by %s', async (_name, body) => {
    server.answer({ body });
    const created = backendOn().create(spec({ find_since_ms: 0 }), NEVER);
    await expect(created).rejects.toMatchObject({ kind: 'malformed' });
    expect(server.seen.map((one) => one.method)).toEqual(['GET']);
  });

  test('takes a created run with another key for none of its own', async () => {
    server.answerWith(({ method }) =>
      method === 'POST'
        ? { body: wireRun('run_7', 'queued', { metadata: { drover_key: 'other/1' } }) }
        : { body: { data: [], has_more: false } },
    );
    await expect(backendOn().create(spec(), NEVER)).rejects.toMatchObject({ kind: 'malformed' });
  });

  test('gives its own run up for an older one that landed late', async () => {
    let lists = 0;
    server.answerWith(({ method, url }) => {
      if (method === 'POST' && url.endsWith('/cancel')) return { body: wireRun('run_2', 'cancelling') };
      if (method === 'POST') return { body: wireRun('run_2', 'queued', { created_at: 1_001 }) };
      lists += 1;
      const late = [wireRun('run_2', 'queued', { created_at: 1_001 }), wireRun('run_1')];
      return { body: { data: lists === 1 ? [] : late, has_more: false } };
    });
    const created = await backendOn().create(spec({ find_since_ms: 0 }), NEVER);
    expect(created).toMatchObject({ adopted: true, observation: { attempt: { id: 'run_1' } } });
    expect(server.seen.at(-1)?.url).toBe('/v1/threads/thread_1/runs/run_2/cancel');
  });

  test('reports the lost create, not the failure of the search after it', async () => {
    server.answerWith(({ method }) => (method === 'POST' ? { cut: 'before' } : { status: 429 }));
    await expect(backendOn().create(spec(), NEVER)).rejects.toMatchObject({
      kind: 'connection',
      answerLost: true,
    });
    expect(server.seen.map((one) => one.method)).toEqual(['POST', 'GET']);
  });

  test('finds the thread busy where the run that held it is gone', async () => {
    server.answerWith(({ method }) =>
      method === 'POST'
        ? { status: 400, body: { error: { message: 'Thread t already has an active run run_9.' } } }
        : { status: 404, body: { error: { message: "No run found with id 'run_9'." } } },
    );
    await expect(backendOn().create(spec(), NEVER)).rejects.toMatchObject({
      kind: 'thread_busy',
      activeRunId: 'run_9',
    });
  });

  test('adopts although a twin is gone when it is cancelled', async () => {
    const listed = (id: string, at: number) => ({
      ...wireRun(id, 'in_progress'),
      created_at: at,
      metadata: { drover_key: KEY },
    });
    server.answerWith(({ url, method }) => {
      if (method === 'GET' && url.includes('/runs?'))
        return { body: { data: [listed('younger', 2), listed('older', 1)], has_more: false } };
      return { status: 404, body: { error: { message: "No run found with id 'younger'." } } };
    });
    const created = await backendOn().create(spec({ find_since_ms: 0 }), NEVER);
    expect(created).toMatchObject({ adopted: true, observation: { run: { id: 'older' } } });
  });

  test('reads again where a submit is answered by the run as it was before', async () => {
    server.answerWith(({ method }) => ({
      body: method === 'POST' ? waiting('run_1', 'a') : wireRun('run_1', 'queued'),
    }));
    const outputs = [{ tool_call_id: 'a', output: 'x' }];
    const after = await backendOn().submit(attempt, outputs, resolved(), { suspect: false, signal: NEVER });
    expect(after.run.status).toBe('queued');
  });

  test('takes no refusal for the end where the look after it fails: the attempt may have ended before', async () => {
    const refusal = "Runs in status 'expired' do not accept tool outputs.";
    server.answerWith(({ method }) =>
      method === 'POST' ? { status: 400, body: { error: { message: refusal } } } : { status: 429 },
    );
    const outputs = [{ tool_call_id: 'a', output: 'x' }];
    const submitted = backendOn().submit(attempt, outputs, resolved(), { suspect: false, signal: NEVER });
    await expect(submitted).rejects.toMatchObject({ kind: 'rate_limit', retryable: true });
  });

  test.each([
    ['goes on by the word of a copy that is behind, where an earlier try may have landed', true, 'handed in'],
    ['is refused, where none may have', false, 'rejected'],
  ])('a submit of what the attempt does not wait for any more %s', async (_what, suspect, expected) => {
    const refusal = "Expected tool outputs for call_ids ['b'], got ['a']";
    server.answerWith(({ method }) =>
      method === 'POST'
        ? { status: 400, body: { error: { message: refusal } } }
        : { body: waiting('run_1', 'a') },
    );
    const outputs = [{ tool_call_id: 'a', output: 'x' }];
    const submitted = backendOn().submit(attempt, outputs, resolved(), { suspect, signal: NEVER });
    const became = await submitted.then(
      () => 'handed in',
      (error: unknown) => (error as { kind: string }).kind,
    );
    expect(became).toBe(expected);
  });

  test('hands in what is left where a part of a round was taken', async () => {
    server.answerWith(({ method }) => ({
      body: method === 'POST' ? wireRun('run_1', 'queued') : waiting('run_1', 'b'),
    }));
    const outputs = ['a', 'b'].map((id) => ({ tool_call_id: id, output: id }));
    await backendOn().submit(attempt, outputs, resolved(), { suspect: true, signal: NEVER });
    expect(server.seen.at(-1)?.body).toEqual({ tool_outputs: [{ tool_call_id: 'b', output: 'b' }] });
  });

  test.each(['', '.', '..'])('lets no id %j reach another path', async (id) => {
    const stray = { ...attempt, id };
    await expect(backendOn().cancel(stray, NEVER)).rejects.toMatchObject({ kind: 'not_found' });
    const created = backendOn().create(spec({ thread_id: id }), NEVER);
    await expect(created).rejects.toMatchObject({ kind: 'unknown_thread' });
    expect(server.seen).toEqual([]);
  });

  test.each(['run_\ud800', 'r'.repeat(1_000_000)])('sends no request for what can be no id', async (id) => {
    const refused = backendOn().cancel({ ...attempt, id }, NEVER);
    await expect(refused).rejects.toMatchObject({
      kind: 'not_found',
      message: expect.stringMatching(/^.{1,250}$/) as string,
    });
    expect(server.seen).toEqual([]);
  });

  test('takes no answer that is nested deeper than it can be read', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const body = `{"id":"run_1","status":"queued","thread_id":"thread_1","extra":${deep}}`;
    server.answer({ body, headers: { 'content-type': 'application/json' } });
    await expect(backendOn().cancel(attempt, NEVER)).rejects.toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('nested too deeply') as string,
    });
  });

  test('keeps an id with slashes within its segment', async () => {
    server.answer({ body: wireRun('../x', 'completed') });
    await backendOn().cancel({ ...attempt, id: '../x' }, NEVER);
    expect(server.seen[0]?.url).toBe('/v1/threads/thread_1/runs/..%2Fx');
  });

  test('pages the messages of a run', async () => {
    const say = (id: string): object => ({ id, role: 'assistant', run_id: 'run_1', content: id });
    server.answer(
      { body: { data: [say('m1'), say('m2')], has_more: true } },
      { body: { data: [say('m3')], has_more: false } },
    );
    const output = await backendOn().output(attempt, NEVER);
    expect(output.text).toBe('m1\nm2\nm3');
    expect(server.seen.map((one) => new URL(one.url, 'http://x').searchParams.get('after'))).toEqual([
      null,
      'm2',
    ]);
  });

  test('the probe tells a wrong key from a wrong address', async () => {
    server.answer({ status: 401, body: { error: { message: 'bad key', code: 'invalid_api_key' } } });
    expect(await backendOn().probe(NEVER)).toMatchObject({
      ok: false,
      action: "Check the backend's apiKey.",
    });
    server.answer({ status: 404, body: 'Not Found' });
    const gone = await backendOn().probe(NEVER);
    expect(gone.message).toMatch(/nothing of this API/);
    expect(gone.action).toMatch(/baseURL/);
  });
});
