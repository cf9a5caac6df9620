/** Local activities of flows side by side: what follows them is done in the same order by whoever replays it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replayError } from '../support/replay.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

let env: TestEnv;
let worker: Worker;
let running: Promise<void>;
let taskQueue: string;
let code: string;
let long: PromiseWithResolvers<void>;

beforeAll(async () => {
  env = await connectTestEnv();
  taskQueue = env.unique('local-steps');
  const workflowsPath = fileURLToPath(new URL('../support/local-steps-workflow.ts', import.meta.url));
  ({ code } = await bundleWorkflowCode({
    workflowsPath,
    preloadModules: [workflowsPath],
    logger: new DefaultLogger('ERROR', () => undefined),
  }));
  worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace,
    taskQueue,
    workflowBundle: { code },
    activities: {
      pause: (ms: number) => sleep(ms),
      long: async (ms: number) => {
        long.resolve();
        await sleep(ms);
      },
      // In the task in which the long one began, so that the next task brings its end.
      endWhileLong: async () => {
        await long.promise;
        await sleep(300);
      },
    },
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
  long = Promise.withResolvers();
  await env.client.workflow.execute(workflow, { taskQueue, workflowId, workflowTaskTimeout: '2 seconds' });
  return await replayError(env.client, workflowId, { workflowBundle: { code } });
}

describe.each([
  ['two of them', 'twoSteps'],
  ['one that outlasts its task', 'acrossTasks'],
])('%s', (_what, workflow) => {
  test('are replayed by the rule for them', async () => {
    expect(await replayOf(`${workflow}Ruled`)).toBeNull();
  });

  test('are not without: the rule is needed as long as this holds', async () => {
    expect(await replayOf(`${workflow}Plain`)).toMatchObject({ name: 'DeterminismViolationError' });
  });
});

test('of one workflow do not wait for those of another one on its worker', async () => {
  const ids = Array.from({ length: 5 }, () => env.unique('oneStepRuled'));
  await Promise.all(
    ids.map((workflowId) => env.client.workflow.execute('oneStepRuled', { taskQueue, workflowId })),
  );
  const markers = await Promise.all(
    ids.map(async (id) => {
      const { events } = await env.client.workflow.getHandle(id).fetchHistory();
      return (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => marker?.markerName ?? []);
    }),
  );
  // A step that waited would have left the patch `one-local-step`, too.
  expect(markers).toEqual(ids.map(() => ['core_local_activity']));
});
