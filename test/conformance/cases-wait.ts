/** Waiting and reading: every end, what never ends, and answers that are none. */
// oxlint-disable vitest/no-standalone-expect -- the suite wraps every case in a test
import { expect } from 'vitest';
import { incompleteReason, isTerminal } from '../../src/run.ts';
import type { Step } from '../../src/emulator/index.ts';
import { errorOf, NEVER, play, start, startAndWatch, watch } from '../support/backend-harness.ts';
import type { Harness, Started } from '../support/backend-harness.ts';
import type { Case } from './suite.ts';

const endsAs = (status: string, step: Step): Case => [
  `the wait ends when the attempt is ${status}`,
  async (begin) => {
    const harness = await begin();
    play(harness, [step]);
    const { seen } = await startAndWatch(harness);
    expect(seen.run.status).toBe(status);
    expect(isTerminal(seen.run.status)).toBe(true);
    expect(seen.calls).toEqual([]);
  },
];

/** One look. */
async function lookOnce(harness: Harness, started: Pick<Started, 'spec' | 'attempt'>): Promise<unknown> {
  return await watch(harness, started, () => true);
}

const malformed = (shape: 'html' | 'empty' | 'truncated' | 'other_id'): Case => [
  `an answer to a look that is ${shape} is malformed, and the next look is fine`,
  async (begin) => {
    const harness = await begin();
    play(harness, [{ think_ms: 20 }, { answer: 'Done.' }]);
    const started = await start(harness);
    harness.emulator.addFault({ match: harness.requests.read, times: 1, do: { malformed: shape } });
    const error = await errorOf(lookOnce(harness, started));
    expect(error).toMatchObject({ kind: 'malformed', retryable: true });
    expect(error.message).not.toContain('Bad Gateway');
    expect((await watch(harness, started)).run.status).toBe('completed');
  },
];

