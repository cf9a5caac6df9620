/** A worker of one's own that drives runs too: `node examples/own-worker/worker.ts`, then start.ts. */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import config from '../../drover.config.ts';
import { droverPlugin } from '../../src/worker.ts';
import { createActivities } from './activities.ts';

const connection = await NativeConnection.connect({
  address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
});
const worker = await Worker.create({
  connection,
  taskQueue: process.env['DROVER_TASK_QUEUE'] ?? 'tickets',
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  activities: createActivities(),
  plugins: [droverPlugin(config)],
});
try {
  console.log(`working on ${worker.options.taskQueue}`);
  await worker.run();
} finally {
  await connection.close();
}
