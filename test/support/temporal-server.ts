/** What an integration test needs of Temporal: connections, task queues of its own, workers. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import type { DroverConfig, LoadedConfig } from '../../src/config.ts';
import { createWorker } from '../../src/create-worker.ts';
import { loadConfig } from '../../src/load-config.ts';
import type { ProvidedTemporal } from './global-setup.ts';

export interface TestEnv extends ProvidedTemporal {
  readonly client: Client;
  /** For workers of this process. */
  readonly nativeConnection: NativeConnection;
  /** Finds the server from another process. */
  readonly processEnv: Readonly<Record<string, string>>;
  /** A client with another data converter. */
  clientWith(dataConverter: DataConverter): Client;
  /** A name that no other test has, for a task queue or a run. */
  unique(prefix?: string): string;
  close(): Promise<void>;
}

/** Quiet, once a test process: tests that are about logs start processes of their own. */
function installQuietRuntime(): void {
  try {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  } catch {
    // Another file of this process has installed it.
  }
}

/** Connects to the server that the global set-up has started, or to another one. Close it in `afterAll`. */
export async function connectTestEnv(otherAddress?: string): Promise<TestEnv> {
  const { namespace, cli, ...given } = inject('temporal');
  const address = otherAddress ?? given.address;
  installQuietRuntime();
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    address,
    namespace,
    cli,
    client: new Client({ connection, namespace }),
    nativeConnection,
    processEnv: { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace },
    clientWith: (dataConverter) => new Client({ connection, namespace, dataConverter }),
    unique: (prefix = 'test') => `${prefix}-${randomUUID().slice(0, 8)}`,
    close: async () => {
      await connection.close();
      await nativeConnection.close();
    },
  };
}

export interface TestWorker {
  readonly worker: Worker;
  readonly config: LoadedConfig;
  readonly taskQueue: string;
}

/** Builds a worker on a task queue of its own, with the bundle that all tests share; the caller runs it. */
export async function createTestWorker(
  env: TestEnv,
  config: DroverConfig,
  taskQueue: string = env.unique('queue'),
): Promise<TestWorker> {
  const loaded = loadConfig({ ...config, taskQueue });
  const worker = await createWorker({
    config: loaded,
    connection: env.nativeConnection,
    namespace: env.namespace,
    bundle: { codePath: inject('workflowBundle') },
  });
  return { worker, config: loaded, taskQueue };
}

/** Runs a worker for as long as `work` takes, and stops it whether or not that succeeds. */
export async function withWorker<T>(
  env: TestEnv,
  config: DroverConfig,
  work: (worker: TestWorker) => Promise<T>,
  taskQueue?: string,
): Promise<T> {
  const running = await createTestWorker(env, config, taskQueue);
  return await running.worker.runUntil(() => work(running));
}
