/** What cannot be cut to what Temporal carries ends the run by name, and leaves nothing alive at the provider. */
import { expect, test } from 'vitest';
import type { Created, Observation } from '../../src/backends/backend.ts';
import type { BackendFactory } from '../../src/config.ts';
import { assistants } from '../../src/backends/assistants.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import { startDrive } from '../support/drive-harness.ts';
import { kindOf, rawEvents } from '../support/raw-history.ts';
import { call, echo } from '../support/recording-tools.ts';
import { makeThread } from '../support/threads.ts';

const KB = 1_000;

/** A wire whose attempts carry so many bytes of their own: nothing of it may be cut, as only the wire knows what it means. */
const bulky =
  (baseURL: string, bytes: number): BackendFactory =>
  (name) => {
    const backend = assistants({ baseURL, apiKey: 'test-key' })(name);
    const create = backend.create.bind(backend);
    const observe = backend.observe.bind(backend);
    const grow = (seen: Observation): Observation => ({
      ...seen,
      attempt: { ...seen.attempt, state: 's'.repeat(bytes) },
    });
    return Object.assign(backend, {
      create: async (...given: Parameters<typeof create>): Promise<Created> => {
        const made = await create(...given);
        return { ...made, observation: grow(made.observation) };
      },
      async *observe(...given: Parameters<typeof observe>): AsyncIterable<Observation> {
        for await (const seen of observe(...given)) yield grow(seen);
      },
    });
  };

interface Played {
  readonly result: RunResult;
  readonly alive: number;
}

async function play(bytes: number, request: Partial<RunRequest>, hasThread = true): Promise<Played> {
  const emulator = await startEmulator();
  await using closing = new AsyncDisposableStack();
  closing.defer(() => emulator.close());
  emulator.createAssistant({ id: 'asst_bot', model: 'bot' });
  emulator.setScript('bot', {
    attempts: [{ steps: [{ call: [call('echo', { text: 'x' })] }, { hang: true }] }],
  });
  await using drive = await startDrive('assistants', {
    tools: [echo],
    config: { backends: { assistants: bulky(emulator.url, bytes) } },
  });
  const id = drive.id('bulky');
  const where = hasThread ? { thread_id: await makeThread(emulator.url, 'assistants') } : {};
  const handle = await drive.runs.start({ assistant_id: 'bot', input: 'Go', ...where, ...request }, { id });
  const result = await handle.outcome();
  const refused = (await rawEvents(drive.client, id)).filter((event) =>
    /^workflowTask(?:Failed|TimedOut)$/.test(kindOf(event)),
  );
  expect(refused).toEqual([]);
  return { result, alive: emulator.liveRuns().length };
}

test('a step that hands back more than Temporal carries', async () => {
  const { result, alive } = await play(3_000 * KB, {});
  expect([result.code, result.run.status, alive]).toEqual(['result_too_large', 'failed', 0]);
});

test('the same on a thread that it made itself', async () => {
  const { result, alive } = await play(3_000 * KB, {}, false);
  expect([result.code, result.run.status, alive]).toEqual(['result_too_large', 'failed', 0]);
});

test('a state that the next execution cannot be given', async () => {
  const limits = { history_events: 16, deadline_seconds: 40 };
  const { result, alive } = await play(700 * KB, { input: 'i'.repeat(1_200 * KB), limits });
  expect([result.code, result.run.status, alive]).toEqual(['result_too_large', 'failed', 0]);
  expect(result.tool_calls.map(({ status }) => status)).toEqual(['completed']);
});

test('a thousand reads beside a request of a megabyte are carried on', async () => {
  await using drive = await startDrive('responses', { tools: [echo] });
  const round = (of: string) => ({
    call: Array.from({ length: 512 }, (_, n) => call('echo', { text: `${of} ${n}` })),
  });
  drive.play('bot', { attempts: [{ steps: [round('a'), round('b'), { answer: 'Done.' }] }] });
  const id = drive.id('reads');
  const limits = { history_events: 2_500 };
  const run = await drive.runs.start({ assistant_id: 'bot', input: 'i'.repeat(1_150 * KB), limits }, { id });
  const { code, tool_calls, warnings } = await run.outcome();
  expect([code, tool_calls.at(-1)?.output]).toEqual([null, 'b 511']);
  expect(warnings.map((warning) => warning.code)).toEqual(['result_truncated']);
  const [first] = await rawEvents(drive.client, id);
  expect(first?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId).toBeTruthy();
});
