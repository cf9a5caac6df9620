/** Several runs on one thread: they take turns, are refused, or interrupt. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunClient } from '../../src/client.ts';
import type { RunHandle } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest } from '../../src/contract.ts';
import type { Script } from '../../src/emulator/index.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { makeThread, refusals, startsOn } from '../support/threads.ts';

const thinks = (think_ms: number): Script => ({
  attempts: [{ steps: [{ think_ms }, { answer: 'Said.' }] }],
});

interface Talk {
  readonly thread: string;
  readonly say: (label: string, fields?: Partial<RunRequest>) => Promise<RunHandle>;
}

/** Everything of this file runs on a drive of its own for each wire. */
function onDrive(wire: (typeof WIRES)[number]) {
  const held: { drive?: Drive } = {};
  beforeAll(async () => {
    held.drive = await startDrive(wire);
  });
  afterAll(() => held.drive?.[Symbol.asyncDispose]());
  return {
    get drive(): Drive {
      return held.drive!;
    },
    async talk(script: Script): Promise<Talk> {
      const { drive } = this;
      drive.play('bot', script);
      const thread = await makeThread(drive.emulator.url, wire);
      return {
        thread,
        say: (label, fields = {}) =>
          drive.runs.start(
            { assistant_id: 'bot', input: label, thread_id: thread, on_unfinished: 'return', ...fields },
            { id: drive.id(label) },
          ),
      };
    },
    startsHere(thread: string): readonly string[] {
      return startsOn(this.drive.emulator.journal(), thread);
    },
  };
}

const working = async (run: RunHandle): Promise<void> => {
  await expect.poll(() => run.progress().then((seen) => seen.attempt_id)).not.toBeNull();
};
const waiting = async (run: RunHandle): Promise<void> => {
  await expect.poll(() => run.progress().then((seen) => seen.waits_for_turn)).toBe(true);
};
const codes = (runs: readonly RunHandle[]) =>
  Promise.all(runs.map(async (run) => (await run.outcome()).code));

describe.each(WIRES)('runs on one thread, on the %s wire', (wire) => {
  const here = onDrive(wire);

  test('take turns in the order of their starts, and the provider refuses none', async () => {
    const { thread, say } = await here.talk(thinks(700));
    const runs: RunHandle[] = [];
    for (const label of ['first', 'second', 'third', 'fourth']) runs.push(await say(label));
    await waiting(runs[3]!);
    expect(await codes(runs)).toEqual([null, null, null, null]);
    expect(here.startsHere(thread)).toEqual(runs.map(({ id }) => id));
    expect(refusals(here.drive.emulator.journal())).toEqual([]);
  });

  test('cost the first one nothing: it asks nobody, and adds no event', async () => {
    const { say } = await here.talk(thinks(0));
    const alone = await say('alone');
    const free = await say('free', {
      on_busy_thread: 'proceed',
      thread_id: await makeThread(here.drive.emulator.url, wire),
    });
    await codes([alone, free]);
    expect(await here.drive.events(alone.id)).toEqual(await here.drive.events(free.id));
  });

  test('interrupt the one at work, and go ahead of those that wait', async () => {
    const { thread, say } = await here.talk({
      attempts: [{ steps: [{ think_ms: 20_000 }, { answer: 'Never.' }] }],
    });
    const first = await say('long');
    const second = await say('patient');
    await working(first);
    here.drive.play('bot', thinks(0));
    const third = await say('urgent', { on_busy_thread: 'interrupt' });
    expect(await codes([first, third, second])).toEqual(['cancelled', null, null]);
    expect(here.startsHere(thread)).toEqual([first.id, third.id, second.id]);
    expect(refusals(here.drive.emulator.journal())).toEqual([]);
  });
});

