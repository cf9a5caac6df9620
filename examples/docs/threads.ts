import { Client, Connection } from '@temporalio/client';
import { RunClient } from '../../src/index.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const client = new Client({ connection });
const runs = new RunClient({ client, taskQueue: process.env['DROVER_TASK_QUEUE'] ?? 'drover' });
const assistant_id = 'chat';

const first = await runs.start({ assistant_id, input: 'Where is order 1042?' });
const { thread_id } = (await first.result()).run;

// Two more messages at once: the second one waits until the first has its answer.
const second = await runs.start({ assistant_id, thread_id, input: 'And when does it arrive?' });
const third = await runs.start({ assistant_id, thread_id, input: 'Can I return it?' });
console.log((await second.result()).output_text);
console.log((await third.result()).output_text);

// Another one that the user takes back: it is cancelled, and the new one goes next.
await runs.start({ assistant_id, thread_id, input: 'Cancel my order.' });
const instead = await runs.start({
  assistant_id,
  thread_id,
  input: 'No, keep it.',
  on_busy_thread: 'interrupt',
});
console.log((await instead.result()).output_text);
await connection.close();
