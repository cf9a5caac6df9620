/** Starts the workflow that has a run in it, and waits for it. */
import { Client, Connection } from '@temporalio/client';
import type { handleTicket } from './workflows.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
try {
  const number = process.argv[2] ?? '78';
  const answer = await new Client({ connection }).workflow.execute<typeof handleTicket>('handleTicket', {
    workflowId: `handle-${number}`,
    taskQueue: process.env['DROVER_TASK_QUEUE'] ?? 'tickets',
    args: [{ number, text: 'Where is order 1042? Refund it.' }],
  });
  console.log(answer);
} finally {
  await connection.close();
}