describe('runs on one thread', () => {
  const here = onDrive('assistants');

  test('go on at once where the one before has ended', async () => {
    const { say } = await here.talk(thinks(0));
    const first = await say('before');
    await first.outcome();
    const second = await say('after');
    expect(await codes([second])).toEqual([null]);
    const { startTime, closeTime } = await second.describe();
    expect(closeTime!.getTime() - startTime.getTime()).toBeLessThan(10_000);
  });

  test('end by thread_busy, with nothing created, where they are to be rejected', async () => {
    const { thread, say } = await here.talk(thinks(1_500));
    const first = await say('busy');
    await working(first);
    const second = await say('rejected', { on_busy_thread: 'reject' });
    const ended = await second.outcome();
    expect(ended).toMatchObject({ code: 'thread_busy', attempts: [] });
    expect(ended.run.last_error?.message).toContain(first.id);
    const third = await say('kept');
    expect(await codes([first, third])).toEqual([null, null]);
    expect(here.startsHere(thread)).toEqual([first.id, third.id]);
    const fourth = await say('idle', { on_busy_thread: 'reject' });
    expect(await codes([fourth])).toEqual([null]);
  });

  test('let the next one go where one is cancelled while it waits, or was terminated', async () => {
    const { thread, say } = await here.talk(thinks(1_500));
    const first = await say('holds');
    const second = await say('changes-mind');
    const third = await say('goes');
    await waiting(second);
    await second.cancel();
    expect((await second.outcome()).code).toBe('cancelled');
    await here.drive.client.workflow.getHandle(first.id).terminate('test');
    expect(await codes([third])).toEqual([null]);
    expect(here.startsHere(thread)).toEqual([first.id, third.id]);
  });

  test('are not disturbed by signals that make no sense', async () => {
    const { thread, say } = await here.talk(thinks(1_000));
    const first = await say('calm');
    const second = await say('calm-too');
    await waiting(second);
    const { client, taskQueue } = here.drive;
    const queue = client.workflow.getHandle(`drover-thread:${thread}`);
    for (const word of [
      undefined,
      null,
      'go',
      { word: 'stop' },
      { run_id: 7, policy: 'enqueue' },
      { run_id: 'x' },
    ]) {
      for (const signal of ['join', 'leave']) await queue.signal(signal, word);
      await client.workflow.getHandle(second.id).signal('turn', word);
    }
    expect(await codes([first, second])).toEqual([null, null]);
    expect(here.startsHere(thread)).toEqual([first.id, second.id]);
    const nothing = client.workflow.execute(NAMES.turnsWorkflow, {
      workflowId: here.drive.id('no-thread'),
      taskQueue,
      args: [],
    });
    await expect(nothing).rejects.toThrow('Workflow execution failed');
  });

  test('wait no longer than they are to', async () => {
    const { thread, say } = await here.talk(thinks(2_500));
    const first = await say('slow');
    const second = await say('hurried', { turn_seconds: 1 });
    expect(await codes([second, first])).toEqual(['thread_busy', null]);
    expect(here.startsHere(thread)).toEqual([first.id]);
  });

  test('take turns where they were started without the client, and their deadline counts from their turn', async () => {
    const { thread, say } = await here.talk(thinks(1_500));
    const first = await say('client');
    const id = here.drive.id('child');
    await here.drive.client.workflow.start(NAMES.workflow, {
      workflowId: id,
      taskQueue: here.drive.taskQueue,
      args: [{ assistant_id: 'bot', input: 'child', thread_id: thread, limits: { deadline_seconds: 2.5 } }],
    });
    const second = here.drive.runs.getHandle(id);
    await waiting(second);
    const third = await say('last');
    expect(await codes([first, second, third])).toEqual([null, null, null]);
    expect(here.startsHere(thread)).toEqual([first.id, id, third.id]);
  });

  test('are found again by a repeated start, which leaves the thread to the others', async () => {
    const { thread, say } = await here.talk(thinks(0));
    const request = { assistant_id: 'bot', input: 'again', thread_id: thread } as const;
    const id = here.drive.id('repeated');
    await here.drive.runs.execute(request, { id });
    await here.drive.client.workflow.getHandle(`drover-thread:${thread}`).terminate('test');
    const again = await here.drive.runs.start(request, { id });
    expect((await again.outcome()).code).toBeNull();
    const next = await say('next');
    expect(await codes([next])).toEqual([null]);
    const { startTime, closeTime } = await next.describe();
    expect(closeTime!.getTime() - startTime.getTime()).toBeLessThan(10_000);
    expect(here.startsHere(thread)).toEqual([id, next.id]);
  });
});

test('a run that made its thread itself is interrupted by the next message on it', async () => {
  await using drive = await startDrive('assistants');
  drive.play('bot', thinks(20_000));
  const first = await drive.runs.start(
    { assistant_id: 'bot', input: 'One', on_unfinished: 'return' },
    { id: drive.id('own-thread') },
  );
  await expect.poll(() => first.progress().then((seen) => seen.thread_id)).not.toBeNull();
  const { thread_id } = await first.progress();
  const listed = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const { id } of drive.runs.list(`DroverThreadId = '${thread_id}'`)) ids.push(id);
    return ids;
  };
  await expect.poll(listed).toEqual([first.id]);
  drive.play('bot', thinks(0));
  const second = await drive.runs.start(
    { assistant_id: 'bot', input: 'Two', thread_id, on_busy_thread: 'interrupt' },
    { id: drive.id('interrupts') },
  );
  expect((await second.outcome()).code).toBeNull();
  expect((await first.outcome()).code).toBe('cancelled');
  expect(refusals(drive.emulator.journal())).toEqual([]);
});

test('a run that has ended refuses nobody, though lists still show it at work', async () => {
  await using drive = await startDrive('assistants');
  drive.play('bot', thinks(0));
  const first = await drive.runs.start({ assistant_id: 'bot', input: 'One' }, { id: drive.id('own-thread') });
  const { run } = await first.result();
  const { workflow } = drive.client;
  // As a list that has not caught up would have it.
  const late = async function* () {
    for await (const held of workflow.list({ query: `WorkflowId = '${first.id}'` }))
      yield { ...held, status: { code: 1, name: 'RUNNING' } };
  };
  const listed = async (): Promise<number> => {
    const ids: string[] = [];
    for await (const { workflowId } of late()) ids.push(workflowId);
    return ids.length;
  };
  await expect.poll(listed).toBe(1);
  const stale = Object.create(drive.client, {
    workflow: { value: Object.create(workflow, { list: { value: late } }) as typeof workflow },
  }) as typeof drive.client;
  const second = await new RunClient({ client: stale, taskQueue: drive.taskQueue }).start(
    { assistant_id: 'bot', input: 'Two', thread_id: run.thread_id!, on_busy_thread: 'reject' },
    { id: drive.id('next') },
  );
  expect((await second.outcome()).code).toBeNull();
});

test('a thread whose id can be none is refused by name, where nobody has looked at the request', async () => {
  await using drive = await startDrive('assistants');
  const handle = await drive.client.workflow.start(NAMES.workflow, {
    args: [{ assistant_id: 'bot', input: 'One', thread_id: '\ud800' }],
    taskQueue: drive.taskQueue,
    workflowId: drive.id('no-thread'),
  });
  const run = drive.runs.getHandle(handle.workflowId);
  expect((await run.outcome()).code).toBe('invalid_request');
});
