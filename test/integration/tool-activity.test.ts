/** The fence of `once` tools against a real server: judged by the journal that the tool itself keeps. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Context } from '@temporalio/activity';
import type { ActivityOptions, DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createToolActivities } from '../../src/activities/tools.ts';
import { ACTIVITY_FAILURES } from '../../src/steps.ts';
import type { ToolInput } from '../../src/steps.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import type { ToolContext } from '../../src/tools/define-tool.ts';
import { createRegistry } from '../../src/tools/registry.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';
import { toolInput } from '../support/tool-fixtures.ts';
import type { ToolEnd } from '../support/tool-workflow.ts';

const run = promisify(execFile);

let env: TestEnv;
let workflowBundle: { code: string };
beforeAll(async () => {
  env = await connectTestEnv();
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../support/tool-workflow.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
});
afterAll(async () => {
  await env.close();
});

/** What every dispatch of a `once` tool has. */
const ONCE: ActivityOptions = {
  startToCloseTimeout: '30 seconds',
  scheduleToStartTimeout: '30 seconds',
  heartbeatTimeout: '5 seconds',
  retry: { maximumAttempts: 1 },
};
const UNKNOWN = { failure: ACTIVITY_FAILURES.toolFailed, details: { effect: 'unknown' } };
const NOT_STARTED = { failure: ACTIVITY_FAILURES.notStarted };

type Handler = (ctx: ToolContext) => Promise<string> | string;

/** Runs in the worker just before the tool's activity, with the activity's context. */
type Before = (context: Context, journal: readonly string[]) => Promise<void>;

interface Stage {
  /** The keys for which the handler was started: the tool's own word. */
  readonly journal: string[];
  readonly workflowId: string;
  readonly taskQueue: string;
  /** Lets the operator do something to the activity with the CLI. */
  operate(...command: string[]): Promise<void>;
  result(): Promise<ToolEnd>;
  /** Stops the worker that runs the tool; the workflow's goes on. */
  stopWorker: () => void;
}

interface StageOptions {
  readonly handler?: Handler;
  readonly before?: Before;
  readonly options?: ActivityOptions;
  readonly input?: Partial<ToolInput>;
  readonly dataConverter?: DataConverter;
  /** Done after the activity was scheduled and before any worker takes it. */
  readonly whileQueued?: (stage: Stage) => Promise<void>;
}

async function createStageWorkers(stage: Stage, { handler, before, dataConverter }: StageOptions) {
  const tool = defineTool({
    name: 'refund',
    description: 'Refunds an order.',
    parameters: z.object({ order_id: z.string() }),
    effect: 'once',
    execute: async (_, ctx) => {
      stage.journal.push(ctx.idempotencyKey);
      return (await handler?.(ctx)) ?? 'refunded';
    },
  });
  const shared = {
    connection: env.nativeConnection,
    namespace: env.namespace,
    taskQueue: stage.taskQueue,
    ...(dataConverter === undefined ? {} : { dataConverter }),
  };
  const inbound = (context: Context): ActivityInboundCallsInterceptor => ({
    execute: async (input, next) => {
      await before?.(context, stage.journal);
      return await next(input);
    },
  });
  const { runTool } = createToolActivities({ registry: createRegistry([tool]), graceMs: 200 });
  const workflows = await Worker.create({ ...shared, workflowBundle });
  const activities = (): Promise<Worker> =>
    Worker.create({
      ...shared,
      activities: { default: runTool },
      maxHeartbeatThrottleInterval: '200 milliseconds',
      interceptors: { activity: [(context) => ({ inbound: inbound(context) })] },
    });
  return { workflows, activities };
}

