/** A query has a worker run the workflow's code again, local activities included: they must not act then. */
import { expect, test } from 'vitest';
import type { RequestEntry } from '../../src/emulator/index.ts';
import { startDrive, WIRES } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

test.each(WIRES)(
  'a query of a run that was terminated in a submit does not hand in its outputs again on the %s wire',
  async (wire) => {
    const { tools } = recordingTools();
    await using drive = await startDrive(wire, { tools });
    drive.play('bot', {
      attempts: [{ steps: [{ call: [call('get_order', { order_id: '7' })] }, { hang: true }] }],
    });
    const isSubmit = ({ method, path, body }: RequestEntry): boolean =>
      method === 'POST' &&
      (path.endsWith('submit_tool_outputs') || JSON.stringify(body).includes('_call_output'));
    const submits = (): number =>
      drive.emulator.journal().filter((entry) => entry.kind === 'request' && isSubmit(entry)).length;
    drive.emulator.addFault({
      match: { method: 'POST', ...SUBMIT[wire] },
      do: { latency_ms: 2_000, after: true },
    });
    const id = drive.id('terminated');
    const handle = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id });
    await drive.emulator.waitFor((entry) => entry.kind === 'request' && isSubmit(entry));
    await handle.workflow.terminate('a test');
    await drive.stopWorkers();
    expect(submits()).toBe(1);

    await drive.startWorker();
    const progress = await handle.progress();
    expect(progress).toMatchObject({ attempt: 1, round: 1 });
    expect(submits()).toBe(1);
  },
);

const SUBMIT = {
  responses: { path: '/responses$/', nth: 2 },
  assistants: { path: 'submit_tool_outputs', nth: 1 },
} as const;
