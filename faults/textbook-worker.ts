/** A worker of the textbook loop. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { createTextbookActivities } from '../bench/textbook/activities.ts';
import type { ToolArguments } from './tool-table.ts';
import { TOOL_NAMES } from './tool-table.ts';
import { actOn } from './tools.ts';
import { readWorkerEnv, WORKER_HEADER, workerIdentity } from './worker-env.ts';

const env = readWorkerEnv();
const activities = createTextbookActivities({
  baseURL: env.emulatorUrl,
  apiKey: 'none',
  headers: { [WORKER_HEADER]: String(process.pid) },
  tools: Object.fromEntries(
    TOOL_NAMES.map((name) => [
      name,
      (args: unknown, { id, run }: { readonly id: string; readonly run: string }) =>
        // The call's own id is the only key that such a loop has for an effect.
        actOn(env.toolJournal, name, args as ToolArguments, {
          run,
          tool_call_id: id,
          key: id,
          attempt: null,
          context: null,
        }),
    ]),
  ),
});

process.once('disconnect', () => process.exit(1));
const connection = await NativeConnection.connect({ address: env.address });
const worker = await Worker.create({
  connection,
  namespace: env.namespace,
  taskQueue: env.taskQueue,
  identity: workerIdentity(process.pid),
  workflowBundle: { codePath: env.bundle },
  activities,
  stickyQueueScheduleToStartTimeout: '2 seconds',
});
const running = worker.run();
process.send?.('ready');
await running;
process.exit(0);
