import { expect, test } from 'vitest';
import { openEmulator, openThread, refusal, scripted } from '../support/emulator-fixture.ts';
import type { Fixture } from '../support/emulator-fixture.ts';
import type { Quirk, Step } from '../../src/emulator/index.ts';

const CALLS: Step = {
  call: [
    { id: 'call_a', name: 'f', arguments: {} },
    { id: 'call_b', name: 'f', arguments: {} },
  ],
};

async function quirky(quirk: Quirk, ...steps: readonly Step[]): Promise<Fixture> {
  return await openEmulator({ ...scripted(steps), quirks: [quirk] });
}

async function startRun(
  fixture: Fixture,
): Promise<{ id: string; thread: string; assistant: string; status: string }> {
  const { thread, assistant } = await openThread(fixture);
  const run = await fixture.client.beta.threads.runs.create(thread, { assistant_id: assistant });
  return { id: run.id, thread, assistant, status: run.status };
}

const startResponse = ({ client }: Fixture): Promise<{ id: string; status?: string }> =>
  client.responses.create({ model: 'model', input: 'x', background: true });

test('cancel_400: every cancel is refused and does nothing', async () => {
  const fixture = await quirky('cancel_400', { hang: true });
  const run = await startRun(fixture);
  await fixture.reached(run.id, 'in_progress');
  const place = { thread_id: run.thread };
  expect(await refusal(fixture.client.beta.threads.runs.cancel(run.id, place))).toMatchObject({
    status: 400,
  });
  const response = await startResponse(fixture);
  expect(await refusal(fixture.client.responses.cancel(response.id))).toMatchObject({ status: 400 });
  expect(fixture.emulator.liveRuns()).toHaveLength(2);
});

test('cancel_sticks: a cancelled run stays cancelling, a response in progress', async () => {
  const fixture = await quirky('cancel_sticks', { hang: true });
  const run = await startRun(fixture);
  await fixture.reached(run.id, 'in_progress');
  const cancelled = await fixture.client.beta.threads.runs.cancel(run.id, { thread_id: run.thread });
  expect(cancelled.status).toBe('cancelling');
  const response = await startResponse(fixture);
  await fixture.reached(response.id, 'in_progress');
  expect((await fixture.client.responses.cancel(response.id)).status).toBe('in_progress');
  expect(fixture.emulator.liveRuns().map((live) => live.status)).toEqual(['cancelling', 'in_progress']);
});

test('cancel_flips_completed: what has completed becomes cancelled', async () => {
  const fixture = await quirky('cancel_flips_completed', { answer: 'x' });
  const run = await startRun(fixture);
  await fixture.reached(run.id, 'completed');
  const cancelled = await fixture.client.beta.threads.runs.cancel(run.id, { thread_id: run.thread });
  expect(cancelled.status).toBe('cancelled');
  const response = await startResponse(fixture);
  await fixture.reached(response.id, 'completed');
  expect((await fixture.client.responses.cancel(response.id)).status).toBe('cancelled');
});

test('no_thread_lock: a busy thread takes a second run and a message', async () => {
  const fixture = await quirky('no_thread_lock', { hang: true });
  const run = await startRun(fixture);
  const { threads } = fixture.client.beta;
  await threads.messages.create(run.thread, { role: 'user', content: 'x' });
  await threads.runs.create(run.thread, { assistant_id: run.assistant });
  expect(fixture.emulator.liveRuns()).toHaveLength(2);
});

test('ignores_background: a response is answered when it has ended', async () => {
  const fixture = await quirky('ignores_background', { think_ms: 1 }, { answer: 'x' });
  expect((await startResponse(fixture)).status).toBe('completed');
});

test('never_queued: it is in progress at once', async () => {
  const fixture = await quirky('never_queued', CALLS, { answer: 'x' });
  const run = await startRun(fixture);
  expect(fixture.statuses(run.id)[0]).toBe('in_progress');
  await fixture.reached(run.id, 'requires_action');
  await fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
    thread_id: run.thread,
    tool_outputs: ['call_a', 'call_b'].map((id) => ({ tool_call_id: id, output: 'x' })),
  });
  await fixture.reached(run.id, 'completed');
  expect(fixture.statuses(run.id)).not.toContain('queued');
  const response = await startResponse(fixture);
  expect(fixture.statuses(response.id)[0]).toBe('in_progress');
});

