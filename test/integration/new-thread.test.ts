import { readFile } from 'node:fs/promises';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { NAMES } from '../../src/contract.ts';
import type { RunResult } from '../../src/contract.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { startDrive } from '../support/drive-harness.ts';
import type { Drive } from '../support/drive-harness.ts';
import { rawEvents } from '../support/raw-history.ts';
import { replayError } from '../support/replay.ts';
import { resetRun } from '../support/reset-run.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import { startLoggedWorker } from '../support/worker-process.ts';

const THREADS = '/threads$/';
const RUNS = '/runs$/';
const request = { assistant_id: 'bot', input: 'Hello' };
const { createRun } = NAMES.activities;

/** Threads that were made, and runs on them, by the journal. */
function made(emulator: Emulator): { threads: number; runs: readonly (string | null)[] } {
  const entries = emulator.journal();
  const ids = entries.flatMap((entry) =>
    entry.kind === 'answer' && entry.acted && entry.method === 'POST' && entry.path.endsWith('/threads')
      ? [entry.id]
      : [],
  );
  const runs = entries.flatMap((entry) =>
    entry.kind === 'status' && entry.from === null ? [entry.thread] : [],
  );
  return { threads: ids.length, runs };
}

/** What the history says of creates, signals and tasks that failed. */
async function seen({ client }: Drive, id: string) {
  const events = await rawEvents(client, id);
  return {
    creates: events.filter(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === createRun,
    ).length,
    signals: events.flatMap((event) => event.workflowExecutionSignaledEventAttributes?.signalName ?? []),
    failedTasks: events.filter((event) => event.workflowTaskFailedEventAttributes).length,
  };
}

/** Why the history of a run cannot be replayed; null where it can. */
async function replayed({ client }: Drive, id: string): Promise<unknown> {
  const code = await readFile(inject('workflowBundle'), 'utf8');
  return await replayError(client, id, { workflowBundle: { code } });
}

beforeAll(() => {
  const quiet = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger: quiet, telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
});

describe('a run that makes its thread', () => {
  test('says so in its own history, in the step that creates the attempt', async () => {
    await using drive = await startDrive('assistants');
    const id = drive.id('new-thread');
    const result = await drive.runs.execute(request, { id });
    expect(await seen(drive, id)).toEqual({ creates: 0, signals: ['thread'], failedTasks: 0 });
    expect(made(drive.emulator)).toEqual({ threads: 1, runs: [result.run.thread_id] });
    expect(await replayed(drive, id)).toBeNull();
  });

  test('ends by what the provider says where it is told to wait past its deadline', async () => {
    await using drive = await startDrive('assistants');
    drive.emulator.addFault({
      match: { method: 'POST', path: RUNS },
      do: { status: 429, retry_after_s: 600 },
    });
    const id = drive.id('told-to-wait');
    const run = await drive.runs.start({ ...request, limits: { deadline_seconds: 20 } }, { id });
    expect((await run.outcome()).code).toBe('rate_limit_exceeded');
    expect(made(drive.emulator)).toMatchObject({ threads: 1, runs: [] });
  });

  test('leaves the attempt to an activity where the thread took long', async () => {
    await using drive = await startDrive('assistants');
    drive.emulator.addFault({ match: { method: 'POST', path: THREADS, nth: 1 }, do: { latency_ms: 1_500 } });
    const id = drive.id('slow-thread');
    const result = await drive.runs.execute(request, { id });
    expect(await seen(drive, id)).toMatchObject({ creates: 1 });
    expect(made(drive.emulator)).toEqual({ threads: 1, runs: [result.run.thread_id] });
    expect(await replayed(drive, id)).toBeNull();
  });

  test('takes a create that outlasts its workflow task, and can be replayed', async () => {
    await using drive = await startDrive('assistants');
    drive.emulator.addFault({ match: { method: 'POST', path: RUNS, nth: 1 }, do: { latency_ms: 7_000 } });
    const id = drive.id('slow-create');
    const result = await drive.runs.execute(request, { id });
    expect(await seen(drive, id)).toEqual({ creates: 0, signals: ['thread'], failedTasks: 0 });
    expect(made(drive.emulator)).toEqual({ threads: 1, runs: [result.run.thread_id] });
    expect(await replayed(drive, id)).toBeNull();
  });

  test('ends by what the provider refuses, without a task that failed over its own signal', async () => {
    await using drive = await startDrive('assistants');
    drive.emulator.addFault({
      match: { method: 'POST', path: RUNS },
      do: { status: 400, code: 'invalid_value', message: 'No.' },
    });
    const id = drive.id('refused');
    const outcome = drive.runs.execute(request, { id });
    await expect(outcome).rejects.toMatchObject({ code: 'backend_rejected' });
    expect(await seen(drive, id)).toEqual({ creates: 1, signals: ['thread'], failedTasks: 0 });
    expect(made(drive.emulator)).toEqual({ threads: 1, runs: [] });
  });

  test('that is reset to its first task goes on with that thread and that attempt', async () => {
    await using drive = await startDrive('assistants');
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 5_000 }, { answer: 'Ok.' }] }] });
    const run = await drive.runs.start(request, { id: drive.id('reset') });
    await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    await expect.poll(async () => (await seen(drive, run.id)).signals.length).toBe(1);
    await resetRun(drive.client, run);
    const result = await run.result();
    expect(result.attempts).toMatchObject([{ adopted: true }]);
    expect(made(drive.emulator)).toEqual({ threads: 1, runs: [result.run.thread_id] });
  });
});

