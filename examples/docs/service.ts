import { Client, Connection } from '@temporalio/client';
import { RunClient } from '../../src/index.ts';

const connection = await Connection.connect();
const runs = new RunClient({ client: new Client({ connection }) });

const run = await runs.start({ assistant_id: 'support', input: 'Refund order 1042' }, { id: 'ticket-77' });
const { output_text, tool_calls, usage } = await run.result();
console.log(output_text, tool_calls.length, usage.total_tokens);
await connection.close();
