import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { RunClient, structured } from '../../src/index.ts';

const ticket = structured(
  'ticket',
  z.object({ topic: z.enum(['refund', 'delivery', 'other']), order_id: z.string().optional() }),
);

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const client = new Client({ connection });
const runs = new RunClient({ client, taskQueue: process.env['DROVER_TASK_QUEUE'] ?? 'drover' });

const result = await runs.execute({
  assistant_id: 'sorter',
  input: 'My parcel 1042 never came.',
  response_format: ticket.response_format,
});
const { topic, order_id } = ticket.parse(result);
console.log(topic, order_id ?? 'no order');
await connection.close();
