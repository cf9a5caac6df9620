/** A worker, the emulator and a client on a task queue of their own, for tests of whole runs. */
import type { Client } from '@temporalio/client';
import type { Worker, WorkflowBundleOption } from '@temporalio/worker';
import { inject } from 'vitest';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import { RunClient } from '../../src/client.ts';
import type { AssistantConfig, DroverConfig, LoadedConfig } from '../../src/config.ts';
import { createWorker } from '../../src/create-worker.ts';
import { startEmulator, type Emulator, type EmulatorOptions, type Script } from '../../src/emulator/index.ts';
import { loadConfig } from '../../src/load-config.ts';
import type { AnyTool } from '../../src/tools/define-tool.ts';
import { connectTestEnv } from './temporal-server.ts';

/**
 * `foreground`: the Responses wire of a server without background mode and without a store. `pushed`: in the
 * background, and webhooks are expected. `streamed`: in the background, and listened to.
 */
export type Wire = 'responses' | 'assistants' | 'foreground' | 'pushed' | 'streamed';
export const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of the tests').toString('base64')}`;
export const WIRES = ['responses', 'assistants'] as const satisfies readonly Wire[];

export interface DriveOptions {
  readonly tools?: readonly AnyTool[];
  readonly scripts?: Readonly<Record<string, Script>>;
  readonly emulator?: EmulatorOptions;
  readonly config?: Partial<DroverConfig>;
  readonly assistant?: Partial<AssistantConfig>;
  /** Of workflows, where a converter of the configuration has to be in it. @default the one that all tests share */
  readonly bundle?: WorkflowBundleOption;
  /** Of a Temporal server. @default the one of all tests */
  readonly address?: string;
  /** Do not start a worker. @default false */
  readonly idle?: boolean;
}

export interface Drive extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly client: Client;
  readonly config: LoadedConfig;
  readonly runs: RunClient;
  readonly taskQueue: string;
  /** Runs of the assistant `bot` play the emulator's script of this name. */
  play(name: string, script: Script): void;
  /**
   * @param bundle of workflows, instead of the drive's
   * @param settings of the worker, instead of the configuration's
   */
  startWorker(bundle?: WorkflowBundleOption, settings?: LoadedConfig['worker']): Promise<Worker>;
  stopWorkers(): Promise<void>;
  /** A run id of its own. */
  id(label: string): string;
  /** Types of the events of a run's latest execution. */
  events(id: string): Promise<readonly string[]>;
}

/** Both wires of the emulator, a task queue of their own, and one assistant `bot` on each, with all tools. */
export async function startDrive(wire: Wire, options: DriveOptions = {}): Promise<Drive> {
  const emulator = await startEmulator({
    ...options.emulator,
    ...(options.scripts ? { scripts: options.scripts } : {}),
  });
  const env = await connectTestEnv(options.address);
  const taskQueue = env.unique('queue');
  const names = (options.tools ?? []).map(({ name }) => name);
  emulator.createAssistant({ id: 'asst_bot', model: 'bot' });
  const config = loadConfig({
    taskQueue,
    backends: {
      assistants: assistants({ baseURL: emulator.url, apiKey: 'test-key' }),
      responses: responses({ baseURL: emulator.url, apiKey: 'test-key' }),
      pushed: responses({ baseURL: emulator.url, apiKey: 'test-key', webhookSecret: WEBHOOK_SECRET }),
      streamed: responses({ baseURL: emulator.url, apiKey: 'test-key', stream: true }),
      foreground: responses({ baseURL: emulator.url, apiKey: 'test-key', mode: 'foreground', store: false }),
    },
    defaultBackend: wire,
    assistants: {
      bot: { model: 'bot', tools: names, provider_assistant_id: 'asst_bot', ...options.assistant },
    },
    tools: options.tools ?? [],
    ...options.config,
  });
  const client = config.dataConverter ? env.clientWith(config.dataConverter) : env.client;
  const workers: { worker: Worker; done: Promise<void> }[] = [];

  const drive: Drive = {
    emulator,
    client,
    config,
    runs: new RunClient({ client, taskQueue }),
    taskQueue,
    play: (name, script) => emulator.setScript(name, script),
    async startWorker(
      bundle = options.bundle ?? { codePath: inject('workflowBundle') },
      settings = config.worker,
    ) {
      const worker = await createWorker({
        config: { ...config, worker: settings },
        connection: env.nativeConnection,
        namespace: env.namespace,
        bundle,
      });
      workers.push({ worker, done: worker.run() });
      return worker;
    },
    async stopWorkers() {
      for (const { worker, done } of workers.splice(0)) {
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await done;
      }
    },
    id: (label) => env.unique(label),
    async events(id) {
      const { events } = await client.workflow.getHandle(id).fetchHistory();
      return (events ?? []).map(
        (event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '?',
      );
    },
    async [Symbol.asyncDispose]() {
      await drive.stopWorkers();
      await emulator.close();
      await env.close();
    },
  };
  if (options.idle !== true) await drive.startWorker();
  return drive;
}
