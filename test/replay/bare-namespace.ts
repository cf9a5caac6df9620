/** A namespace without Drover's search attributes, and a run in it. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import { RunClient } from '../../src/client.ts';
import { createWorker } from '../../src/create-worker.ts';
import { loadConfig } from '../../src/load-config.ts';
import type { Driven, Stage } from './shape.ts';

async function makeNamespace(connection: Connection): Promise<string> {
  const namespace = `bare-${randomUUID().slice(0, 8)}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  return namespace;
}

/** The server takes some seconds to know a new namespace. */
async function untilKnown<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 60; ; tries -= 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === 0 || !/namespace/i.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Drives the stage's run by a worker and a client of that namespace. */
export async function runInBareNamespace({ wire, drive, shop }: Stage): Promise<Driven> {
  const { address } = inject('temporal');
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const namespace = await makeNamespace(connection);
  const { emulator, taskQueue } = drive;
  const config = loadConfig({
    taskQueue,
    backends: {
      assistants: assistants({ baseURL: emulator.url, apiKey: 'test-key' }),
      responses: responses({ baseURL: emulator.url, apiKey: 'test-key' }),
    },
    defaultBackend: wire,
    assistants: {
      bot: { model: 'bot', provider_assistant_id: 'asst_bot', tools: shop.tools.map(({ name }) => name) },
    },
    tools: shop.tools,
  });
  const bundle = { codePath: inject('workflowBundle') };
  const worker = await untilKnown(() => createWorker({ config, connection: native, namespace, bundle }));
  const client = new Client({ connection, namespace });
  const runs = new RunClient({ client, taskQueue });
  const driven = await worker.runUntil(async () => {
    const request = { assistant_id: 'bot', input: 'Go' };
    const handle = await untilKnown(() => runs.start(request, { id: drive.id('bare') }));
    return { handle, client, code: (await handle.outcome()).code };
  });
  await native.close();
  return driven;
}
