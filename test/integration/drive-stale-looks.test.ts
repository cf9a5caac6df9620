import { expect, test } from 'vitest';
import { isTerminal } from '../../src/run.ts';
import { startDrive, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

/** A copy of the provider's is behind: it shows the calls of a round whose outputs were taken already. */
const LOOKS = { method: 'GET', path: '/runs/[^/]+$/' } as const;
const request = { assistant_id: 'bot', input: 'Note order 7' };

const submits = (drive: Drive): number =>
  drive.emulator
    .journal()
    .filter((entry) => entry.kind === 'request' && entry.path.endsWith('/submit_tool_outputs')).length;

test('a look that is behind the submit runs no tool again', async () => {
  const shop = recordingTools();
  await using drive = await startDrive('assistants', { tools: shop.tools });
  drive.play('bot', {
    attempts: [
      { steps: [{ call: [call('set_note', { order_id: '7' })] }, { think_ms: 1_500 }, { answer: 'Noted.' }] },
    ],
  });
  drive.emulator.addFault({ match: LOOKS, times: 30, probability: 0.7, do: { stale: true } });
  const result = await drive.runs.execute(request, { id: drive.id('stale') });
  expect(result.run.status).toBe('completed');
  expect(shop.effects).toHaveLength(1);
  expect(result.tool_calls).toHaveLength(1);
  expect(submits(drive)).toBe(1);
});

test('outputs that a provider still asks for are handed in once more, and no tool runs', async () => {
  const shop = recordingTools();
  await using drive = await startDrive('assistants', { tools: shop.tools });
  drive.play('bot', {
    attempts: [
      {
        steps: [{ call: [call('set_note', { order_id: '7' })] }, { think_ms: 22_000 }, { answer: 'Noted.' }],
      },
    ],
  });
  drive.emulator.addFault({ match: LOOKS, do: { stale: true } });
  const handle = await drive.runs.start(request, { id: drive.id('behind') });
  await drive.emulator.waitFor((entry) => entry.kind === 'request' && submits(drive) === 2);
  await drive.emulator.waitFor((entry) => entry.kind === 'status' && isTerminal(entry.to));
  drive.emulator.clearFaults();
  const result = await handle.result();
  expect(result.run.status).toBe('completed');
  expect(shop.effects).toHaveLength(1);
  expect(result.tool_calls).toHaveLength(1);
});
