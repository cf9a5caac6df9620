/** Cancels a run from outside: the attempt is cancelled at the provider, and the result still tells what was done. */
import { Client, Connection } from '@temporalio/client';
import { isRunNotFoundError, RunClient } from '../src/index.ts';

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const runs = new RunClient({ client: new Client({ connection }) });

const id = process.argv[2] ?? 'ticket-77';
const run = runs.getHandle(id);
try {
  await run.cancel({ reason: 'the customer hung up' });
  const { code, run: object, tool_calls } = await run.outcome();
  console.log(`${id}: ${object.status}, ${code ?? 'completed before the cancel came'}`);
  for (const call of tool_calls) console.log(`  ${call.name}: ${call.status}`);
} catch (error) {
  if (!isRunNotFoundError(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await connection.close();
}
