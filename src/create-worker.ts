/** Builds a worker, and does nothing with it. */
import { msToNumber } from '@temporalio/common/lib/time.js';
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import type { LoadedConfig } from './config.ts';
import { droverPlugin } from './drover-plugin.ts';
import { findPrebuiltBundle } from './workflow-bundle.ts';

export interface CreateWorkerOptions {
  readonly config: LoadedConfig;
  readonly connection: NativeConnection;
  /** @default 'default' */
  readonly namespace?: string;
  /** @default the configuration's */
  readonly taskQueue?: string;
  /** Drover's workflows, bundled. @default the build's bundle where there is one, else bundled here */
  readonly bundle?: WorkflowBundleOption;
}

/** What a worker is given where the configuration's `worker` says nothing else. */
export const WORKER_DEFAULTS = {
  /** A wait holds a slot for 20 seconds at most, one that listens for all of it, and no processor. */
  maxConcurrentActivityTaskExecutions: 1_000,
  /** A workflow that is not in it is replayed from its history, some dozens of events. Each takes about half a megabyte. */
  maxCachedWorkflows: 200,
  /** A create or a submit holds one until the provider has answered. The SDK's 40 would leave the others at the server. */
  maxConcurrentWorkflowTaskExecutions: 100,
  /** Creates and submits, some of which outlast the workflow task they were begun in. */
  maxConcurrentLocalActivityExecutions: 200,
  /** A cancel reaches an activity by the answer to a heartbeat: this is how late it may come. */
  maxHeartbeatThrottleInterval: '1 second',
  defaultHeartbeatThrottleInterval: '1 second',
  /** How long a dead worker's workflows wait before another one takes them. */
  stickyQueueScheduleToStartTimeout: '5 seconds',
  /** For tools that run when the worker is told to stop; waits are handed back at once. */
  shutdownGraceTime: '30 seconds',
} as const;

/** How much longer than the grace time a worker waits for tools that ignore their signal, in milliseconds. */
export const FORCE_AFTER_GRACE_MS = 10_000;

/** The slots, limits and times of a worker: the defaults, and what the configuration has instead. */
export function workerSettings(worker: LoadedConfig['worker']): LoadedConfig['worker'] {
  const {
    maxConcurrentActivityTaskExecutions,
    maxConcurrentWorkflowTaskExecutions,
    maxConcurrentLocalActivityExecutions,
    ...times
  } = WORKER_DEFAULTS;
  // Temporal takes either a tuner or numbers of slots.
  const slots =
    worker.tuner === undefined
      ? {
          maxConcurrentActivityTaskExecutions,
          maxConcurrentWorkflowTaskExecutions,
          maxConcurrentLocalActivityExecutions,
        }
      : {};
  const workflowPollers: WorkerOptions['workflowTaskPollerBehavior'] = { type: 'autoscaling' };
  const grace = worker.shutdownGraceTime ?? times.shutdownGraceTime;
  return {
    ...times,
    ...slots,
    ...(worker.maxConcurrentWorkflowTaskPolls === undefined
      ? { workflowTaskPollerBehavior: workflowPollers }
      : {}),
    ...(worker.maxConcurrentActivityTaskPolls === undefined
      ? { activityTaskPollerBehavior: { type: 'autoscaling' as const } }
      : {}),
    shutdownForceTime: msToNumber(grace) + FORCE_AFTER_GRACE_MS,
    ...worker,
  };
}

/** The build's bundle holds neither somebody's converters nor their interceptors. */
function isPlain({ dataConverter, worker }: LoadedConfig): boolean {
  return (
    dataConverter?.payloadConverterPath === undefined &&
    dataConverter?.failureConverterPath === undefined &&
    worker.interceptors?.workflowModules === undefined &&
    worker.bundlerOptions === undefined &&
    (worker.plugins ?? []).length === 0
  );
}

/**
 * A worker that drives runs, ready to `run()`. Tools still work for its grace time after `shutdown()`, and
 * `run()` rejects with `GracefulShutdownPeriodExpiredError` where one ignores its signal.
 *
 * @throws {ConfigError} where a tool has the name of an activity of `config.worker.activities`
 */
export async function createWorker(options: CreateWorkerOptions): Promise<Worker> {
  const { config, connection, namespace = 'default', taskQueue = config.taskQueue } = options;
  const prebuilt = options.bundle === undefined && isPlain(config) ? findPrebuiltBundle() : null;
  const workflowBundle = options.bundle ?? (prebuilt === null ? undefined : { codePath: prebuilt });
  const { plugins = [], ...settings } = workerSettings(config.worker);
  return await Worker.create({
    ...settings,
    connection,
    namespace,
    taskQueue,
    ...(workflowBundle === undefined ? {} : { workflowBundle }),
    plugins: [...plugins, droverPlugin(config)],
  });
}