/** Dispatches one `once` tool on a queue of its own, while `act` does what the test is about. */
async function onStage<T>(options: StageOptions, act: (stage: Stage) => Promise<T>): Promise<T> {
  const taskQueue = env.unique('tool');
  const client = options.dataConverter === undefined ? env.client : env.clientWith(options.dataConverter);
  const handle = await client.workflow.start('dispatchTool', {
    taskQueue,
    workflowId: taskQueue,
    args: [toolInput('refund', { effect: 'once', ...options.input }), { ...ONCE, ...options.options }],
  });
  const stage: Stage = {
    journal: [],
    taskQueue,
    workflowId: handle.workflowId,
    operate: async (...command) => {
      const activityId = await vi.waitUntil(
        async () => (await handle.describe()).raw.pendingActivities?.[0]?.activityId,
        { timeout: 10_000 },
      );
      const ids = ['--workflow-id', handle.workflowId, '--activity-id', activityId];
      await run(env.cli, [
        'activity',
        ...command,
        ...ids,
        '--address',
        env.address,
        '--namespace',
        env.namespace,
      ]);
    },
    result: () => handle.result() as Promise<ToolEnd>,
    stopWorker: () => undefined,
  };
  const { workflows, activities } = await createStageWorkers(stage, options);
  return await workflows.runUntil(async () => {
    await options.whileQueued?.(stage);
    const worker = await activities();
    stage.stopWorker = () => worker.shutdown();
    const running = worker.run();
    try {
      return await act(stage);
    } finally {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await running;
    }
  });
}

/** A handler that works until its signal is aborted. */
const untilAborted: Handler = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

/** Such a handler, and when its signal was aborted. */
function abortable(): { readonly handler: Handler; readonly aborted: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const handler: Handler = (ctx) => {
    ctx.signal.addEventListener('abort', () => resolve(), { once: true });
    return untilAborted(ctx);
  };
  return { handler, aborted: promise };
}

const started = (stage: Stage): Promise<true> =>
  vi.waitUntil(() => stage.journal.length > 0 && (true as const), { timeout: 10_000 });

