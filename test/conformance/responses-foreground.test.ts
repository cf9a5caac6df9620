/** The Responses wire in the foreground: one long call a step, made by the look. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Observation } from '../../src/backends/backend.ts';
import type { ResponsesOptions } from '../../src/backends/responses.ts';
import {
  errorOf,
  NEVER,
  outputsFor,
  play,
  specFor,
  start,
  startAndWatch,
  TWO_CALLS,
  watch,
} from '../support/backend-harness.ts';
import type { Harness, Started } from '../support/backend-harness.ts';
import { creates, startResponses } from '../support/backend-responses-harness.ts';

const open: Harness[] = [];
const begin = async (
  options: Partial<ResponsesOptions> & { readonly conversation?: boolean } = {},
): Promise<Harness> => {
  const harness = await startResponses({}, { mode: 'foreground', ...options });
  open.push(harness);
  return harness;
};
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

type Waiting = Started & { readonly seen: Observation };
const bodies = (harness: Harness): readonly Record<string, unknown>[] =>
  creates(harness.emulator).map((entry) => entry.body as Record<string, unknown>);
const submitAndWatch = async (harness: Harness, waiting: Waiting): Promise<Observation> => {
  const options = { suspect: false, signal: NEVER };
  const { attempt, spec, seen } = waiting;
  const prepared = await harness.backend.submit(attempt, outputsFor(seen), spec.run, options);
  expect(prepared.run.status).toBe('queued');
  return await watch(harness, { spec, attempt: prepared.attempt });
};

describe('a step', () => {
  test('is prepared by create and made by the look', async () => {
    const harness = await begin();
    play(harness, [{ think_ms: 20 }, { answer: 'Hello.' }]);
    const started = await start(harness);
    expect(started.created.observation.run.status).toBe('queued');
    expect(started.attempt.provider_ids).toEqual([]);
    expect(bodies(harness)).toEqual([]);
    const end = await watch(harness, started);
    expect(end.run.status).toBe('completed');
    expect(end.output?.text).toBe('Hello.');
    expect(end.attempt.id).toBe(end.attempt.provider_ids[0]);
    expect(bodies(harness)).toHaveLength(1);
    expect(bodies(harness)[0]).not.toHaveProperty('background');
  });

  test('that hands in outputs goes on after the response before it', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness);
    const end = await submitAndWatch(harness, waiting);
    expect(end.output?.text).toBe('Weather: output 0\noutput 1');
    expect(bodies(harness)[1]).toMatchObject({ previous_response_id: waiting.attempt.id, store: true });
    expect((await harness.backend.output(end.attempt, NEVER)).text).toBe('Weather: output 0\noutput 1');
  });

  test('that is stopped drops the connection, and nothing works on', async () => {
    const harness = await begin();
    play(harness, [{ hang: true }]);
    const started = await start(harness);
    const controller = new AbortController();
    const options = { signal: controller.signal, nextLook: () => 10 };
    const looking = harness.backend.observe(started.attempt, started.spec.run, options);
    const stopped = errorOf(looking[Symbol.asyncIterator]().next());
    await harness.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    controller.abort();
    expect(await stopped).toMatchObject({ kind: 'aborted' });
    await harness.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'cancelled');
    expect(harness.view.live()).toEqual([]);
    const cancelled = await harness.backend.cancel(started.attempt, NEVER);
    expect(cancelled.run.status).toBe('cancelled');
  });

  test('is cancelled without a request, between two of them too', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const started = await start(harness);
    expect((await harness.backend.cancel(started.attempt, NEVER)).run.status).toBe('cancelled');
    const waiting = await startAndWatch(harness, { key: 'other/1' });
    const before = harness.emulator.journal().length;
    expect((await harness.backend.cancel(waiting.attempt, NEVER)).run.status).toBe('cancelled');
    expect(harness.emulator.journal()).toHaveLength(before);
  });

  test('that ended is not cancelled any more', async () => {
    const harness = await begin();
    const { attempt } = await startAndWatch(harness);
    expect((await harness.backend.cancel(attempt, NEVER)).run.status).toBe('completed');
  });

  test('whose answer was lost is made again in a conversation without saying the input twice', async () => {
    const harness = await begin({ conversation: true });
    play(harness, [{ answer: 'Found again.' }]);
    const started = await start(harness, { run: { messages: [{ role: 'user', content: 'MARKED' }] } });
    harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
    expect(await errorOf(watch(harness, started))).toMatchObject({ answerLost: true });
    const end = await watch(harness, started);
    expect(end.output?.text).toBe('Found again.');
    expect(await harness.view.countInput(end.attempt, 'MARKED')).toBe(1);
    expect(bodies(harness)).toHaveLength(1);
  });
});

describe('without a store', () => {
  const STEPS = [{ reason: 'Hm.' }, ...TWO_CALLS] as const;

  test('every step sends the history, reasoning included, and names no response', async () => {
    const harness = await begin({ store: false });
    play(harness, STEPS);
    const waiting = await startAndWatch(harness);
    expect(waiting.seen.run.status).toBe('requires_action');
    const end = await submitAndWatch(harness, waiting);
    expect(end.run.status).toBe('completed');
    expect(end.output?.text).toBe('Weather: output 0\noutput 1');
    const [first, second] = bodies(harness);
    const history = (second?.['input'] ?? []) as { type: string; encrypted_content?: string }[];
    expect(first).toMatchObject({ store: false, include: ['reasoning.encrypted_content'] });
    expect(second).not.toHaveProperty('previous_response_id');
    expect(history.map((item) => item.type)).toEqual([
      'message',
      'reasoning',
      'function_call',
      'function_call',
      'function_call_output',
      'function_call_output',
    ]);
    expect(history[1]?.encrypted_content).toBeTypeOf('string');
    expect(harness.backend.capabilities.stored).toBe(false);
    expect(end.run.usage?.total_tokens).toBeGreaterThan(waiting.seen.run.usage?.total_tokens ?? 0);
  });

  test('a round that waits can be looked at again', async () => {
    const harness = await begin({ store: false });
    play(harness, STEPS);
    const waiting = await startAndWatch(harness);
    const again = await watch(harness, waiting);
    expect(again.calls).toEqual(waiting.seen.calls);
    expect(bodies(harness)).toHaveLength(1);
  });

  test('a failed step is repeated with the same history', async () => {
    const harness = await begin({ store: false });
    play(harness, [
      ...STEPS.slice(0, 2),
      { fail: { code: 'server_error', message: 'It broke.' } },
      { answer: 'Weather: {{outputs}}' },
    ]);
    const waiting = await startAndWatch(harness);
    const failed = await submitAndWatch(harness, waiting);
    expect(failed.run.status).toBe('failed');
    const spec = {
      ...(await specFor(harness, { key: 'first/2' })),
      previous: failed.attempt,
      resume_outputs: outputsFor(waiting.seen),
    };
    const created = await harness.backend.create(spec, NEVER);
    expect(created.resumed).toBe(true);
    const end = await watch(harness, { spec, attempt: created.observation.attempt });
    expect(end.run.status).toBe('completed');
    expect(bodies(harness)[2]?.['input']).toEqual(bodies(harness)[1]?.['input']);
  });

  test('what is too much to carry is refused by name', async () => {
    const harness = await begin({ store: false });
    play(harness, TWO_CALLS);
    const { attempt, spec, seen } = await startAndWatch(harness);
    const outputs = outputsFor(seen).map((output) => ({ ...output, output: 'x'.repeat(600_000) }));
    const submitted = harness.backend.submit(attempt, outputs, spec.run, { suspect: false, signal: NEVER });
    expect(await errorOf(submitted)).toMatchObject({ kind: 'rejected', code: 'state_too_large' });
  });
});
