/** Several runs on one thread: they take turns, are refused, or interrupt. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest } from '../../src/contract.ts';
import type { Script } from '../../src/emulator/index.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { makeThread, refusals, startsOn } from '../support/threads.ts';

const thinks = (think_ms: number): Script => ({
  attempts: [{ steps: [{ think_ms }, { answer: 'Said.' }] }],
});

describe.each(WIRES)('runs on one thread, on the %s wire', (wire) => {
  let drive: Drive;
  beforeAll(async () => {
    drive = await startDrive(wire);
  });
  afterAll(() => drive[Symbol.asyncDispose]());

  interface Talk {
    readonly thread: string;
    readonly say: (label: string, fields?: Partial<RunRequest>) => Promise<RunHandle>;
  }

  async function talk(script: Script): Promise<Talk> {
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
  }

  const working = async (run: RunHandle): Promise<void> => {
    await expect.poll(() => run.progress().then((seen) => seen.attempt_id)).not.toBeNull();
  };
  const waiting = async (run: RunHandle): Promise<void> => {
    await expect.poll(() => run.progress().then((seen) => seen.waits_for_turn)).toBe(true);
  };
  const codes = (runs: readonly RunHandle[]) =>
    Promise.all(runs.map(async (run) => (await run.outcome()).code));
  const startsHere = (thread: string) => startsOn(drive.emulator.journal(), thread);

  test('take turns in the order of their starts, and the provider refuses none', async () => {
    const { thread, say } = await talk(thinks(700));
    const runs: RunHandle[] = [];
    for (const label of ['first', 'second', 'third', 'fourth']) runs.push(await say(label));
    await waiting(runs[3]!);
    expect(await codes(runs)).toEqual([null, null, null, null]);
    expect(startsHere(thread)).toEqual(runs.map(({ id }) => id));
    expect(refusals(drive.emulator.journal())).toEqual([]);
  });

  test('cost the first one nothing: it asks nobody, and adds no event', async () => {
    const { say } = await talk(thinks(0));
    const alone = await say('alone');
    const free = await say('free', {
      on_busy_thread: 'proceed',
      thread_id: await makeThread(drive.emulator.url, wire),
    });
    await codes([alone, free]);
    expect(await drive.events(alone.id)).toEqual(await drive.events(free.id));
  });

  test('go on at once where the one before has ended', async () => {
    const { say } = await talk(thinks(0));
    const first = await say('before');
    await first.outcome();
    const second = await say('after');
    expect(await codes([second])).toEqual([null]);
    const { startTime, closeTime } = await second.describe();
    expect(closeTime!.getTime() - startTime.getTime()).toBeLessThan(10_000);
  });

  test('end by thread_busy, with nothing created, where they are to be rejected', async () => {
    const { thread, say } = await talk(thinks(1_500));
    const first = await say('busy');
    await working(first);
    const second = await say('rejected', { on_busy_thread: 'reject' });
    const ended = await second.outcome();
    expect(ended).toMatchObject({ code: 'thread_busy', attempts: [] });
    expect(ended.run.last_error?.message).toContain(first.id);
    const third = await say('kept');
    expect(await codes([first, third])).toEqual([null, null]);
    expect(startsHere(thread)).toEqual([first.id, third.id]);
    const fourth = await say('idle', { on_busy_thread: 'reject' });
    expect(await codes([fourth])).toEqual([null]);
  });

  test('interrupt the one at work, and go ahead of those that wait', async () => {
    const { thread, say } = await talk({
      attempts: [{ steps: [{ think_ms: 20_000 }, { answer: 'Never.' }] }],
    });
    const first = await say('long');
    const second = await say('patient');
    await working(first);
    drive.play('bot', thinks(0));
    const third = await say('urgent', { on_busy_thread: 'interrupt' });
    expect(await codes([first, third, second])).toEqual(['cancelled', null, null]);
    expect(startsHere(thread)).toEqual([first.id, third.id, second.id]);
    expect(refusals(drive.emulator.journal())).toEqual([]);
  });

  test('let the next one go where one is cancelled while it waits, or was terminated', async () => {
    const { thread, say } = await talk(thinks(1_500));
    const first = await say('holds');
    const second = await say('changes-mind');
    const third = await say('goes');
    await waiting(second);
    await second.cancel();
    expect((await second.outcome()).code).toBe('cancelled');
    await drive.client.workflow.getHandle(first.id).terminate('test');
    expect(await codes([third])).toEqual([null]);
    expect(startsHere(thread)).toEqual([first.id, third.id]);
  });

  test('wait no longer than they are to', async () => {
    const { thread, say } = await talk(thinks(2_500));
    const first = await say('slow');
    const second = await say('hurried', { turn_seconds: 1 });
    expect(await codes([second, first])).toEqual(['thread_busy', null]);
    expect(startsHere(thread)).toEqual([first.id]);
  });

  test('take turns where they were started without the client, and their deadline counts from their turn', async () => {
    const { thread, say } = await talk(thinks(1_500));
    const first = await say('client');
    const id = drive.id('child');
    await drive.client.workflow.start(NAMES.workflow, {
      workflowId: id,
      taskQueue: drive.taskQueue,
      args: [{ assistant_id: 'bot', input: 'child', thread_id: thread, limits: { deadline_seconds: 2.5 } }],
    });
    const second = drive.runs.getHandle(id);
    await waiting(second);
    const third = await say('last');
    expect(await codes([first, second, third])).toEqual([null, null, null]);
    expect(startsHere(thread)).toEqual([first.id, id, third.id]);
  });

  test('are found again by a repeated start, which leaves the thread to the others', async () => {
    const { thread, say } = await talk(thinks(0));
    const request = { assistant_id: 'bot', input: 'again', thread_id: thread } as const;
    const id = drive.id('repeated');
    await drive.runs.execute(request, { id });
    await drive.client.workflow.getHandle(`drover-thread:${thread}`).terminate('test');
    const again = await drive.runs.start(request, { id });
    expect((await again.outcome()).code).toBeNull();
    const next = await say('next');
    expect(await codes([next])).toEqual([null]);
    const { startTime, closeTime } = await next.describe();
    expect(closeTime!.getTime() - startTime.getTime()).toBeLessThan(10_000);
    expect(startsHere(thread)).toEqual([id, next.id]);
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
