/** Submitting: all outputs of a round at once, and once. */
// oxlint-disable vitest/no-standalone-expect -- the suite wraps every case in a test
import { expect } from 'vitest';
import type { Observation } from '../../src/backends/backend.ts';
import type { ToolOutput } from '../../src/steps.ts';
import {
  errorOf,
  NEVER,
  outputsFor,
  play,
  startAndWatch,
  TWO_CALLS,
  watch,
} from '../support/backend-harness.ts';
import type { Harness, Started } from '../support/backend-harness.ts';
import type { Case } from './suite.ts';

type Waiting = Started & { readonly seen: Observation };

const submit = (
  harness: Harness,
  waiting: Waiting,
  outputs: readonly ToolOutput[],
  suspect = false,
): Promise<Observation> =>
  harness.backend.submit(waiting.attempt, outputs, waiting.spec.run, { suspect, signal: NEVER });

/** Watches on with the attempt as the submit gave it: its state may have changed. */
const finish = (harness: Harness, waiting: Waiting, after: Observation): Promise<Observation> =>
  watch(harness, { spec: waiting.spec, attempt: after.attempt });

const lostSubmit = (fault: 'reset' | 'html' | 'empty' | 'truncated' | 'other_id'): Case => [
  `a submit that landed and was answered by ${fault === 'reset' ? 'a cut connection' : `a broken answer (${fault})`} is not repeated`,
  async (begin) => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness);
    const outputs = outputsFor(waiting.seen);
    harness.emulator.addFault({
      match: harness.requests.submit,
      times: 1,
      do: fault === 'reset' ? { reset: 'after' } : { malformed: fault },
    });
    const after = await submit(harness, waiting, outputs);
    const end = await finish(harness, waiting, after);
    expect(end.run.status).toBe('completed');
    expect(harness.view.submits()).toEqual([outputs]);
  },
];

export const SUBMIT_CASES = {
  submit_round: [
    'shows the calls of a round, takes all outputs in one submit and goes on to the answer',
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      expect(waiting.seen.run.status).toBe('requires_action');
      expect(waiting.seen.unsupported_action).toBeNull();
      expect(
        waiting.seen.calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      ).toEqual([
        ['get_weather', { city: 'Oslo' }],
        ['get_weather', { city: 'Rome' }],
      ]);
      const after = await submit(harness, waiting, outputsFor(waiting.seen));
      const end = await finish(harness, waiting, after);
      expect(end.run.status).toBe('completed');
      expect(harness.view.submits()).toEqual([outputsFor(waiting.seen)]);
      const { text } = await harness.backend.output(end.attempt, NEVER);
      expect(text).toBe('Weather: output 0\noutput 1');
    },
  ],
  submit_two_rounds: [
    'a second round waits for its own calls',
    async (begin) => {
      const harness = await begin();
      play(harness, [
        { call: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] },
        { call: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] },
        { answer: '{{outputs}}' },
      ]);
      const first = await startAndWatch(harness);
      const second = await finish(harness, first, await submit(harness, first, outputsFor(first.seen)));
      expect(second.run.status).toBe('requires_action');
      expect(second.calls).toHaveLength(1);
      expect(second.calls[0]?.id).not.toBe(first.seen.calls[0]?.id);
      const waiting = { ...first, attempt: second.attempt, seen: second };
      const end = await finish(harness, waiting, await submit(harness, waiting, outputsFor(second)));
      expect(end.run.status).toBe('completed');
    },
  ],
  submit_lost_reset: lostSubmit('reset'),
  submit_lost_html: lostSubmit('html'),
  submit_lost_empty: lostSubmit('empty'),
  submit_lost_truncated: lostSubmit('truncated'),
  submit_lost_other_id: lostSubmit('other_id'),
  submit_suspect_landed: [
    'a suspect submit that has landed is not sent again',
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      await submit(harness, waiting, outputsFor(waiting.seen));
      const after = await submit(harness, waiting, outputsFor(waiting.seen), true);
      expect(after.run.status).not.toBe('requires_action');
      expect(harness.view.submits()).toHaveLength(1);
    },
  ],
  submit_suspect_next_round: [
    'a suspect submit sees that the attempt is a round further',
    async (begin) => {
      const harness = await begin();
      play(harness, [
        { call: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] },
        { call: [{ name: 'get_weather', arguments: { city: 'Rome' } }] },
        { answer: 'x' },
      ]);
      const first = await startAndWatch(harness);
      const second = await finish(harness, first, await submit(harness, first, outputsFor(first.seen)));
      const after = await submit(harness, first, outputsFor(first.seen), true);
      expect(after.calls.map((call) => call.id)).toEqual(second.calls.map((call) => call.id));
      expect(harness.view.submits()).toHaveLength(1);
    },
  ],
  submit_suspect_open: [
    'a suspect submit that never landed is sent',
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      harness.emulator.addFault({ match: harness.requests.submit, times: 1, do: { reset: 'before' } });
      const error = await errorOf(submit(harness, waiting, outputsFor(waiting.seen)));
      expect(error).toMatchObject({ answerLost: true, retryable: true });
      const after = await submit(harness, waiting, outputsFor(waiting.seen), true);
      expect((await finish(harness, waiting, after)).run.status).toBe('completed');
      expect(harness.view.submits()).toHaveLength(1);
    },
  ],
  submit_twice: [
    'the same outputs once more change nothing',
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      await submit(harness, waiting, outputsFor(waiting.seen));
      const again = await submit(harness, waiting, outputsFor(waiting.seen));
      expect(again.run.status).not.toBe('requires_action');
      expect(harness.view.submits()).toHaveLength(1);
    },
  ],
  submit_missing: [
    'a missing output is refused, and the full round is taken after that',
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      const outputs = outputsFor(waiting.seen);
      const error = await errorOf(submit(harness, waiting, outputs.slice(0, 1)));
      expect(error).toMatchObject({ kind: 'rejected', retryable: false, code: 'tool_output_missing' });
      expect(harness.view.submits()).toEqual([]);
      const after = await submit(harness, waiting, outputs);
      expect((await finish(harness, waiting, after)).run.status).toBe('completed');
    },
  ],
  submit_surplus: [
    'a surplus output, or one given twice, is left out of the submit',
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      const outputs = outputsFor(waiting.seen);
      const surplus = [...outputs, { tool_call_id: 'call_nobodyAsked', output: 'x' }, ...outputs.slice(0, 1)];
      const after = await submit(harness, waiting, surplus);
      expect((await finish(harness, waiting, after)).run.status).toBe('completed');
      expect(harness.view.submits()).toEqual([outputs]);
    },
  ],
  submit_expired: [
    'outputs that come after the attempt expired show how it ended',
    async (begin) => {
      const harness = await begin({ expiresAfterMs: 400 });
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      await expect.poll(async () => (await watch(harness, waiting, () => true)).run.status).toBe('expired');
      const after = await submit(harness, waiting, outputsFor(waiting.seen));
      expect(after.run.status).toBe('expired');
      expect(harness.view.submits()).toEqual([]);
    },
  ],
  submit_retry_after: [
    "a rate limit on a submit keeps the provider's wait",
    async (begin) => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      harness.emulator.addFault({
        match: harness.requests.submit,
        times: 1,
        do: { status: 429, retry_after_s: 90 },
      });
      const error = await errorOf(submit(harness, waiting, outputsFor(waiting.seen)));
      expect(error).toMatchObject({ kind: 'rate_limit', retryAfterMs: 90_000, answerLost: false });
    },
  ],
} satisfies Record<string, Case>;
