/** Creating: at most one attempt a key, whatever becomes of the answer. */
// oxlint-disable vitest/no-standalone-expect -- the suite wraps every case in a test
import { expect } from 'vitest';
import {
  errorOf,
  NEVER,
  outputsFor,
  play,
  specFor,
  start,
  startAndWatch,
  watch,
} from '../support/backend-harness.ts';
import type { Case } from './suite.ts';

const lostThenFound = (fault: 'reset' | 'html' | 'empty' | 'truncated' | 'status'): Case => [
  `adopts the attempt whose create was answered by ${fault === 'reset' ? 'a cut connection' : `a broken answer (${fault})`}`,
  async (begin) => {
    const harness = await begin();
    play(harness, [{ answer: 'Hello.' }]);
    const spec = await specFor(harness);
    const action =
      fault === 'reset'
        ? ({ reset: 'after' } as const)
        : fault === 'status'
          ? ({ status: 500, after: true } as const)
          : { malformed: fault };
    harness.emulator.addFault({ match: harness.requests.create, times: 1, do: action });
    const created = await harness.backend.create(spec, NEVER);
    expect(created.adopted).toBe(true);
    expect(harness.view.attempts(spec.run.key)).toEqual([created.observation.attempt.id]);
    const seen = await watch(harness, { spec, attempt: created.observation.attempt });
    expect(seen.run.status).toBe('completed');
  },
];

