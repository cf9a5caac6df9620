import { describe, expect, test } from 'vitest';
import { startDrive } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

const request = { assistant_id: 'bot', input: 'Refund order 7' };

describe('a server without background mode and without a store', () => {
  test('is driven by one long call a step, reasoning and calls handed back with the outputs', async () => {
    const shop = recordingTools();
    await using drive = await startDrive('foreground', { tools: shop.tools });
    drive.play('bot', {
      attempts: [
        {
          steps: [
            { reason: 'thinking' },
            { think_ms: 400 },
            { call: [call('refund_order', { order_id: '7', cents: 5 })] },
            { think_ms: 400 },
            { answer: 'Done: {{outputs}}' },
          ],
        },
      ],
    });
    const result = await drive.runs.execute(request, { id: drive.id('foreground') });
    expect(result.output_text).toBe('Done: refunded 7');
    expect(shop.effects).toHaveLength(1);
    expect(result.attempts).toMatchObject([{ reason: 'completed', ambiguous_create: false }]);
    expect(
      drive.emulator.journal().filter((entry) => entry.kind === 'request' && entry.method === 'GET'),
    ).toEqual([]);
  });

  test('that drops the connection after it acted is asked again, and the result says so', async () => {
    await using drive = await startDrive('foreground');
    drive.play('bot', { attempts: [{ steps: [{ answer: 'here' }] }] });
    drive.emulator.addFault({
      match: { method: 'POST', path: '/responses$/', nth: 1 },
      do: { reset: 'after' },
    });
    const result = await drive.runs.execute(request, { id: drive.id('dropped') });
    expect(result.output_text).toBe('here');
    expect(result.attempts).toMatchObject([{ ambiguous_create: true }]);
    expect(result.warnings).toMatchObject([{ code: 'create_ambiguous' }]);
  });

  test('loses the connection, and with it its work, when the run is cancelled', async () => {
    await using drive = await startDrive('foreground');
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const working = drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    const handle = await drive.runs.start(request, { id: drive.id('cancel') });
    await working;
    await handle.cancel();
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('cancelled');
    await expect.poll(() => drive.emulator.liveRuns(), { timeout: 10_000 }).toEqual([]);
  });
});
