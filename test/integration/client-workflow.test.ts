import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { responses } from '../../src/backends/responses.ts';
import type { RunRequest } from '../../src/contract.ts';
import { droverPlugin } from '../../src/drover-plugin.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, Script } from '../../src/emulator/index.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

let env: TestEnv;
let emulator: Emulator;
let worker: Worker;
let running: Promise<void>;
let taskQueue: string;

beforeAll(async () => {
  env = await connectTestEnv();
  emulator = await startEmulator();
  taskQueue = env.unique('parents');
  worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('./client-parents.ts', import.meta.url)),
    plugins: [
      droverPlugin({
        taskQueue,
        backends: { local: responses({ baseURL: emulator.url, apiKey: 'test' }) },
        assistants: { bot: { model: 'bot' } },
      }),
    ],
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await emulator.close();
  await env.close();
});

const play = (step: Script['attempts'][number]['steps'][number]): void =>
  emulator.setScript('bot', { attempts: [{ steps: [step] }] });
const request = { assistant_id: 'bot', input: 'hello' } as const satisfies RunRequest;

async function failureOf(work: Promise<unknown>): Promise<Error | undefined> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return error instanceof WorkflowFailedError ? error.cause : undefined;
}

const inProgress = (): Promise<unknown> => {
  const known = new Set(emulator.journal());
  return emulator.waitFor(
    (entry) => !known.has(entry) && entry.kind === 'status' && entry.to === 'in_progress',
  );
};

describe('a run as a child workflow', () => {
  const start = (workflow: string, ...args: readonly unknown[]) =>
    env.client.workflow.start(workflow, { workflowId: env.unique('parent'), taskQueue, args: [...args] });

  it('gives its result', async () => {
    play({ answer: 'Hello.' });
    const parent = await start('waitForRun', request, taskQueue);
    expect(await parent.result()).toMatchObject({ code: null, output_text: 'Hello.' });
  });

  it('that ended otherwise fails a parent that does not catch it, with its type and its result once', async () => {
    play({ incomplete: 'content_filter' });
    const parent = await start('waitForRun', request, taskQueue);
    const cause = await failureOf(parent.result());
    expect(cause).toBeInstanceOf(ApplicationFailure);
    expect(cause).toMatchObject({
      type: 'drover.content_filter',
      nonRetryable: true,
      details: [{ code: 'content_filter', run: { status: 'incomplete' } }],
    });
    expect(cause?.cause).toBeUndefined();
  });

  it('that ended otherwise is known by its guard to a parent that catches it', async () => {
    play({ incomplete: 'content_filter' });
    const parent = await start('catchRun', request, taskQueue);
    expect(await parent.result()).toMatchObject({
      caught: 'RunEndedError',
      code: 'content_filter',
      status: 'incomplete',
    });
  });

  it('that ended otherwise is returned where the request says so', async () => {
    play({ incomplete: 'content_filter' });
    const parent = await start('waitForRun', { ...request, on_unfinished: 'return' }, taskQueue);
    expect(await parent.result()).toMatchObject({ code: 'content_filter' });
  });

  it('with mistakes ends by them, and the parent reads the issues', async () => {
    const wrong = { ...request, temperature: 3 };
    const parent = await start('catchRun', wrong, taskQueue);
    expect(await parent.result()).toMatchObject({ code: 'invalid_request', fields: ['temperature'] });
  });

  it('is cancelled with its parent, at the provider too, before the parent has ended', async () => {
    play({ hang: true });
    const working = inProgress();
    const parent = await start('waitForRun', request, taskQueue);
    await working;
    await parent.cancel();
    expect(await failureOf(parent.result())).toBeInstanceOf(CancelledFailure);
    expect(
      emulator
        .journal()
        .filter((entry) => entry.kind === 'status')
        .at(-1),
    ).toMatchObject({ to: 'cancelled' });
  });

  it('is cancelled with the scope around it, and the parent goes on', async () => {
    play({ hang: true });
    const working = inProgress();
    const parent = await start('runInScope', request, taskQueue);
    await working;
    await parent.signal('stop');
    expect(await parent.result()).toBe('scope cancelled');
  });

  it('that somebody else cancelled is lost to its parent, which is not cancelled by it', async () => {
    play({ hang: true });
    const working = inProgress();
    const parent = await start('catchRun', request, taskQueue);
    await working;
    await env.client.workflow.getHandle(`${parent.workflowId}-run`).cancel();
    expect(await parent.result()).toMatchObject({ caught: 'RunLostError', code: 'cancelled' });
  });

  it('is cancelled and not terminated where its parent closes without waiting', async () => {
    play({ hang: true });
    const parent = await start('leaveRun', request, taskQueue);
    await parent.result();
    const child = env.client.workflow.getHandle(`${parent.workflowId}-run`);
    expect(await failureOf(child.result())).toBeInstanceOf(CancelledFailure);
  });
});
