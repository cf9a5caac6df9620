/** Local activities of flows side by side: what follows them is done in the same order by whoever replays it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

let env: TestEnv;
let worker: Worker;
let running: Promise<void>;
let taskQueue: string;
let code: string;

beforeAll(async () => {
  env = await connectTestEnv();
  taskQueue = env.unique('local-steps');
  const workflowsPath = fileURLToPath(new URL('../support/local-steps-workflow.ts', import.meta.url));
  ({ code } = await bundleWorkflowCode({
    workflowsPath,
    logger: new DefaultLogger('ERROR', () => undefined),
  }));
  worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace,
    taskQueue,
    workflowBundle: { code },
    activities: { pause: (ms: number) => sleep(ms) },
  });
  running = worker.run();
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await env.close();
});

async function replayOf(workflow: string): Promise<unknown> {
  const workflowId = env.unique(workflow);
  await env.client.workflow.execute(workflow, { taskQueue, workflowId });
  const history = await env.client.workflow.getHandle(workflowId).fetchHistory();
  return await Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId).then(
    () => null,
    (error: unknown) => error,
  );
}

test('one at a time, they are replayed', async () => {
  expect(await replayOf('oneLocalStep')).toBeNull();
});

test('two at a time, they are not: the rule is needed as long as this holds', async () => {
  expect(await replayOf('twoLocalSteps')).toMatchObject({ name: 'DeterminismViolationError' });
});