describe('a once tool on a real server', () => {
  test('runs in a clean first try, and its output comes back', async () => {
    await onStage({}, async (stage) => {
      expect(await stage.result()).toMatchObject({ output: 'refunded' });
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('is not started a second time by pause and unpause: its outcome is unknown', async () => {
    const { handler, aborted } = abortable();
    await onStage({ handler }, async (stage) => {
      await started(stage);
      await stage.operate('pause');
      await aborted;
      await stage.operate('unpause');
      expect(await stage.result()).toMatchObject(UNKNOWN);
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('is not started a second time by a reset that wipes attempt number and mark', async () => {
    const { handler, aborted } = abortable();
    await onStage({ handler }, async (stage) => {
      await started(stage);
      await stage.operate('pause');
      await aborted;
      await stage.operate('reset', '--clear-heartbeat-details');
      expect(await stage.result()).toMatchObject(UNKNOWN);
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('is not started a second time by a reset while it runs', async () => {
    await onStage({ handler: untilAborted }, async (stage) => {
      await started(stage);
      await stage.operate('reset');
      expect((await stage.result()).output).toBeNull();
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('is not started a second time where a policy would retry it', async () => {
    const handler: Handler = () => {
      throw new Error('no word of what happened');
    };
    await onStage({ handler, options: { retry: { maximumAttempts: 3 } } }, async (stage) => {
      expect(await stage.result()).toMatchObject(UNKNOWN);
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('is not started a second time after its worker fell silent, whatever the policy says', async () => {
    // The event loop stands still past the heartbeat timeout, as in a worker that was stopped.
    const handler: Handler = () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      return 'acted';
    };
    const options: ActivityOptions = {
      heartbeatTimeout: '1 second',
      retry: { maximumAttempts: 3, initialInterval: '100 milliseconds' },
    };
    await onStage({ handler, options }, async (stage) => {
      expect(await stage.result()).toMatchObject(UNKNOWN);
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('was not started where it was paused and released while it waited for a worker', async () => {
    const whileQueued = async (stage: Stage): Promise<void> => {
      await stage.operate('pause');
      await stage.operate('unpause');
    };
    await onStage({ whileQueued }, async (stage) => {
      expect(await stage.result()).toMatchObject(NOT_STARTED);
      expect(stage.journal).toEqual([]);
    });
  });

  test('was not started where it was paused before its start was written down', async () => {
    const before: Before = async ({ client, info }) => {
      await client.workflowService.pauseActivity({
        namespace: info.namespace,
        execution: { workflowId: info.workflowExecution?.workflowId ?? '' },
        id: info.activityId,
      });
    };
    await onStage({ before }, async (stage) => {
      expect(await stage.result()).toMatchObject(NOT_STARTED);
      expect(stage.journal).toEqual([]);
    });
  });

  test('makes no effect where the server has given the activity up before its start', async () => {
    const over = Promise.withResolvers<void>();
    const before: Before = async ({ client, info }) => {
      await client.activity.complete(
        { workflowId: info.workflowExecution?.workflowId ?? '', activityId: info.activityId },
        'by hand',
      );
      over.resolve();
    };
    const journal = await onStage({ before }, async (stage) => {
      await over.promise;
      expect(await stage.result()).toMatchObject({ output: 'by hand' });
      return stage.journal;
    });
    // The worker has ended by now, and with it its activity.
    expect(journal).toEqual([]);
  });

  test('tells nothing of its effect when its worker stops, and no other worker starts it', async () => {
    await onStage({ handler: untilAborted }, async (stage) => {
      await started(stage);
      stage.stopWorker();
      // Not a word of `drover.not_started`, nor of an effect that was not made: the workflow reads it as unknown.
      expect(await stage.result()).toEqual({ output: null, failure: 'WorkerShutdown', details: null });
      expect(stage.journal).toHaveLength(1);
    });
  });

  test('does not block the stop of its worker by ignoring its signal', async () => {
    const gate = Promise.withResolvers<string>();
    await onStage({ handler: () => gate.promise }, async (stage) => {
      await started(stage);
      stage.stopWorker();
      expect((await stage.result()).failure).toBe('WorkerShutdown');
    });
    gate.resolve('too late');
  });

  test('keeps its mark in each heartbeat, behind an encrypting codec too', async () => {
    const codec: PayloadCodec = {
      encode: (payloads) => Promise.resolve(payloads.map(flipBits)),
      decode: (payloads) => Promise.resolve(payloads.map(unflipBits)),
    };
    const { handler, aborted } = abortable();
    const beating: Handler = (ctx) => {
      ctx.heartbeat({ page: 1 });
      return handler(ctx);
    };
    await onStage({ handler: beating, dataConverter: { payloadCodecs: [codec] } }, async (stage) => {
      const { client } = env;
      const raw = await vi.waitUntil(
        async () => {
          const { raw: description } = await client.workflow.getHandle(stage.workflowId).describe();
          const payload = description.pendingActivities?.[0]?.heartbeatDetails?.payloads?.[0];
          return payload && plainText(payload).includes('"page":1') ? payload : undefined;
        },
        { timeout: 10_000 },
      );
      expect(plainText(raw)).toContain('drover_started');
      expect(Buffer.from(raw.data ?? []).toString()).not.toContain('drover_started');
      await stage.operate('pause');
      await aborted;
      await stage.operate('unpause');
      expect((await stage.result()).output).toBeNull();
      expect(stage.journal).toHaveLength(1);
    });
  });
});

const flip = (data: Uint8Array | null | undefined): Uint8Array =>
  Uint8Array.from(data ?? [], (byte) => byte ^ 0xff);

/** Keeps the real encoding beside the flipped bytes. */
function flipBits({ metadata, data }: Payload): Payload {
  const inner = metadata?.['encoding'] ?? new Uint8Array();
  return { metadata: { encoding: Buffer.from('test/flipped'), inner }, data: flip(data) };
}

function unflipBits({ metadata, data }: Payload): Payload {
  return { metadata: { encoding: metadata?.['inner'] ?? new Uint8Array() }, data: flip(data) };
}

const plainText = (payload: Payload): string => Buffer.from(unflipBits(payload).data ?? []).toString();
