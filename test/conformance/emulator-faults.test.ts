import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APIConnectionError, RateLimitError } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import type { AnswerEntry, Fault, JournalEntry, RequestEntry } from '../../src/emulator/index.ts';
import { openEmulator, openThread, refusal, scripted } from '../support/emulator-fixture.ts';
import type { Fixture } from '../support/emulator-fixture.ts';

const CREATE_RUN = { method: 'POST', path: '/\\/runs$/' } as const;
const runsOf = async ({ client }: Fixture, thread: string): Promise<number> =>
  (await client.beta.threads.runs.list(thread)).data.length;
const answersTo = ({ emulator }: Fixture, method: string, end: string): readonly AnswerEntry[] =>
  emulator
    .journal()
    .filter(
      (entry): entry is AnswerEntry =>
        entry.kind === 'answer' && entry.method === method && entry.path.endsWith(end),
    );

async function createUnder(
  fault: Fault['do'],
): Promise<{ fixture: Fixture; thread: string; error: unknown }> {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const { thread, assistant } = await openThread(fixture);
  fixture.emulator.addFault({ match: CREATE_RUN, times: 1, do: fault });
  const error: unknown = await fixture.client.beta.threads.runs
    .create(thread, { assistant_id: assistant })
    .catch((caught: unknown) => caught);
  return { fixture, thread, error };
}

test('a reset before acting leaves nothing behind', async () => {
  const { fixture, thread, error } = await createUnder({ reset: 'before' });
  expect(error).toBeInstanceOf(APIConnectionError);
  expect(await runsOf(fixture, thread)).toBe(0);
  expect(answersTo(fixture, 'POST', '/runs')).toMatchObject([
    { acted: false, delivered: false, status: null, fault: 'reset before' },
  ]);
});

test('a reset after acting leaves a run that nobody heard of', async () => {
  const { fixture, thread, error } = await createUnder({ reset: 'after' });
  expect(error).toBeInstanceOf(APIConnectionError);
  expect(await runsOf(fixture, thread)).toBe(1);
  expect(answersTo(fixture, 'POST', '/runs')).toMatchObject([
    {
      acted: true,
      id: expect.stringMatching(/^run_/) as unknown,
      delivered: false,
      status: null,
      fault: 'reset after',
    },
  ]);
});

test('a 429 brings its Retry-After, and does not act', async () => {
  const { fixture, thread, error } = await createUnder({ status: 429, retry_after_s: 7 });
  expect(error).toBeInstanceOf(RateLimitError);
  expect(error).toMatchObject({ code: 'rate_limit_exceeded', type: 'requests' });
  expect((error as { headers: Headers }).headers.get('retry-after')).toBe('7');
  expect(await runsOf(fixture, thread)).toBe(0);
});

test('an empty quota comes without Retry-After', async () => {
  const { error } = await createUnder({
    status: 429,
    code: 'insufficient_quota',
    type: 'insufficient_quota',
  });
  expect(error).toMatchObject({ status: 429, code: 'insufficient_quota' });
  expect((error as { headers: Headers }).headers.get('retry-after')).toBeNull();
});

test('a 5xx does not act, unless it is said to come after', async () => {
  const before = await createUnder({ status: 503 });
  expect(before.error).toMatchObject({ status: 503 });
  expect(await runsOf(before.fixture, before.thread)).toBe(0);
  const after = await createUnder({ status: 502, after: true });
  expect(after.error).toMatchObject({ status: 502 });
  expect(await runsOf(after.fixture, after.thread)).toBe(1);
});

test('a busy thread names a run, and a busy conversation is locked', async () => {
  const { fixture, thread, error } = await createUnder({ busy: true });
  expect((error as Error).message).toMatch(
    new RegExp(`Thread ${thread} already has an active run run_\\w+\\.`, 'u'),
  );
  fixture.emulator.addFault({ match: { wire: 'responses' }, times: 1, do: { busy: true } });
  const refused = fixture.client.responses.create({ model: 'model', input: 'x' });
  expect(await refusal(refused)).toMatchObject({ status: 400, code: 'conversation_locked' });
});

