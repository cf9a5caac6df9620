/** The Responses wire without a conversation: what only a chain of responses can show. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Observation } from '../../src/backends/backend.ts';
import { responses } from '../../src/backends/responses.ts';
import type { ResponsesOptions } from '../../src/backends/responses.ts';
import type { Quirk, RequestEntry } from '../../src/emulator/index.ts';
import {
  errorOf,
  NEVER,
  outputsFor,
  play,
  specFor,
  start,
  startAndWatch,
  TOOL,
  TWO_CALLS,
  watch,
} from '../support/backend-harness.ts';
import type { Harness, Started } from '../support/backend-harness.ts';
import { creates, KEY, startResponses } from '../support/backend-responses-harness.ts';

const open: Harness[] = [];
const begin = async (
  options: Partial<ResponsesOptions> = {},
  quirks: readonly Quirk[] = [],
): Promise<Harness> => {
  const harness = await startResponses({ quirks }, options);
  open.push(harness);
  return harness;
};
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

type Waiting = Started & { readonly seen: Observation };
const bodyOf = (entry: RequestEntry | undefined): Record<string, unknown> =>
  (entry?.body ?? {}) as Record<string, unknown>;
const submitAndWatch = async (harness: Harness, waiting: Waiting): Promise<Observation> => {
  const { attempt, spec, seen } = waiting;
  const options = { suspect: false, signal: NEVER };
  const after = await harness.backend.submit(attempt, outputsFor(seen), spec.run, options);
  return await watch(harness, { spec, attempt: after.attempt });
};
const gone = async (harness: Harness, id: string | undefined): Promise<void> => {
  const headers = { authorization: `Bearer ${KEY}` };
  const answer = await fetch(`${harness.emulator.url}/responses/${id}`, { method: 'DELETE', headers });
  expect(answer.status).toBe(200);
};
const ONE_CALL = { call: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] } as const;

describe('a chain', () => {
  test('is stored and in the background, and says instructions, tools and metadata on every step', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness, {
      run: { instructions: 'Be brief.', tools: [TOOL], tool_choice: 'required' },
    });
    const end = await submitAndWatch(harness, waiting);
    const [first, second] = creates(harness.emulator).map(bodyOf);
    expect(first).toMatchObject({ background: true, store: true, tool_choice: 'required' });
    expect(first).not.toHaveProperty('previous_response_id');
    expect(second).toMatchObject({
      background: true,
      store: true,
      previous_response_id: end.attempt.provider_ids[0],
      instructions: 'Be brief.',
      tools: first?.['tools'],
      metadata: { drover_run: 'run-1', drover_key: 'first/1' },
      tool_choice: 'auto',
    });
    expect(second).not.toHaveProperty('conversation');
  });

  test('is one run: one id, usage summed, the last response as the attempt’s id', async () => {
    const harness = await begin();
    play(harness, [
      { usage: { prompt_tokens: 10, completion_tokens: 5, reasoning_tokens: 2 } },
      ONE_CALL,
      { usage: { prompt_tokens: 30, completion_tokens: 7, cached_tokens: 8 } },
      { answer: 'Done.' },
    ]);
    const waiting = await startAndWatch(harness);
    const end = await submitAndWatch(harness, waiting);
    expect(end.attempt.provider_ids).toHaveLength(2);
    expect(end.attempt.id).toBe(end.attempt.provider_ids[1]);
    expect(end.run).toMatchObject({
      id: end.attempt.provider_ids[0],
      status: 'completed',
      created_at: waiting.seen.run.created_at,
      thread_id: null,
      usage: {
        prompt_tokens: 40,
        completion_tokens: 12,
        total_tokens: 52,
        prompt_token_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 2 },
      },
    });
  });

  test('carries small state, without what was said', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const { attempt } = await startAndWatch(harness, {
      run: { instructions: 'MARKED-INSTRUCTIONS', messages: [{ role: 'user', content: 'MARKED-INPUT' }] },
    });
    const state = JSON.stringify(attempt.state);
    expect(state).not.toContain('MARKED');
    expect(state.length).toBeLessThan(1_000);
  });

  test('whose create was lost is made again: nothing can tell, so nothing is called adopted', async () => {
    const harness = await begin();
    const spec = await specFor(harness);
    harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
    expect(await errorOf(harness.backend.create(spec, NEVER))).toMatchObject({ answerLost: true });
    const again = await harness.backend.create({ ...spec, find_since_ms: Date.now() }, NEVER);
    expect(again).toMatchObject({ adopted: false, resumed: false });
    expect(harness.backend.capabilities.findByKey).toBe(false);
    expect(harness.view.attempts(spec.run.key)).toHaveLength(2);
  });

  test('is gone when a look, or the next step, does not find its response', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness);
    await gone(harness, waiting.attempt.id);
    expect(await errorOf(submitAndWatch(harness, waiting))).toMatchObject({ kind: 'not_found' });
    expect(await errorOf(watch(harness, waiting))).toMatchObject({ kind: 'not_found' });
  });

  test('whose last response was cancelled by us between two steps stays cancelled', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness);
    const cancelled = await harness.backend.cancel(waiting.attempt, NEVER);
    expect(cancelled.run).toMatchObject({ status: 'cancelled', required_action: null });
    expect(cancelled.run.cancelled_at).not.toBeNull();
    const again = await watch(harness, { ...waiting, attempt: cancelled.attempt });
    expect(again.run).toMatchObject({ status: 'cancelled', cancelled_at: cancelled.run.cancelled_at });
  });
});

describe('going on from a failed step', () => {
  const failing = [
    ONE_CALL,
    { fail: { code: 'server_error', message: 'It broke.' } },
    { answer: 'Weather: {{outputs}}' },
  ] as const;

  test('repeats only that step, after the last good response', async () => {
    const harness = await begin();
    play(harness, failing);
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
    const body = bodyOf(creates(harness.emulator).at(-1));
    expect(body).toMatchObject({ previous_response_id: waiting.attempt.id });
    expect(body['input']).toEqual([
      { type: 'function_call_output', call_id: waiting.seen.calls[0]?.id, output: 'output 0' },
    ]);
    const end = await watch(harness, { spec, attempt: created.observation.attempt });
    expect(end.run.status).toBe('completed');
    expect(end.attempt.provider_ids).toHaveLength(1);
  });

  test('twice goes on after the same good response', async () => {
    const harness = await begin();
    play(harness, [ONE_CALL, failing[1], failing[1], failing[2]]);
    const waiting = await startAndWatch(harness);
    let last = await submitAndWatch(harness, waiting);
    for (const key of ['first/2', 'first/3']) {
      const spec = {
        ...(await specFor(harness, { key })),
        previous: last.attempt,
        resume_outputs: outputsFor(waiting.seen),
      };
      const created = await harness.backend.create(spec, NEVER);
      expect(created.resumed).toBe(true);
      expect(bodyOf(creates(harness.emulator).at(-1))['previous_response_id']).toBe(waiting.attempt.id);
      last = await watch(harness, { spec, attempt: created.observation.attempt });
    }
    expect(last.run.status).toBe('completed');
  });

  test('starts over where the good response is gone', async () => {
    const harness = await begin();
    play(harness, failing);
    const waiting = await startAndWatch(harness);
    const failed = await submitAndWatch(harness, waiting);
    await gone(harness, waiting.attempt.id);
    const spec = {
      ...(await specFor(harness, { key: 'first/2', input: false })),
      previous: failed.attempt,
      resume_outputs: outputsFor(waiting.seen),
    };
    const created = await harness.backend.create(spec, NEVER);
    expect(created.resumed).toBe(false);
    const body = bodyOf(creates(harness.emulator).at(-1));
    expect(body).not.toHaveProperty('previous_response_id');
    expect(body['input']).toMatchObject([{ role: 'user' }]);
  });

  test('starts over, with the whole input, after a cancel', async () => {
    const harness = await begin();
    play(harness, TWO_CALLS, [{ answer: 'Done.' }]);
    const waiting = await startAndWatch(harness);
    const cancelled = await harness.backend.cancel(waiting.attempt, NEVER);
    const spec = {
      ...(await specFor(harness, { key: 'first/2', input: false })),
      previous: cancelled.attempt,
      resume_outputs: outputsFor(waiting.seen),
    };
    expect((await harness.backend.create(spec, NEVER)).resumed).toBe(false);
    expect(bodyOf(creates(harness.emulator).at(-1))['input']).toMatchObject([{ role: 'user' }]);
  });
});

describe('budgets of the whole run', () => {
  const spending = [
    { usage: { prompt_tokens: 300, completion_tokens: 250 } },
    ONE_CALL,
    { answer: 'Done.' },
  ] as const;

  test('what is left goes with the next step', async () => {
    const harness = await begin();
    play(harness, spending);
    const waiting = await startAndWatch(harness, { run: { max_completion_tokens: 400 } });
    await submitAndWatch(harness, waiting);
    expect(creates(harness.emulator).map((entry) => bodyOf(entry)['max_output_tokens'])).toEqual([400, 150]);
  });

  test.each([
    ['completion tokens', { max_completion_tokens: 250 }, 'max_completion_tokens'],
    ['prompt tokens', { max_prompt_tokens: 300 }, 'max_prompt_tokens'],
  ])('used-up %s end the run between two steps, without a request', async (_name, budget, reason) => {
    const harness = await begin();
    play(harness, spending);
    const { seen, spec, attempt } = await startAndWatch(harness, { run: budget });
    expect(seen.run).toMatchObject({ status: 'incomplete', incomplete_details: { reason }, ...budget });
    const outputs = [{ tool_call_id: 'call_1', output: 'x' }];
    const options = { suspect: false, signal: NEVER };
    const late = await harness.backend.submit(attempt, outputs, spec.run, options);
    expect(late.run.status).toBe('incomplete');
    expect(creates(harness.emulator)).toHaveLength(1);
  });
});

describe('a content filter', () => {
  test.each([
    ['an incomplete response', { incomplete: 'content_filter' }],
    ['a failed response', { fail: { code: 'content_filter', message: 'Filtered.' } }],
  ])('that speaks by %s is told as such', async (_name, step) => {
    const harness = await begin();
    play(harness, [step]);
    const { seen } = await startAndWatch(harness);
    expect(seen.run).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
    });
    expect(seen.raw_code).toBe('content_filter');
  });
});

describe('other servers', () => {
  test('one that answers finished at once, and knows no response, is never asked for it', async () => {
    const harness = await begin({}, ['ignores_background']);
    harness.emulator.addFault({ match: harness.requests.read, do: { status: 404 } });
    play(harness, TWO_CALLS);
    const waiting = await startAndWatch(harness);
    const end = await submitAndWatch(harness, waiting);
    expect(end.run.status).toBe('completed');
    expect((await harness.backend.output(end.attempt, NEVER)).text).toContain('output 0');
    expect((await harness.backend.cancel(end.attempt, NEVER)).run.status).toBe('completed');
  });

  test('one that takes the model from an agent gets what the configuration says', async () => {
    const reference = { type: 'agent_reference', name: 'desk' };
    const harness = await begin({ body: { agent_reference: reference }, query: { 'api-version': 'v1' } }, [
      'accepts_unknown_fields',
    ]);
    const { model: _model, ...run } = harness.resolve({ key: 'first/1' });
    expect(harness.backend.check(run)).toEqual([]);
    const spec = { ...(await specFor(harness)), run };
    const created = await harness.backend.create(spec, NEVER);
    expect((await watch(harness, { spec, attempt: created.observation.attempt })).run.status).toBe(
      'completed',
    );
    const [entry] = creates(harness.emulator);
    expect(bodyOf(entry)).toMatchObject({ agent_reference: reference });
    expect(bodyOf(entry)).not.toHaveProperty('model');
    expect(entry?.query).toEqual({ 'api-version': 'v1' });
  });
});

describe('the backend', () => {
  test('asks for the key at every request', async () => {
    let asked = 0;
    const harness = await begin({
      apiKey: () => {
        asked += 1;
        return Promise.resolve(asked === 1 ? KEY : 'sk-rotated-away');
      },
    });
    const started = await start(harness);
    const error = await errorOf(watch(harness, started));
    expect(error).toMatchObject({ kind: 'auth' });
    expect(error.message).not.toContain('sk-rotated-away');
  });

  test('says so in the probe when the key is refused', async () => {
    const harness = await begin({ apiKey: 'sk-wrong-key' });
    const report = await harness.backend.probe(NEVER);
    expect(report).toMatchObject({ ok: false });
    expect(report.action).toMatch(/key/);
  });

  test('refuses options that cannot be, all at once', () => {
    const build = (): unknown => responses({ store: false, body: { stream: true, background: true } })('x');
    expect(build).toThrow(TypeError);
    expect(build).toThrow(/body\.stream.*body\.background.*store: false/s);
  });

  test('refuses a second submit of what is not waiting', async () => {
    const harness = await begin();
    const { attempt, spec } = await startAndWatch(harness);
    const submitted = harness.backend.submit(attempt, [], spec.run, { suspect: false, signal: NEVER });
    expect(await errorOf(submitted)).toMatchObject({ kind: 'wrong_status' });
  });
});