export const CREATE_CASES = {
  create_fresh: [
    'creates an attempt with its key, not adopted',
    async (begin) => {
      const harness = await begin();
      const { created, spec } = await start(harness);
      expect(created).toMatchObject({ adopted: false, resumed: false });
      expect(created.observation.attempt).toMatchObject({ key: spec.run.key });
      expect(created.observation.attempt.provider_ids.at(-1)).toBe(created.observation.attempt.id);
      expect(harness.view.attempts(spec.run.key)).toHaveLength(1);
    },
  ],
  create_twice: [
    'a second create with the same key adopts the first attempt',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const since = Date.now();
      const { spec, attempt } = await start(harness);
      const again = await harness.backend.create({ ...spec, find_since_ms: since }, NEVER);
      expect(again.adopted).toBe(true);
      expect(again.observation.attempt.id).toBe(attempt.id);
      expect(harness.view.attempts(spec.run.key)).toEqual([attempt.id]);
    },
  ],
  create_twice_after_end: [
    'a second create adopts the first attempt even where that has ended',
    async (begin) => {
      const harness = await begin();
      const since = Date.now();
      const { spec, seen } = await startAndWatch(harness);
      const again = await harness.backend.create({ ...spec, find_since_ms: since }, NEVER);
      expect(again.observation.attempt.id).toBe(seen.attempt.id);
      expect(harness.view.attempts(spec.run.key)).toHaveLength(1);
    },
  ],
  create_other_key: [
    'an attempt with another key is not adopted',
    async (begin) => {
      const harness = await begin();
      const since = Date.now() - 60_000;
      const first = await startAndWatch(harness, { key: 'first/1' });
      const second = await startAndWatch(harness, {
        key: 'first/2',
        thread: first.attempt.thread_id,
        since,
        input: false,
      });
      expect(second.created.adopted).toBe(false);
      expect(second.attempt.id).not.toBe(first.attempt.id);
    },
  ],
  create_lost_reset: lostThenFound('reset'),
  create_lost_html: lostThenFound('html'),
  create_lost_empty: lostThenFound('empty'),
  create_lost_truncated: lostThenFound('truncated'),
  create_lost_500: lostThenFound('status'),
  create_lost_reported: [
    'a create whose answer was lost is reported as lost, and not repeated',
    async (begin) => {
      const harness = await begin();
      const spec = await specFor(harness);
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
      const error = await errorOf(harness.backend.create(spec, NEVER));
      expect(error).toMatchObject({ answerLost: true, retryable: true });
      expect(harness.view.attempts(spec.run.key)).toHaveLength(1);
    },
  ],
  create_never_arrived: [
    'a create that never arrived is reported as lost, and the next try makes the one attempt',
    async (begin) => {
      const harness = await begin();
      const since = Date.now();
      const spec = await specFor(harness);
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'before' } });
      const error = await errorOf(harness.backend.create(spec, NEVER));
      expect(error).toMatchObject({ kind: 'connection', answerLost: true });
      expect(harness.view.attempts(spec.run.key)).toEqual([]);
      const { adopted, observation } = await harness.backend.create({ ...spec, find_since_ms: since }, NEVER);
      expect(adopted).toBe(false);
      expect(harness.view.attempts(spec.run.key)).toEqual([observation.attempt.id]);
    },
  ],
  create_busy: [
    'a busy thread is told from a refusal',
    async (begin) => {
      const harness = await begin();
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { busy: true } });
      const error = await errorOf(start(harness));
      expect(error).toMatchObject({ kind: 'thread_busy', retryable: true, answerLost: false });
    },
  ],
  create_active_run: [
    'a thread with an active run of another key is busy, and the run is left alone',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const first = await start(harness, { key: 'other/1' });
      const error = await errorOf(start(harness, { key: 'first/1', thread: first.attempt.thread_id }));
      expect(error).toMatchObject({ kind: 'thread_busy', activeRunId: first.attempt.id });
      expect(harness.view.live()).toEqual([first.attempt.id]);
    },
  ],
  create_active_ours: [
    'an active run that bears the key is adopted, without a search',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const { spec, attempt } = await start(harness);
      const again = await harness.backend.create(spec, NEVER);
      expect(again).toMatchObject({ adopted: true });
      expect(again.observation.attempt.id).toBe(attempt.id);
    },
  ],
  create_twins: [
    'of two attempts with one key the younger is cancelled',
    async (begin) => {
      const harness = await begin({ quirks: ['no_thread_lock'] });
      play(harness, [{ hang: true }]);
      const since = Date.now();
      const first = await start(harness);
      const twin = await harness.backend.create(first.spec, NEVER);
      expect(twin.observation.attempt.id).not.toBe(first.attempt.id);
      const again = await harness.backend.create({ ...first.spec, find_since_ms: since }, NEVER);
      expect(again.observation.attempt.id).toBe(first.attempt.id);
      const ended = await watch(harness, { spec: first.spec, attempt: twin.observation.attempt });
      expect(ended.run.status).toBe('cancelled');
      expect(harness.view.live()).toEqual([first.attempt.id]);
    },
  ],
  create_retry_after: [
    "a rate limit keeps the provider's wait, over a minute too, and nothing is sent again",
    async (begin) => {
      const harness = await begin();
      const spec = await specFor(harness);
      harness.emulator.addFault({
        match: harness.requests.create,
        times: 1,
        do: { status: 429, retry_after_s: 120 },
      });
      const error = await errorOf(harness.backend.create(spec, NEVER));
      expect(error).toMatchObject({ kind: 'rate_limit', retryAfterMs: 120_000, answerLost: false });
      expect(harness.view.attempts(spec.run.key)).toEqual([]);
    },
  ],
  create_quota: [
    'an empty quota is told from a rate limit',
    async (begin) => {
      const harness = await begin();
      harness.emulator.addFault({
        match: harness.requests.create,
        do: {
          status: 429,
          code: 'insufficient_quota',
          message: 'You exceeded your current quota, please check your plan and billing details.',
        },
      });
      expect(await errorOf(start(harness))).toMatchObject({ kind: 'quota', retryable: false });
    },
  ],
  create_filtered: [
    'a content filter that refuses the create is no bad request',
    async (begin) => {
      const harness = await begin();
      play(harness, [
        {
          reject: {
            status: 400,
            code: 'content_filter',
            message: 'The prompt triggered the content management policy.',
          },
        },
      ]);
      expect(await errorOf(start(harness))).toMatchObject({ kind: 'content_filter', retryable: false });
    },
  ],
  create_unknown_thread: [
    'an unknown thread is named as such',
    async (begin) => {
      const harness = await begin();
      const error = await errorOf(start(harness, { thread: harness.unknownThread }));
      expect(error).toMatchObject({ kind: 'unknown_thread', retryable: false });
    },
  ],
  create_unknown_assistant: [
    'an unknown assistant is named as such',
    async (begin) => {
      const harness = await begin();
      const run = { assistant_id: 'asst_doesNotExist' };
      expect(await errorOf(start(harness, { run }))).toMatchObject({ kind: 'unknown_assistant' });
    },
  ],
  create_aborted: [
    'a create that is stopped says so',
    async (begin) => {
      const harness = await begin();
      const spec = await specFor(harness);
      const controller = new AbortController();
      harness.emulator.addFault({ match: harness.requests.create, do: { latency_ms: 60_000 } });
      const created = harness.backend.create(spec, controller.signal);
      const stopped = errorOf(created);
      await harness.emulator.waitFor((entry) => entry.kind === 'request' && entry.method === 'POST');
      controller.abort();
      expect(await stopped).toMatchObject({ kind: 'aborted', retryable: false });
    },
  ],
  input_once: [
    'the input stands once in its thread after three attempts',
    async (begin) => {
      const harness = await begin();
      const marker = 'MARKED-INPUT-7';
      play(
        harness,
        [{ fail: { code: 'server_error', message: 'x' } }],
        [{ incomplete: 'max_completion_tokens' }],
        [{ answer: 'Done.' }],
      );
      const run = { messages: [{ role: 'user', content: marker }] } as const;
      const first = await startAndWatch(harness, { key: 'first/1', run });
      const thread = first.attempt.thread_id;
      await startAndWatch(harness, { key: 'first/2', thread, input: false, run });
      const last = await startAndWatch(harness, { key: 'first/3', thread, input: false, run });
      expect(last.seen.run.status).toBe('completed');
      expect(await harness.view.countInput(last.attempt, marker)).toBe(1);
    },
  ],
  input_once_after_loss: [
    'the input stands once after a create whose answer was lost',
    async (begin) => {
      const harness = await begin();
      const marker = 'MARKED-INPUT-8';
      play(harness, [{ call: [{ name: 'get_weather', arguments: {} }] }, { answer: 'Done.' }]);
      const spec = await specFor(harness, { run: { messages: [{ role: 'user', content: marker }] } });
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
      const { observation } = await harness.backend.create(spec, NEVER);
      const seen = await watch(harness, { spec, attempt: observation.attempt });
      await harness.backend.submit(seen.attempt, outputsFor(seen), spec.run, {
        suspect: false,
        signal: NEVER,
      });
      expect(await harness.view.countInput(seen.attempt, marker)).toBe(1);
    },
  ],
} satisfies Record<string, Case>;
