/** The Responses wire in a conversation: what its items tell of requests whose answers were lost. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CreateSpec, Observation } from '../../src/backends/backend.ts';
import type { Quirk } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import type { AttemptRef } from '../../src/steps.ts';
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
import {
  creates,
  itemsOf,
  KEY,
  makeConversation,
  startResponses,
} from '../support/backend-responses-harness.ts';

const open: Harness[] = [];
let quirks: readonly Quirk[] = [];
/** Outputs of a step that wrote nothing do not stand in the conversation: they are said again. */
const saidAgain = (): number => (quirks.includes('input_enters_at_create') ? 1 : 2);
const begin = async (): Promise<Harness> => {
  const harness = await startResponses({ quirks }, { conversation: true });
  open.push(harness);
  return harness;
};
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

type Waiting = Started & { readonly seen: Observation };
const MARKER = 'MARKED-INPUT-9';
const marked = { messages: [{ role: 'user', content: MARKER }] } as const;
const ONE_CALL = { call: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] } as const;
const FAIL = { fail: { code: 'server_error', message: 'It broke.' } } as const;

const submit = (harness: Harness, waiting: Waiting, suspect = false): Promise<Observation> =>
  harness.backend.submit(waiting.attempt, outputsFor(waiting.seen), waiting.spec.run, {
    suspect,
    signal: NEVER,
  });
const responseEnded = (harness: Harness): Promise<unknown> =>
  harness.emulator.waitFor((entry) => entry.kind === 'status' && isTerminal(entry.to));

/** Creates with the answer cut off, and waits until what it started has ended. */
async function lose(harness: Harness, when: 'before' | 'after', thread?: string): Promise<CreateSpec> {
  const spec = await specFor(harness, { run: marked, ...(thread === undefined ? {} : { thread }) });
  harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: when } });
  expect(await errorOf(harness.backend.create(spec, NEVER))).toMatchObject({ answerLost: true });
  if (when === 'after') await responseEnded(harness);
  return { ...spec, find_since_ms: Date.now() };
}

async function deleteConversation({ emulator }: Harness, { spec }: Started): Promise<void> {
  const deleted = await fetch(`${emulator.url}/conversations/${spec.thread_id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${KEY}` },
  });
  expect(deleted.status).toBe(200);
}

