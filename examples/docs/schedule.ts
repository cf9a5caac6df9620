import { Client, Connection } from '@temporalio/client';
import { NAMES } from '../../src/index.ts';
import type { RunRequest } from '../../src/index.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const client = new Client({ connection });
const request: RunRequest = { assistant_id: 'reporter', input: 'Report on the orders of yesterday.' };

await client.schedule.create({
  scheduleId: 'daily-report',
  spec: { calendars: [{ hour: 6, minute: 30 }], timezone: 'Europe/Berlin' },
  action: {
    type: 'startWorkflow',
    workflowType: NAMES.workflow,
    workflowId: 'daily-report',
    taskQueue: NAMES.taskQueue,
    args: [request],
    workflowTaskTimeout: '5 seconds',
  },
  policies: { overlap: 'SKIP', catchupWindow: '1 hour', pauseOnFailure: true },
});
await connection.close();
