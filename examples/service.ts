/** A service: starts a run, waits for it, and handles how it ended. Try it beside `npm run dev`. */
import { Client, Connection } from '@temporalio/client';
import { isInvalidRequestError, isRunEndedError, RunClient } from '../src/index.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const runs = new RunClient({
  client: new Client({ connection }),
  taskQueue: process.env['DROVER_TASK_QUEUE'] ?? 'drover',
});

const ticket = process.argv[2] ?? '77';
try {
  // The id is the service's own: a start whose answer was lost is repeated, and attaches.
  const run = await runs.start(
    {
      assistant_id: 'support',
      input: 'Where is order 1042? Refund it.',
      context: { tenant_id: 'acme' },
      metadata: { ticket },
    },
    { id: `ticket-${ticket}` },
  );
  console.log(`started ${run.id}`);
  const { output_text, tool_calls, usage } = await run.result();
  console.log(output_text);
  console.log(`${tool_calls.map(({ name }) => name).join(', ')}; ${usage.total_tokens} tokens`);
} catch (error) {
  if (isInvalidRequestError(error)) console.error('mend the request:', error.issues);
  else if (isRunEndedError(error)) console.error(`ended with ${error.code}:`, error.result.attempts);
  else throw error;
  process.exitCode = 1;
} finally {
  await connection.close();
}
