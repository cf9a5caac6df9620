import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleTools } from '../../examples/tools.ts';
import { responses } from '../../src/backends/responses.ts';
import type { DroverConfig } from '../../src/config.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import { droverPlugin } from '../../src/drover-plugin.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

const OWN = fileURLToPath(new URL('../support/own-workflows.ts', import.meta.url));

let env: TestEnv;
let emulator: Emulator;
let config: DroverConfig;
beforeAll(async () => {
  env = await connectTestEnv();
  const steps = [
    { call: [{ name: 'get_order', arguments: { order_id: '7' } }] },
    { answer: 'It is {{output.get_order}}' },
  ];
  emulator = await startEmulator({ scripts: { shop: { attempts: [{ steps }] } } });
  config = {
    backends: { emulator: responses({ baseURL: emulator.url }) },
    assistants: { shop: { model: 'shop', tools: ['get_order'] } },
    tools: exampleTools,
  };
});
afterAll(async () => {
  await emulator.close();
  await env.close();
});

async function buildWorker(options: Partial<WorkerOptions>): Promise<{ worker: Worker; taskQueue: string }> {
  const taskQueue = env.unique('queue');
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace,
    taskQueue,
    plugins: [droverPlugin(config)],
    ...options,
  });
  return { worker, taskQueue };
}

const request: RunRequest = { assistant_id: 'shop', input: 'Where is 7?' };
const startRun = (taskQueue: string): Promise<RunResult> =>
  env.client.workflow.execute(NAMES.workflow, { args: [request], taskQueue, workflowId: env.unique('run') });
const startOwn = (type: string, taskQueue: string): Promise<unknown> =>
  env.client.workflow.execute(type, { args: ['you'], taskQueue, workflowId: env.unique('own') });

describe("a worker that has Drover's plugin", () => {
  test('drives runs beside its own workflows, activities and default handlers', async () => {
    const { worker, taskQueue } = await buildWorker({
      workflowsPath: OWN,
      activities: {
        greet: async (name: string) => `hello ${name}`,
        default: async (text: string) => `${activityInfo().activityType}(${text})`,
      },
    });
    await worker.runUntil(async () => {
      const [run, own, other] = await Promise.all([
        startRun(taskQueue),
        startOwn('ownWorkflow', taskQueue),
        startOwn('noSuchFunction', taskQueue),
      ]);
      expect(run.run.status).toBe('completed');
      expect(run.tool_calls).toMatchObject([{ name: 'get_order', status: 'completed' }]);
      expect(own).toEqual(['hello you', 'anythingElse(you)', 'get_order(you)']);
      expect(other).toBe('by the default workflow');
    });
  });

  test('does not run a tool for a workflow that is no run, where there is no default handler', async () => {
    const { worker, taskQueue } = await buildWorker({
      workflowsPath: OWN,
      activities: { greet: async () => 'hello', anythingElse: async () => 'else' },
    });
    await worker.runUntil(async () => {
      const error: unknown = await startOwn('ownWorkflow', taskQueue).catch((caught: unknown) => caught);
      const failure = (error as { readonly cause?: unknown }).cause;
      expect(failure).toBeInstanceOf(ActivityFailure);
      expect((failure as ActivityFailure).cause).toBeInstanceOf(ApplicationFailure);
      expect((failure as ActivityFailure).cause).toMatchObject({ type: 'NotFoundError' });
    });
  });

  test('drives runs in a worker that has no workflows of its own', async () => {
    const { worker, taskQueue } = await buildWorker({ activities: { greet: async () => 'hello' } });
    const result = await worker.runUntil(() => startRun(taskQueue));
    expect(result.run.status).toBe('completed');
  });
});