export const WAIT_CASES = {
  ends_completed: endsAs('completed', { answer: 'Done.' }),
  ends_failed: endsAs('failed', { fail: { code: 'server_error', message: 'Sorry.' } }),
  ends_incomplete: endsAs('incomplete', { incomplete: 'max_completion_tokens', text: 'Half a' }),
  ends_expired: endsAs('expired', { expire: true }),
  ends_cancelled: endsAs('cancelled', { cancel: true }),
  failed_shows_why: [
    'a failed attempt shows code and message, and its usage',
    async (begin) => {
      const harness = await begin();
      play(harness, [
        { usage: { prompt_tokens: 10, completion_tokens: 5 } },
        { fail: { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 20s.' } },
      ]);
      const { seen } = await startAndWatch(harness);
      expect(seen.run.last_error).toMatchObject({ code: 'rate_limit_exceeded' });
      expect(seen.run.last_error?.message).toContain('try again in 20s');
    },
  ],
  failed_unknown_code: [
    'a code that the run object does not know is kept beside it',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ fail: { code: 'vector_store_timeout', message: 'Too slow.' } }]);
      const { seen } = await startAndWatch(harness);
      expect(seen.run.status).toBe('failed');
      expect(seen.raw_code).toBe('vector_store_timeout');
    },
  ],
  incomplete_reason: [
    'an incomplete attempt says why',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ incomplete: 'max_completion_tokens' }]);
      const { seen } = await startAndWatch(harness);
      expect(incompleteReason(seen.run)).toBe('max_completion_tokens');
    },
  ],
  usage_summed: [
    'a completed attempt has its usage',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ usage: { prompt_tokens: 10, completion_tokens: 5 } }, { answer: 'Done.' }]);
      const { seen } = await startAndWatch(harness);
      expect(seen.run.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 });
    },
  ],
  output_messages: [
    'gives the text and the messages of the attempt, and of no other',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ answer: 'First.' }], [{ say: 'Let me see.' }, { answer: 'Second.' }]);
      const first = await startAndWatch(harness, { key: 'first/1' });
      const second = await startAndWatch(harness, {
        key: 'first/2',
        thread: first.attempt.thread_id,
        input: false,
      });
      expect(await harness.backend.output(first.attempt, NEVER)).toMatchObject({
        text: 'First.',
        refusal: null,
      });
      const output = await harness.backend.output(second.seen.attempt, NEVER);
      expect(output.messages.map((message) => message.role)).toEqual(['assistant', 'assistant']);
      expect(output.text).toMatch(/^Let me see\.\s*Second\.$/);
    },
  ],
  output_refusal: [
    'a refusal is completed, with the refusal told apart from the text',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ refuse: 'I will not.' }]);
      const { seen } = await startAndWatch(harness);
      expect(seen.run.status).toBe('completed');
      expect(await harness.backend.output(seen.attempt, NEVER)).toMatchObject({
        text: '',
        refusal: 'I will not.',
      });
    },
  ],
  output_partial: [
    'an incomplete attempt keeps what it said',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ incomplete: 'max_completion_tokens', text: 'Half a' }]);
      const { seen } = await startAndWatch(harness);
      expect((await harness.backend.output(seen.attempt, NEVER)).text).toBe('Half a');
    },
  ],
  unknown_status: [
    'a status that nobody knows is shown as it is, looked at with the wait between, and left when it changes',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ status: 'reticulating', for_ms: 400 }, { answer: 'Done.' }]);
      const started = await start(harness);
      const seen: string[] = [];
      let waits = 0;
      const options = {
        signal: NEVER,
        nextLook: () => {
          waits += 1;
          return 15;
        },
      };
      for await (const one of harness.backend.observe(started.attempt, started.spec.run, options)) {
        seen.push(one.run.status);
      }
      expect(seen).toContain('reticulating');
      expect(isTerminal('reticulating')).toBe(false);
      expect(seen.at(-1)).toBe('completed');
      expect(waits).toBe(seen.length - 1);
    },
  ],
  never_ends: [
    'an attempt that says in_progress for ever is left when the signal fires',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      const controller = new AbortController();
      const seen: string[] = [];
      const observing = async (): Promise<void> => {
        const options = { signal: controller.signal, nextLook: () => 5 };
        for await (const one of harness.backend.observe(started.attempt, started.spec.run, options)) {
          seen.push(one.run.status);
          if (seen.length === 4) controller.abort();
        }
      };
      expect(await errorOf(observing())).toMatchObject({ kind: 'aborted' });
      expect(seen).toHaveLength(4);
      expect(seen.at(-1)).toBe('in_progress');
    },
  ],
  stopped_in_request: [
    'a look that hangs is left when the signal fires',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      const looked = harness.emulator.journal().length;
      harness.emulator.addFault({ match: harness.requests.read, do: { latency_ms: 60_000 } });
      const controller = new AbortController();
      const watching = harness.backend.observe(started.attempt, started.spec.run, {
        signal: controller.signal,
        nextLook: () => 5,
      });
      const stopped = errorOf(watching[Symbol.asyncIterator]().next());
      await harness.emulator.waitFor(
        (entry) => entry.kind === 'request' && entry.method === 'GET' && entry.seq > looked,
      );
      controller.abort();
      expect(await stopped).toMatchObject({ kind: 'aborted' });
    },
  ],
  malformed_html: malformed('html'),
  malformed_empty: malformed('empty'),
  malformed_truncated: malformed('truncated'),
  malformed_other_id: malformed('other_id'),
  read_retry_after: [
    "a rate limit on a look keeps the provider's wait",
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      harness.emulator.addFault({
        match: harness.requests.read,
        times: 1,
        do: { status: 429, retry_after_s: 61 },
      });
      const error = await errorOf(lookOnce(harness, started));
      expect(error).toMatchObject({ kind: 'rate_limit', retryAfterMs: 61_000 });
    },
  ],
  read_server_error: [
    'a 5xx and a cut connection on a look are retryable',
    async (begin) => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const started = await start(harness);
      harness.emulator.addFault({ match: harness.requests.read, times: 1, do: { status: 503 } });
      harness.emulator.addFault({ match: harness.requests.read, times: 1, do: { reset: 'before' } });
      expect(await errorOf(lookOnce(harness, started))).toMatchObject({ kind: 'server', retryable: true });
      expect(await errorOf(lookOnce(harness, started))).toMatchObject({
        kind: 'connection',
        retryable: true,
      });
    },
  ],
  attempt_gone: [
    'an attempt that the provider does not know is not found',
    async (begin) => {
      const harness = await begin();
      const { spec } = await startAndWatch(harness);
      const attempt = { ...harness.unknownAttempt, thread_id: spec.thread_id };
      const error = await errorOf(lookOnce(harness, { spec, attempt }));
      expect(error).toMatchObject({ kind: 'not_found', retryable: false });
    },
  ],
  approval: [
    'an approval that the model waits for is a call of its server, and its word is handed in',
    async (begin) => {
      const harness = await begin();
      play(harness, [
        { approve: [{ server_label: 'crm', name: 'delete_customer', arguments: {} }] },
        { answer: 'Deleted.' },
      ]);
      const { seen, spec, attempt } = await startAndWatch(harness);
      expect(seen.run.status).toBe('requires_action');
      expect(seen.unsupported_action).toBeNull();
      expect(seen.calls).toMatchObject([
        { server_label: 'crm', function: { name: 'delete_customer', arguments: '{}' } },
      ]);
      const approval = { approve: true, reason: 'He asked for it.' };
      const outputs = seen.calls.map(({ id }) => ({ tool_call_id: id, output: '', approval }));
      const after = await harness.backend.submit(attempt, outputs, spec.run, {
        suspect: false,
        signal: NEVER,
      });
      const end = await watch(harness, { spec, attempt: after.attempt });
      expect(end.run.status).toBe('completed');
    },
  ],
  probe_ok: [
    'the probe says that it is reachable',
    async (begin) => {
      const harness = await begin();
      expect(await harness.backend.probe(NEVER)).toMatchObject({ ok: true });
    },
  ],
  probe_down: [
    'the probe says what to do when nobody answers',
    async (begin) => {
      const harness = await begin();
      await harness.emulator.close();
      const report = await harness.backend.probe(NEVER);
      expect(report.ok).toBe(false);
      expect(report.action).toMatch(/baseURL/);
    },
  ],
} satisfies Record<string, Case>;