test.each([
  ['bare_ids', /^[0-9a-f]{32}$/],
  ['long_ids', /^\w{200}$/],
] as const)('%s: runs work with such ids', async (quirk, pattern) => {
  const fixture = await openEmulator({
    scripts: {
      model: { attempts: [{ steps: [{ call: [{ name: 'f', arguments: {} }] }, { answer: 'x' }] }] },
    },
    quirks: [quirk],
  });
  const run = await startRun(fixture);
  expect(run.id).toMatch(pattern);
  await fixture.reached(run.id, 'requires_action');
  const read = await fixture.client.beta.threads.runs.retrieve(run.id, { thread_id: run.thread });
  const call = read.required_action?.submit_tool_outputs.tool_calls[0]?.id ?? '';
  expect(call).toMatch(pattern);
  await fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
    thread_id: run.thread,
    tool_outputs: [{ tool_call_id: call, output: 'x' }],
  });
  await fixture.reached(run.id, 'completed');
  const first = await startResponse(fixture);
  expect(first.id).toMatch(pattern);
  await fixture.reached(first.id, 'completed');
  const [item] = (await fixture.client.responses.retrieve(first.id)).output;
  const last = await fixture.client.responses.create({
    model: 'model',
    previous_response_id: first.id,
    input: [
      {
        type: 'function_call_output',
        call_id: item?.type === 'function_call' ? item.call_id : '',
        output: 'x',
      },
    ],
  });
  expect(last.output_text).toBe('x');
});

test('error_500_for_wrong_call_id, on both wires', async () => {
  const fixture = await quirky('error_500_for_wrong_call_id', CALLS);
  const run = await startRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  const wrong = fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
    thread_id: run.thread,
    tool_outputs: [{ tool_call_id: 'call_z', output: 'x' }],
  });
  expect(await refusal(wrong)).toMatchObject({ status: 500 });
  const response = fixture.client.responses.create({
    model: 'model',
    input: [{ type: 'function_call_output', call_id: 'call_z', output: 'x' }],
  });
  expect(await refusal(response)).toMatchObject({ status: 500 });
});

test('partial_submit_accepted: outputs for some of the calls are enough', async () => {
  const fixture = await quirky('partial_submit_accepted', CALLS, { answer: '{{outputs}}' });
  const run = await startRun(fixture);
  await fixture.reached(run.id, 'requires_action');
  await fixture.client.beta.threads.runs.submitToolOutputs(run.id, {
    thread_id: run.thread,
    tool_outputs: [{ tool_call_id: 'call_a', output: 'x' }],
  });
  expect((await fixture.reached(run.id, 'completed')).to).toBe('completed');
});

test('accepts_unknown_fields: they are ignored, and the journal has them', async () => {
  const fixture = await quirky('accepts_unknown_fields', { answer: 'x' });
  const agent = { name: 'a', type: 'agent_reference' };
  const answer = await fixture.request('POST', '/responses', { input: 'x', agent_reference: agent });
  expect(answer.status).toBe(200);
  expect(fixture.emulator.journal()).toContainEqual(
    expect.objectContaining({ kind: 'request', body: { input: 'x', agent_reference: agent } }),
  );
});

test('quirks can be changed while it runs', async () => {
  const fixture = await quirky('plain_text_errors');
  expect((await fixture.request('GET', '/threads/thread_x')).text).toBe(
    "No thread found with id 'thread_x'.",
  );
  fixture.emulator.setQuirks(['detail_errors']);
  expect((await fixture.request('GET', '/threads/thread_x')).json).toEqual({
    detail: "No thread found with id 'thread_x'.",
  });
  expect(() => fixture.emulator.setQuirks(['none_such' as Quirk])).toThrow('none_such');
});
