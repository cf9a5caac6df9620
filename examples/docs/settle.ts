import { Client, Connection } from '@temporalio/client';
import { RunClient } from '../../src/index.ts';

const connection = await Connection.connect();
const run = new RunClient({ client: new Client({ connection }) }).getHandle('ticket-77');

const { unsettled_effects } = await run.progress();
for (const { key, name } of unsettled_effects) {
  console.log(`${name}: look for ${key} in the system that it acts on`);
  await run.settleEffect({ key, outcome: 'done', output: '{"refund_id":"re_1"}', by: 'maria' });
}
await connection.close();