describe.concurrent('a worker that is killed while it makes a thread and an attempt', () => {
  /** Kills the first worker once the emulator has acted and holds the answer back; another one goes on. */
  async function killAt(path: string, acted: (emulator: Emulator) => Promise<unknown>) {
    const env = await connectTestEnv();
    const emulator = await startEmulator({
      scripts: { thinks: { attempts: [{ steps: [{ answer: 'Ok.' }] }] } },
    });
    emulator.createAssistant({ id: 'thinks', model: 'thinks' });
    emulator.addFault({ match: { method: 'POST', path, nth: 1 }, do: { latency_ms: 30_000, after: true } });
    const taskQueue = env.unique('queue');
    const start = () =>
      startLoggedWorker({
        ...env.processEnv,
        DROVER_TASK_QUEUE: taskQueue,
        DROVER_EMULATOR_URL: emulator.url,
      });
    const first = start();
    let second: typeof first | null = null;
    try {
      await first.ready;
      const run = await env.client.workflow.start(NAMES.workflow, {
        args: [{ assistant_id: 'thinks', backend: 'assistants', input: 'Hello' }],
        taskQueue,
        workflowId: env.unique('killed'),
        workflowTaskTimeout: '5 seconds',
      });
      await acted(emulator);
      first.kill('SIGKILL');
      await first.exited;
      second = start();
      const result = (await run.result()) as RunResult;
      return { result, made: made(emulator) };
    } finally {
      for (const worker of [first, second]) {
        worker?.kill('SIGKILL');
        await worker?.exited;
      }
      await emulator.close();
      await env.close();
    }
  }

  test('after the create acted: the thread is known, and the attempt on it is adopted', async () => {
    const { result, made: now } = await killAt(RUNS, (emulator) =>
      emulator.waitFor((entry) => entry.kind === 'status' && entry.from === null),
    );
    expect(result).toMatchObject({
      output_text: 'Ok.',
      attempts: [{ adopted: true, ambiguous_create: false }],
    });
    expect(now.runs).toEqual([result.run.thread_id]);
  }, 60_000);

  test('before the thread is written down: another one is made, and nothing runs on the first', async () => {
    const { result, made: now } = await killAt(THREADS, (emulator) =>
      emulator.waitFor(
        (entry) => entry.kind === 'request' && entry.method === 'POST' && entry.path.endsWith('/threads'),
      ),
    );
    expect(result).toMatchObject({ output_text: 'Ok.', attempts: [{ adopted: false }] });
    expect(now.runs).toEqual([result.run.thread_id]);
  }, 60_000);
});
