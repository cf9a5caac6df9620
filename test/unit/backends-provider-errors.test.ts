import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackendError, BackendErrorKind } from '../../src/backends/backend.ts';
import { isBackendError } from '../../src/backends/backend.ts';
import { openWire } from '../../src/backends/openai-wire.ts';
import { readLastFailure, toBackendError } from '../../src/backends/provider-errors.ts';
import { retryAfterMs, waitInText } from '../../src/backends/retry-wish.ts';
import { startCannedServer } from '../support/backend-canned-server.ts';
import type { Canned, CannedServer } from '../support/backend-canned-server.ts';

const KEY = 'sk-proj-abcdefghijklmnopqrstuvwx';
let server: CannedServer;

beforeAll(async () => {
  server = await startCannedServer();
});
afterAll(async () => {
  await server.close();
});

async function failWith(
  canned: Canned,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<BackendError> {
  server.answer(canned);
  const wire = openWire('legacy', {
    baseURL: `${server.url}/v1`,
    apiKey: KEY,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
  const signal = options.signal ?? new AbortController().signal;
  const error: unknown = await wire
    .call('post', '/threads/t/runs', { what: 'creating a run on thread t', signal, body: {} })
    .then(
      (answer) => new Error(`answered ${JSON.stringify(answer.body)}`),
      (thrown: unknown) => thrown,
    );
  if (!isBackendError(error)) throw error;
  return error;
}

const wrapped = (message: string, code: string | null = null, type = 'invalid_request_error'): unknown => ({
  error: { message, type, param: null, code },
});

interface Case {
  readonly name: string;
  readonly answer: Canned;
  readonly kind: BackendErrorKind;
  readonly code?: string | null;
  readonly retryable: boolean;
  readonly lost: boolean;
}

const refused = (name: string, answer: Canned, kind: BackendErrorKind, code?: string | null): Case => ({
  name,
  answer,
  kind,
  ...(code === undefined ? {} : { code }),
  retryable: ['rate_limit', 'thread_busy', 'active_run'].includes(kind),
  lost: false,
});
const lost = (name: string, answer: Canned, kind: BackendErrorKind): Case => ({
  name,
  answer,
  kind,
  retryable: true,
  lost: true,
});
const bad = (message: string, code: string | null = null): Canned => ({
  status: 400,
  body: wrapped(message, code),
});

const CASES: readonly Case[] = [
  refused(
    'a thread with an active run',
    bad('Thread thread_X already has an active run run_Y.'),
    'active_run',
  ),
  refused(
    'a message while a run is active',
    bad("Can't add messages to thread_X while a run run_Y is active."),
    'thread_busy',
  ),
  refused(
    'outputs for an expired run',
    bad('Runs in status "expired" do not accept tool outputs.'),
    'wrong_status',
  ),
  refused('outputs in a race', bad('Runs in status "queued" do not accept tool outputs.'), 'wrong_status'),
  refused(
    'missing outputs',
    bad("Expected tool outputs for call_ids ['a','b'], got ['a']"),
    'rejected',
    'tool_output_missing',
  ),
  refused(
    'an output without a tool_call_id',
    bad('1 validation error for Request body -> tool_outputs -> 0 -> tool_call_id field required'),
    'rejected',
    null,
  ),
  refused('a cancel of a finished run', bad("Cannot cancel run with status 'completed'."), 'wrong_status'),
  refused(
    'an unknown thread',
    { status: 404, body: wrapped("No thread found with id 'thread_X'.") },
    'unknown_thread',
  ),
  refused(
    'an unknown assistant',
    { status: 404, body: wrapped("No assistant found with id 'asst_X'.") },
    'unknown_assistant',
  ),
  refused('an unknown run', { status: 404, body: wrapped("No run found with id 'run_X'.") }, 'not_found'),
  refused(
    'a malformed thread id',
    bad("Invalid 'thread_id': 'undefined'. Expected an ID that begins with 'thread'."),
    'unknown_thread',
  ),
  refused(
    'a malformed assistant id',
    bad("Invalid 'assistant_id': 'x'. Expected an ID that begins with 'asst'."),
    'unknown_assistant',
  ),
  refused(
    'a missing beta header',
    { status: 401, body: wrapped('You must provide the OpenAI-Beta header.', 'invalid_beta') },
    'rejected',
    'invalid_beta',
  ),
  refused(
    'a bad key',
    { status: 401, body: wrapped(`Incorrect API key provided: ${KEY}.`, 'invalid_api_key') },
    'auth',
    'invalid_api_key',
  ),
  refused(
    'a missing permission',
    { status: 403, body: wrapped('You have insufficient permissions.') },
    'auth',
  ),
  refused(
    'a rate limit',
    {
      status: 429,
      headers: { 'retry-after': '3' },
      body: wrapped('Rate limit reached', 'rate_limit_exceeded', 'requests'),
    },
    'rate_limit',
    'rate_limit_exceeded',
  ),
  refused(
    'a rate limit without Retry-After',
    {
      status: 429,
      body: wrapped('Rate limit reached for gpt on tokens per min', 'rate_limit_exceeded', 'tokens'),
    },
    'rate_limit',
  ),
  refused(
    'an Azure rate limit',
    {
      status: 429,
      headers: { 'retry-after': '20' },
      body: wrapped(
        'Requests have exceeded the call rate limit of your current quota tier. Please retry after 20 seconds.',
        '429',
      ),
    },
    'rate_limit',
  ),
  refused(
    'an empty quota by code',
    {
      status: 429,
      body: wrapped(
        'You exceeded your current quota, please check your plan and billing details.',
        'insufficient_quota',
        'insufficient_quota',
      ),
    },
    'quota',
    'insufficient_quota',
  ),
  refused(
    'an empty quota by words',
    {
      status: 429,
      headers: { 'retry-after': '1' },
      body: wrapped('You exceeded your current quota, please check your plan.'),
    },
    'quota',
  ),
  refused(
    'a 429 without Retry-After that speaks of billing',
    { status: 429, body: wrapped('Billing is not active for this account.') },
    'quota',
  ),
  refused('a payment that is required', { status: 402, body: wrapped('Insufficient balance') }, 'quota'),
  refused(
    'an API that is gone',
    { status: 404, headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>404</title>' },
    'rejected',
    'api_gone',
  ),
  refused('an API that is gone without a word', { status: 404, body: '' }, 'rejected', 'api_gone'),
  refused(
    'a locked conversation',
    bad(
      'Another process is currently operating on this conversation. Please retry in a few seconds.',
      'conversation_locked',
    ),
    'thread_busy',
    'conversation_locked',
  ),
  refused(
    'a chain id that has expired',
    bad("Previous response with id 'resp_X' not found.", 'previous_response_not_found'),
    'not_found',
    'previous_response_not_found',
  ),
  refused(
    'a call without output on Responses',
    bad('No tool output found for function call call_X.'),
    'rejected',
    'tool_output_missing',
  ),
  refused(
    'an output without call on Responses',
    bad('No tool call found for function call output with call_id call_X.'),
    'rejected',
    'tool_output_surplus',
  ),
  refused('a cancel of a foreground response', bad('Cannot cancel a synchronous response.'), 'wrong_status'),
  refused(
    "Azure's content filter",
    bad(
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      'content_filter',
    ),
    'content_filter',
    'content_filter',
  ),
  refused(
    "Azure's content filter by its inner code",
    {
      status: 400,
      body: {
        error: { message: 'Filtered.', code: null, innererror: { code: 'ResponsibleAIPolicyViolation' } },
      },
    },
    'content_filter',
  ),
  refused(
    'a prompt that was flagged',
    bad(
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy.',
      'invalid_prompt',
    ),
    'content_filter',
    'invalid_prompt',
  ),
  refused(
    'any other 400',
    bad('Unknown parameter: foo.', 'unknown_parameter'),
    'rejected',
    'unknown_parameter',
  ),
  refused(
    'a 422',
    {
      status: 422,
      body: {
        detail: [{ loc: ['body', 'model'], msg: 'field required', type: 'missing', input: 'MY PROMPT' }],
      },
    },
    'rejected',
  ),
  refused(
    'an error as `detail`',
    { status: 404, body: { detail: "No run found with id 'x'." } },
    'not_found',
  ),
  refused(
    'an error without its wrapper',
    { status: 400, body: { message: 'Thread t already has an active run r1.', type: 'x', code: null } },
    'active_run',
  ),
  refused(
    'an error as plain text',
    { status: 400, body: 'Runs in status "completed" do not accept tool outputs.' },
    'wrong_status',
  ),
  refused(
    'an error as a bare string',
    { status: 404, body: { error: 'No thread found with id' } },
    'unknown_thread',
  ),
  refused(
    'an unknown run as plain text',
    { status: 404, body: "No run found with id 'run_X'." },
    'not_found',
  ),
  refused('a conflict', { status: 409, body: wrapped('Conflict') }, 'thread_busy'),
  lost('a request timeout of a proxy', { status: 408, body: '' }, 'timeout'),
  lost('a 500', { status: 500, body: wrapped('The server had an error', 'server_error') }, 'server'),
  lost(
    "a proxy's 502",
    { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><h1>502</h1></html>' },
    'server',
  ),
  lost('a 503 without a body', { status: 503, body: '' }, 'server'),
  lost('a cut connection', { cut: 'before' }, 'connection'),
  lost('a body cut within', { cut: 'within', body: { id: 'run_1', status: 'queued' } }, 'connection'),
  lost(
    'half a JSON document',
    { headers: { 'content-type': 'application/json' }, body: '{"id": "run_1", "sta' },
    'malformed',
  ),
];

describe('toBackendError', () => {
  test.each(CASES)('reads $name as $kind', async ({ answer, kind, code, retryable, lost: answerLost }) => {
    const error = await failWith(answer);
    expect(error).toMatchObject({ kind, retryable, answerLost });
    expect(code === undefined || code === error.code).toBe(true);
    expect(error.message).toContain('legacy');
    expect(error.message).toContain('creating a run on thread t');
    expect(error.message).not.toContain(KEY);
    expect(error.message).not.toContain('MY PROMPT');
    expect(error.cause).toBeUndefined();
  });

  test('names the run that holds the thread', async () => {
    const error = await failWith(bad('Thread thread_X already has an active run run_Y.'));
    expect(error.activeRunId).toBe('run_Y');
  });

  test('keeps status and request id', async () => {
    const error = await failWith({ ...bad('Nope'), headers: { 'x-request-id': 'req_9' } });
    expect(error).toMatchObject({ status: 400, requestId: 'req_9' });
  });

  test.each([
    [{ 'retry-after': '120' }, 120_000],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
    [{ 'retry-after': 'soon' }, null],
    // Longer than any timer: past that, the wait could not be handed to Temporal.
    [{ 'retry-after': '99999999999999999999' }, 2 ** 31 - 1],
    [{ 'retry-after-ms': '1e300' }, 2 ** 31 - 1],
  ])('keeps the wait of %o', async (headers, expected) => {
    const error = await failWith({ status: 429, headers, body: wrapped('slow down', 'rate_limit_exceeded') });
    expect(error.retryAfterMs).toBe(expected);
  });

  test('bounds what the provider calls itself and its request', async () => {
    const error = await failWith({
      status: 400,
      headers: { 'x-request-id': 'r'.repeat(8_000) },
      body: { error: { message: 'm', code: 'c'.repeat(100_000) } },
    });
    expect(error.requestId).toHaveLength(129);
    expect(error.code?.length).toBeLessThanOrEqual(500);
    expect(error.message.length).toBeLessThan(1_500);
  });

  test('reads a list of faults whose places are anything', async () => {
    const detail = [{ loc: ['body', { toString: 1 }, 0], msg: 'wrong' }, { loc: { toString: 1 } }];
    const error = await failWith({ status: 422, body: { detail } });
    expect(error.message).toContain('body.0: wrong; invalid');
  });

  test('reads a message of megabytes no further than wordings reach', async () => {
    // By patterns that look for an end from every place, this would take hours.
    const message = 'run '.repeat(1_000_000);
    expect((await failWith({ status: 400, body: { error: { message } } })).kind).toBe('rejected');
  });

  test('reads Retry-After as a date', () => {
    const now = Date.parse('2026-11-23T10:00:00Z');
    const headers = new Headers({ 'retry-after': 'Mon, 23 Nov 2026 10:02:30 GMT' });
    expect(retryAfterMs(headers, now)).toBe(150_000);
    expect(retryAfterMs(headers, now + 200_000)).toBe(0);
    expect(retryAfterMs(undefined)).toBeNull();
  });

  test('keeps Retry-After of a 503', async () => {
    const error = await failWith({ status: 503, headers: { 'retry-after': '7' }, body: '' });
    expect(error).toMatchObject({ kind: 'server', retryAfterMs: 7_000 });
  });

  test('says so when the whole API is gone', async () => {
    const error = await failWith({ status: 404, body: '' });
    expect(error.message).toMatch(/nothing of this API is served/i);
  });

  test('tells an abort from a timeout', async () => {
    const controller = new AbortController();
    const stopped = failWith({ hang: true }, { signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(stopped).resolves.toMatchObject({ kind: 'aborted', retryable: false });
    await expect(failWith({ hang: true }, { timeoutMs: 40 })).resolves.toMatchObject({ kind: 'timeout' });
  });

  test.each([301, 302, 303, 307, 308])('follows no redirect (%i), and says so', async (status) => {
    const elsewhere = `/elsewhere-${status}`;
    const error = await failWith({ status, headers: { location: `${server.url}${elsewhere}` } });
    expect(error).toMatchObject({ kind: 'malformed', retryable: true, status });
    expect(error.message).toContain('redirects are not followed; set `baseURL`');
    expect(server.seen.filter(({ url }) => url.includes(elsewhere))).toEqual([]);
  });

  test('names the network error of a refused connection', async () => {
    const closed = await startCannedServer();
    await closed.close();
    const wire = openWire('legacy', { baseURL: closed.url });
    const signal = new AbortController().signal;
    await expect(wire.call('get', '/x', { what: 'reading', signal })).rejects.toMatchObject({
      kind: 'unreachable',
      answerLost: false,
      code: 'ECONNREFUSED',
    });
  });

  test('says that nothing was sent when the key could not be fetched', async () => {
    const wire = openWire('legacy', {
      baseURL: server.url,
      apiKey: () => Promise.reject(new Error(`vault says ${KEY}`)),
    });
    const asked = server.seen.length;
    const signal = new AbortController().signal;
    const error: unknown = await wire
      .call('get', '/x', { what: 'reading', signal })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'unreachable', answerLost: false, code: 'credentials_unavailable' });
    expect(String(error)).not.toContain(KEY);
    expect(server.seen).toHaveLength(asked);
  });

  test('is stopped while the key is being fetched, and gives a key up that does not come', async () => {
    const never = new Promise<string>(() => undefined);
    const controller = new AbortController();
    const wire = openWire('legacy', { baseURL: server.url, apiKey: () => never });
    const asked = wire.call('get', '/x', { what: 'reading', signal: controller.signal });
    setImmediate(() => controller.abort());
    await expect(asked).rejects.toMatchObject({ kind: 'aborted' });
    const hasty = openWire('legacy', { baseURL: server.url, apiKey: () => never, timeoutMs: 20 });
    const signal = new AbortController().signal;
    await expect(hasty.call('get', '/x', { what: 'reading', signal })).rejects.toMatchObject({
      code: 'credentials_unavailable',
    });
  });

  test('asks for the key at every request, and masks each one it was given', async () => {
    const keys = ['first-secret\n', 'second-secret'];
    const wire = openWire('legacy', { baseURL: server.url, apiKey: () => keys.shift() ?? 'none-left' });
    const signal = new AbortController().signal;
    server.answer({ status: 200, body: {} });
    await wire.call('get', '/x', { what: 'reading', signal });
    server.answer({ status: 401, body: wrapped('Neither FIRST-secret nor second-secret is known here') });
    await expect(wire.call('get', '/x', { what: 'reading', signal })).rejects.toThrow(
      'Neither [redacted] nor [redacted] is known here',
    );
    expect(server.seen.slice(-2).map((one) => one.headers.authorization)).toEqual([
      'Bearer first-secret',
      'Bearer second-secret',
    ]);
  });

  test('sends no authorization without a key, and the headers and query it was given', async () => {
    const wire = openWire('azure', {
      baseURL: `${server.url}/api/projects/p/`,
      headers: { 'api-key': 'azure-secret' },
      query: { 'api-version': 'v1' },
    });
    const signal = new AbortController().signal;
    server.answer({ status: 401, body: wrapped('azure-secret is wrong') });
    await expect(wire.call('get', '/x', { what: 'reading', signal, query: { limit: 1 } })).rejects.toThrow(
      '[redacted] is wrong',
    );
    const seen = server.seen.at(-1);
    expect(seen?.headers.authorization).toBeUndefined();
    expect(seen?.headers['api-key']).toBe('azure-secret');
    expect(seen?.url).toBe('/api/projects/p/x?api-version=v1&limit=1');
  });

  test('passes a BackendError unchanged and wraps whatever else was thrown', () => {
    const context = { backend: 'b', what: 'reading' };
    const first = toBackendError('text', context);
    expect(first.kind).toBe('malformed');
    expect(toBackendError(first, context)).toBe(first);
    expect(toBackendError(new TypeError('x is not a function'), context).message).not.toContain('x is');
  });
});

describe('readLastFailure', () => {
  test.each([
    [
      { code: 'rate_limit_exceeded', message: 'You exceeded your current quota, please check your plan.' },
      'quota_exceeded',
      null,
    ],
    [
      { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 1m2.5s.' },
      'rate_limit_exceeded',
      62_500,
    ],
    [
      { code: 'rate_limit_exceeded', message: 'Rate limit reached for requests.' },
      'rate_limit_exceeded',
      null,
    ],
    [{ code: 'insufficient_quota', message: '' }, 'quota_exceeded', null],
    [{ code: 'server_error', message: 'Sorry, something went wrong.' }, 'server_error', null],
    [{ code: 'invalid_prompt', message: 'bad' }, 'invalid_prompt', null],
    [{ code: 'content_filter', message: 'filtered' }, 'content_filter', null],
    [{ code: 'tool_server_error', message: 'x' }, 'failed', null],
    [null, 'failed', null],
  ] as const)('reads %o as %s', (error, reason, wait) => {
    expect(readLastFailure(error)).toEqual({ reason, retry_after_ms: wait });
  });

  test.each([
    ['Please try again in 20s.', 20_000],
    ['Please retry after 20 seconds.', 20_000],
    ['try again in 350ms', 350],
    ['Try again in 6m0s', 360_000],
    ['Please try again later.', null],
  ])('finds the wait in "%s"', (text, wait) => {
    expect(waitInText(text)).toBe(wait);
  });
});