describe.each<[string, readonly Quirk[]]>([
  ['when it completes', []],
  ['when it is made', ['input_enters_at_create']],
])("a response's input enters its conversation %s", (_when, habit) => {
  beforeEach(() => {
    quirks = habit;
  });

  describe('a conversation', () => {
    test('is named on every step, and no response before it', async () => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      const end = await watch(harness, { ...waiting, attempt: (await submit(harness, waiting)).attempt });
      const bodies = creates(harness.emulator).map((entry) => entry.body as Record<string, unknown>);
      expect(bodies).toHaveLength(2);
      for (const body of bodies) {
        expect(body['conversation']).toBe(waiting.spec.thread_id);
        expect(body).not.toHaveProperty('previous_response_id');
      }
      expect(end.run.thread_id).toBe(waiting.spec.thread_id);
    });

    test('that is busy says so, and the run that works there goes on', async () => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const { spec, attempt } = await start(harness);
      const error = await errorOf(start(harness, { key: 'other/1', thread: spec.thread_id }));
      expect(error).toMatchObject({ kind: 'thread_busy', answerLost: false });
      expect(harness.view.live()).toEqual([attempt.id]);
    });

    test('needs a store', async () => {
      const harness = await startResponses({}, { conversation: true, mode: 'foreground', store: false });
      open.push(harness);
      expect(await errorOf(start(harness))).toMatchObject({ kind: 'rejected' });
    });
  });

  describe('a create whose answer was lost', () => {
    test('is taken up with what it said, and the input stands once', async () => {
      const harness = await begin();
      play(harness, [{ answer: 'Found again.' }]);
      const spec = await lose(harness, 'after');
      const created = await harness.backend.create(spec, NEVER);
      expect(created.adopted).toBe(true);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.run.status).toBe('completed');
      expect(end.output?.text).toBe('Found again.');
      expect(creates(harness.emulator)).toHaveLength(1);
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(1);
    });

    test('is taken up where it was not the first try: an earlier one may have acted, and had not', async () => {
      const harness = await begin();
      play(harness, [{ answer: 'Found again.' }], [{ answer: 'Anew.' }]);
      const spec = { ...(await specFor(harness, { run: marked })), find_since_ms: Date.now() };
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
      expect(await errorOf(harness.backend.create(spec, NEVER))).toMatchObject({ answerLost: true });
      await responseEnded(harness);
      const created = await harness.backend.create(spec, NEVER);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(created.adopted).toBe(true);
      expect(end.output?.text).toBe('Found again.');
    });

    test('is taken up with the calls that it made, and goes on', async () => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const spec = await lose(harness, 'after');
      const created = await harness.backend.create(spec, NEVER);
      const seen = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(seen.run.status).toBe('requires_action');
      expect(seen.calls).toHaveLength(2);
      const waiting = { spec, created, attempt: seen.attempt, seen };
      const end = await watch(harness, { spec, attempt: (await submit(harness, waiting)).attempt });
      expect(end.output?.text).toBe('Weather: output 0\noutput 1');
      expect(harness.view.attempts(spec.run.key)).toHaveLength(2);
    });

    test('is waited for while it works: the conversation is busy', async () => {
      const harness = await begin();
      play(harness, [{ hang: true }]);
      const spec = await specFor(harness, { run: marked });
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
      await errorOf(harness.backend.create(spec, NEVER));
      const error = await errorOf(harness.backend.create({ ...spec, find_since_ms: Date.now() }, NEVER));
      expect(error).toMatchObject({ kind: 'thread_busy' });
      expect(harness.view.live()).toHaveLength(1);
    });

    test('and failed is made again, without saying the input twice', async () => {
      const harness = await begin();
      play(harness, [FAIL], [{ answer: 'Done.' }]);
      const spec = await lose(harness, 'after');
      const created = await harness.backend.create(spec, NEVER);
      expect(created.adopted).toBe(false);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.run.status).toBe('completed');
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(1);
    });

    test('and never arrived is made, although the same was said and answered before', async () => {
      const harness = await begin();
      const thread = await makeConversation(harness.emulator, [
        { role: 'user', content: MARKER },
        { role: 'assistant', content: 'Earlier answer.' },
      ]);
      play(harness, [{ answer: 'New answer.' }]);
      const spec = await lose(harness, 'before', thread);
      const created = await harness.backend.create(spec, NEVER);
      expect(created.adopted).toBe(false);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.output?.text).toBe('New answer.');
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(2);
    });

    test('is judged by the newest messages on a server that keeps no marks', async () => {
      const harness = await begin();
      harness.emulator.addFault({
        match: { method: 'POST', path: '/conversations/[^/]+$/' },
        do: { status: 405 },
      });
      play(harness, [FAIL], [{ answer: 'Done.' }]);
      const spec = await lose(harness, 'after');
      const created = await harness.backend.create(spec, NEVER);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.run.status).toBe('completed');
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(1);
    });

    test('is not what a failure before the request says', async () => {
      const harness = await begin();
      harness.emulator.addFault({ match: { method: 'GET', path: '/items' }, do: { reset: 'before' } });
      const error = await errorOf(start(harness));
      expect(error).toMatchObject({ kind: 'connection', retryable: true, answerLost: false });
      expect(creates(harness.emulator, false)).toEqual([]);
    });
  });

  describe('attempt after attempt', () => {
    test('the input stands once after three', async () => {
      const harness = await begin();
      play(harness, [FAIL], [{ incomplete: 'max_completion_tokens', text: 'Half a' }], [{ answer: 'Done.' }]);
      const first = await startAndWatch(harness, { key: 'first/1', run: marked });
      const thread = first.spec.thread_id;
      let previous: AttemptRef = first.attempt;
      let last: Observation = first.seen;
      for (const key of ['first/2', 'first/3']) {
        const wish = { key, thread, input: false, run: marked };
        const spec = { ...(await specFor(harness, wish)), previous };
        const created = await harness.backend.create(spec, NEVER);
        last = await watch(harness, { spec, attempt: created.observation.attempt });
        previous = last.attempt;
      }
      expect(last.run.status).toBe('completed');
      expect(await harness.view.countInput(last.attempt, MARKER)).toBe(1);
    });

    test('only the failed step is made again, and outputs that landed are not repeated', async () => {
      const harness = await begin();
      play(harness, [ONE_CALL, FAIL, { answer: 'Weather: {{outputs}}' }]);
      const waiting = await startAndWatch(harness, { run: marked });
      const failed = await watch(harness, { ...waiting, attempt: (await submit(harness, waiting)).attempt });
      expect(failed.run.status).toBe('failed');
      const spec = {
        ...(await specFor(harness, {
          key: 'first/2',
          thread: waiting.spec.thread_id,
          input: false,
          run: marked,
        })),
        previous: failed.attempt,
        resume_outputs: outputsFor(waiting.seen),
      };
      const created = await harness.backend.create(spec, NEVER);
      expect(created.resumed).toBe(true);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.output?.text).toBe('Weather: output 0');
      expect(harness.view.submits()).toHaveLength(saidAgain());
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(1);
    });

    test.each([
      ['says its input where the one before failed at once', [FAIL], [{ answer: 'Said.' }], 1],
      ['does not where it stands there', [ONE_CALL, FAIL], [{ answer: 'Said.' }], 1],
    ] as const)('one that knows of none before %s', async (_what, first, second, times) => {
      const harness = await begin();
      play(harness, first, second);
      const begun = await start(harness, { run: marked });
      const before = await watch(harness, begun);
      const { thread_id: thread } = begun.spec;
      if (before.run.status === 'requires_action') {
        const waiting = { ...begun, attempt: before.attempt, seen: before };
        await watch(harness, { ...begun, attempt: (await submit(harness, waiting)).attempt });
      }
      const spec = await specFor(harness, { key: 'first/2', thread, input: false, run: marked });
      const created = await harness.backend.create(spec, NEVER);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.run.status).toBe('completed');
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(times);
    });

    test('a failed step that was made again, its answer lost, is taken up and not made a third time', async () => {
      const harness = await begin();
      play(harness, [ONE_CALL, FAIL, ONE_CALL, { answer: 'Weather: {{outputs}}' }], [{ answer: 'Anew.' }]);
      const waiting = await startAndWatch(harness, { run: marked });
      const failed = await watch(harness, { ...waiting, attempt: (await submit(harness, waiting)).attempt });
      const { thread_id: thread } = waiting.spec;
      const spec = {
        ...(await specFor(harness, { key: 'first/2', thread, input: false, run: marked })),
        previous: failed.attempt,
        resume_outputs: outputsFor(waiting.seen),
      };
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
      expect(await errorOf(harness.backend.create(spec, NEVER))).toMatchObject({ answerLost: true });
      const made = creates(harness.emulator).length;
      await harness.emulator.waitFor(() => harness.view.live().length === 0);
      const created = await harness.backend.create({ ...spec, find_since_ms: Date.now() }, NEVER);
      expect(created).toMatchObject({ adopted: true, resumed: true });
      expect(creates(harness.emulator)).toHaveLength(made);
      const again = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(again.calls.map((call) => call.function.name)).toEqual(['get_weather']);
    });

    test('a call left open in the last attempt is answered as abandoned', async () => {
      const harness = await begin();
      play(harness, TWO_CALLS, [{ answer: 'Done.' }]);
      const waiting = await startAndWatch(harness, { run: marked });
      const cancelled = await harness.backend.cancel(waiting.attempt, NEVER);
      const wish = { key: 'first/2', thread: waiting.spec.thread_id, input: false, run: marked };
      const spec = { ...(await specFor(harness, wish)), previous: cancelled.attempt };
      const created = await harness.backend.create(spec, NEVER);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.run.status).toBe('completed');
      expect(harness.view.submits()).toMatchObject([
        waiting.seen.calls.map((call) => ({ tool_call_id: call.id })),
      ]);
      expect(await harness.view.countInput(end.attempt, MARKER)).toBe(1);
    });
  });

  describe('a submit whose answer was lost', () => {
    test('is taken up once it has ended, not repeated', async () => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      harness.emulator.addFault({ match: harness.requests.submit, times: 1, do: { reset: 'after' } });
      expect(await errorOf(submit(harness, waiting))).toMatchObject({ answerLost: true });
      await harness.emulator.waitFor(
        (entry) => entry.kind === 'status' && isTerminal(entry.to) && entry.id !== waiting.attempt.id,
      );
      const after = await submit(harness, waiting, true);
      const end = await watch(harness, { ...waiting, attempt: after.attempt });
      expect(end.run.status).toBe('completed');
      expect((await harness.backend.output(end.attempt, NEVER)).text).toBe('Weather: output 0\noutput 1');
      expect(harness.view.submits()).toHaveLength(1);
    });

    test('and failed is made again, without the outputs that landed', async () => {
      const harness = await begin();
      play(harness, [ONE_CALL, FAIL, { answer: 'Weather: {{outputs}}' }]);
      const waiting = await startAndWatch(harness);
      harness.emulator.addFault({ match: harness.requests.submit, times: 1, do: { reset: 'after' } });
      expect(await errorOf(submit(harness, waiting))).toMatchObject({ answerLost: true });
      await harness.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'failed');
      const after = await submit(harness, waiting, true);
      const end = await watch(harness, { ...waiting, attempt: after.attempt });
      expect(end.run.status).toBe('completed');
      expect(harness.view.submits()).toHaveLength(saidAgain());
    });
  });

  /** An earlier try ends between the look that finds nothing of it and the request, which meets a slow connection. */
  describe('a submit made anew while the lost one works', () => {
    const WORKS = { think_ms: 700 } as const;
    const SLOW = { latency_ms: 1_500 } as const;

    async function loseWorking(harness: Harness): Promise<Waiting> {
      const waiting = await startAndWatch(harness, { run: marked });
      harness.emulator.addFault({ match: harness.requests.submit, times: 1, do: { reset: 'after' } });
      expect(await errorOf(submit(harness, waiting))).toMatchObject({ answerLost: true });
      harness.emulator.addFault({ match: harness.requests.submit, times: 1, do: SLOW });
      return waiting;
    }
    const callsLeftOpen = async (harness: Harness, waiting: Waiting): Promise<number> => {
      const items = await itemsOf(harness.emulator, waiting.spec.thread_id ?? '');
      const count = (type: string): number => items.filter((item) => item.type === type).length;
      return count('function_call') - count('function_call_output');
    };

    test.each([
      ['is cancelled where it works', [{ hang: true }]],
      ['has its calls answered as abandoned', [ONE_CALL]],
      ['has its own words passed over', [{ answer: 'Done again.' }]],
    ] as const)('goes on after its answer: it %s, and the lost answer counts', async (_what, second) => {
      const harness = await begin();
      play(harness, [ONE_CALL, WORKS, { answer: 'Done.' }], second);
      const waiting = await loseWorking(harness);
      const made = creates(harness.emulator).length;
      const after = await submit(harness, waiting, true);
      expect(creates(harness.emulator)).toHaveLength(made + 1);
      expect(after.calls).toEqual([]);
      const end = await watch(harness, { ...waiting, attempt: after.attempt });
      expect(end).toMatchObject({ adopted: true, run: { status: 'completed' }, output: { text: 'Done.' } });
      expect(harness.view.live()).toEqual([]);
      expect(await callsLeftOpen(harness, waiting)).toBe(0);
      expect(harness.view.submits()).toHaveLength(saidAgain());
    });

    test('holds for a failed step that is made once more', async () => {
      const harness = await begin();
      play(harness, [ONE_CALL, FAIL, WORKS, { answer: 'Done.' }], [ONE_CALL]);
      const waiting = await startAndWatch(harness, { run: marked });
      const failed = await watch(harness, { ...waiting, attempt: (await submit(harness, waiting)).attempt });
      const { thread_id: thread } = waiting.spec;
      const spec = {
        ...(await specFor(harness, { key: 'first/2', thread, input: false, run: marked })),
        previous: failed.attempt,
        resume_outputs: outputsFor(waiting.seen),
      };
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: { reset: 'after' } });
      expect(await errorOf(harness.backend.create(spec, NEVER))).toMatchObject({ answerLost: true });
      harness.emulator.addFault({ match: harness.requests.create, times: 1, do: SLOW });
      const made = creates(harness.emulator).length;
      const created = await harness.backend.create({ ...spec, find_since_ms: Date.now() }, NEVER);
      expect(created).toMatchObject({ adopted: false, resumed: true });
      expect(creates(harness.emulator)).toHaveLength(made + 1);
      const end = await watch(harness, { spec, attempt: created.observation.attempt });
      expect(end.output?.text).toBe('Done.');
      expect(await callsLeftOpen(harness, waiting)).toBe(0);
    });

    test('is read where its conversation is not there any more', async () => {
      const harness = await begin();
      play(harness, [ONE_CALL, WORKS, { answer: 'Done.' }], [{ answer: 'Done again.' }]);
      const waiting = await loseWorking(harness);
      const after = await submit(harness, waiting, true);
      await deleteConversation(harness, waiting);
      const end = await watch(harness, { ...waiting, attempt: after.attempt });
      expect(end).toMatchObject({ attempt: { id: after.attempt.id }, run: { status: 'completed' } });
    });

    test('is refused where the lost one left calls, which are taken up', async () => {
      const harness = await begin();
      play(harness, [ONE_CALL, WORKS, ONE_CALL, { answer: 'Done.' }]);
      const waiting = await loseWorking(harness);
      const made = creates(harness.emulator).length;
      const after = await submit(harness, waiting, true);
      const seen = await watch(harness, { ...waiting, attempt: after.attempt });
      expect(seen.run.status).toBe('requires_action');
      expect(creates(harness.emulator)).toHaveLength(made);
      const end = await watch(harness, {
        ...waiting,
        attempt: (await submit(harness, { ...waiting, attempt: seen.attempt, seen })).attempt,
      });
      expect(end.output?.text).toBe('Done.');
    });
  });

  describe('releasing a conversation', () => {
    test('answers what a cancelled run left open, so that nothing is left for the next', async () => {
      const harness = await begin();
      play(harness, TWO_CALLS, [{ answer: 'Done.' }]);
      const waiting = await startAndWatch(harness);
      const { attempt } = await harness.backend.cancel(waiting.attempt, NEVER);
      await harness.backend.releaseThread?.(attempt, NEVER);
      await harness.backend.releaseThread?.(attempt, NEVER);
      const items = await itemsOf(harness.emulator, waiting.spec.thread_id ?? '');
      expect(items.filter((item) => item.type === 'function_call_output')).toHaveLength(2);
      const next = await startAndWatch(harness, { key: 'other/1', thread: waiting.spec.thread_id });
      expect(next.seen.run.status).toBe('completed');
      expect(harness.view.submits()).toEqual([]);
    });

    test('refuses the calls of MCP servers that a cancelled run left open', async () => {
      const harness = await begin();
      play(harness, [{ approve: [{ server_label: 'crm', name: 'delete_customer', arguments: {} }] }]);
      const waiting = await startAndWatch(harness);
      const { attempt } = await harness.backend.cancel(waiting.attempt, NEVER);
      await harness.backend.releaseThread?.(attempt, NEVER);
      await harness.backend.releaseThread?.(attempt, NEVER);
      const items = await itemsOf(harness.emulator, waiting.spec.thread_id ?? '');
      expect(items.filter((item) => item.type === 'mcp_approval_response')).toMatchObject([
        { approval_request_id: waiting.seen.calls[0]?.id, approve: false },
      ]);
    });

    test('that is not there any more is nothing to do', async () => {
      const harness = await begin();
      play(harness, TWO_CALLS);
      const waiting = await startAndWatch(harness);
      const { attempt } = await harness.backend.cancel(waiting.attempt, NEVER);
      await deleteConversation(harness, waiting);
      await expect(harness.backend.releaseThread?.(attempt, NEVER)).resolves.toBeUndefined();
    });

    test('of a run without one asks for nothing', async () => {
      const harness = await startResponses();
      open.push(harness);
      play(harness, TWO_CALLS);
      const { attempt } = await startAndWatch(harness);
      const before = harness.emulator.journal().length;
      await harness.backend.releaseThread?.(attempt, NEVER);
      expect(harness.emulator.journal()).toHaveLength(before);
    });
  });
});
