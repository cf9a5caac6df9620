import { Client, Connection } from '@temporalio/client';
import { isDecisionRefusedError, RunClient } from '../../src/index.ts';

const connection = await Connection.connect();
const runs = new RunClient({ client: new Client({ connection }) });

for await (const { id, calls } of runs.waiting("DroverWaiting = 'approval'")) {
  for (const call of calls ?? []) {
    console.log(id, call.name, call.arguments);
    try {
      await runs.getHandle(id).approve(call, { by: 'maria', reason: 'The parcel was lost.' });
    } catch (error) {
      if (!isDecisionRefusedError(error)) throw error;
      console.log(error.message);
    }
  }
}
await connection.close();