test.each([
  ['html', 'text/html; charset=utf-8', /^<html>/],
  ['empty', 'application/json; charset=utf-8', /^$/],
  ['truncated', 'application/json; charset=utf-8', /^\{"id":"run_.*[^}]$/],
  ['other_id', 'application/json; charset=utf-8', /^\{"id":"run_0{24}"/],
] as const)(
  'a malformed answer (%s) acts, and is no answer of the wire',
  async (malformed, type, pattern) => {
    const fixture = await openEmulator(scripted([{ answer: 'x' }]));
    const { thread, assistant } = await openThread(fixture);
    fixture.emulator.addFault({ match: CREATE_RUN, times: 1, do: { malformed } });
    const answer = await fixture.request('POST', `/threads/${thread}/runs`, { assistant_id: assistant });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get('content-type')).toBe(type);
    expect(answer.text).toMatch(pattern);
    expect(await runsOf(fixture, thread)).toBe(1);
    expect(answersTo(fixture, 'POST', '/runs')).toMatchObject([{ acted: true, delivered: false }]);
  },
);

test('a slow answer still comes', async () => {
  const { fixture, thread, error } = await createUnder({ latency_ms: 5 });
  expect(error).toMatchObject({ object: 'thread.run' });
  expect(await runsOf(fixture, thread)).toBe(1);
});

test('a fault finds requests by the model of their run', async () => {
  const fixture = await openEmulator({
    scripts: {
      a: { attempts: [{ steps: [{ hang: true }] }] },
      b: { attempts: [{ steps: [{ hang: true }] }] },
    },
  });
  const { client, emulator } = fixture;
  const [a, b] = await Promise.all(
    ['a', 'b'].map((model) => client.responses.create({ model, input: 'x', background: true })),
  );
  emulator.addFault({ match: { method: 'GET', model: 'a' }, do: { status: 500 } });
  expect(await refusal(client.responses.retrieve(a?.id ?? ''))).toMatchObject({ status: 500 });
  expect(await client.responses.retrieve(b?.id ?? '')).toMatchObject({ id: b?.id });
});

test('the journal holds every request at its arrival, without the key', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  await fixture.request(
    'POST',
    '/threads',
    { metadata: { a: '1' } },
    { 'api-key': 'hush', 'idempotency-key': 'i' },
  );
  await fixture.request('GET', '/nowhere?limit=3');
  const requests = fixture.emulator
    .journal()
    .filter((entry): entry is RequestEntry => entry.kind === 'request');
  expect(requests).toMatchObject([
    {
      wire: 'assistants',
      method: 'POST',
      path: '/v1/threads',
      body: { metadata: { a: '1' } },
      headers: { authorization: '[redacted]', 'api-key': '[redacted]', 'idempotency-key': 'i' },
    },
    { wire: null, method: 'GET', path: '/v1/nowhere', query: { limit: '3' }, body: null },
  ]);
  expect(JSON.stringify(fixture.emulator.journal())).not.toMatch(/test-key|hush/);
});

test('the journal counts without a gap and tells each change with its run', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const { thread, assistant } = await openThread(fixture);
  const metadata = { drover_run: 'r' };
  const run = await fixture.client.beta.threads.runs.create(thread, { assistant_id: assistant, metadata });
  await fixture.reached(run.id, 'completed');
  const entries = fixture.emulator.journal();
  expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_entry, at) => at + 1));
  expect(entries.filter((entry) => entry.kind === 'status')).toMatchObject([
    {
      id: run.id,
      from: null,
      to: 'queued',
      thread,
      metadata,
      attempt: 0,
      model: 'model',
      wire: 'assistants',
    },
    { id: run.id, from: 'queued', to: 'in_progress' },
    { id: run.id, from: 'in_progress', to: 'completed' },
  ]);
});

test('the journal file holds the same as the journal', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'emulator-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const journalFile = join(folder, 'journal.jsonl');
  const fixture = await openEmulator({ ...scripted([{ answer: 'x' }]), journalFile });
  const run = await fixture.client.responses.create({ model: 'model', input: 'x' });
  await fixture.reached(run.id, 'completed');
  const lines = (await readFile(journalFile, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as JournalEntry)).toEqual(fixture.emulator.journal());
});

test('what the server does not take is answered and journalled as well', async () => {
  const fixture = await openEmulator();
  const answer = await fixture.request('POST', '/threads', `"${'x'.repeat(65 * 1024 * 1024)}"`);
  expect(answer).toMatchObject({ status: 413, json: { error: { type: 'invalid_request_error' } } });
  expect(fixture.emulator.journal()).toMatchObject([{ kind: 'request' }, { kind: 'answer', status: 413 }]);
});

test('closing cuts what waits, and clears what would still happen', async () => {
  const fixture = await openEmulator(scripted([{ think_ms: 100_000 }]));
  const asked = fixture.client.responses.create({ model: 'model', input: 'x' });
  const cut = asked.catch((error: unknown) => error);
  const never = fixture.emulator.waitFor(() => false).catch((error: unknown) => error);
  await fixture.emulator.waitFor((entry) => entry.kind === 'status');
  await fixture.emulator.close();
  await fixture.emulator.close();
  expect(await cut).toBeInstanceOf(APIConnectionError);
  expect(await never).toMatchObject({ message: expect.stringContaining('closed') as string });
});

test('an answer that is held back comes long after the run has begun', async () => {
  const fixture = await openEmulator(scripted([{ answer: 'x' }]));
  const { thread, assistant } = await openThread(fixture);
  fixture.emulator.addFault({ match: CREATE_RUN, times: 1, do: { latency_ms: 600_000, after: true } });
  const hungUp = new AbortController();
  const create = fixture.client.beta.threads.runs
    .create(thread, { assistant_id: assistant }, { signal: hungUp.signal })
    .catch((caught: unknown) => caught);
  await fixture.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'completed');
  expect(answersTo(fixture, 'POST', '/runs')).toEqual([]);
  hungUp.abort();
  await create;
});
