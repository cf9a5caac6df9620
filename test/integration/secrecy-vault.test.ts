/** Secrets that are not to be had for a while, or not at all. */
import { describe, expect, test } from 'vitest';
import { startDrive } from '../support/drive-harness.ts';
import { countIn, rawEvents } from '../support/raw-history.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

const tool = {
  type: 'mcp',
  server_label: 'shop',
  server_url: 'https://shop.example.com/mcp',
  headers: { Authorization: { secret: 'HEADER' } },
} as const;
const steps = [{ call: [call('get_order', { order_id: '7' })] }, { answer: 'Ok.' }];
const WORDS = 'vault at amber.internal is sealed';

describe('a vault', () => {
  test.each([1, 2, 3, 4])(
    'that fails when it is asked for the time %i does not end the run',
    async (failing) => {
      let asked = 0;
      const HEADER = (): string => {
        asked += 1;
        if (asked === failing) throw new Error(WORDS);
        return 'granite walrus';
      };
      await using drive = await startDrive('responses', {
        tools: recordingTools().tools,
        config: { secrets: { HEADER } },
      });
      drive.play('bot', { attempts: [{ steps }] });
      const id = drive.id('vault');
      const result = await drive.runs.execute(
        { assistant_id: 'bot', input: 'Go', tools: [tool, 'get_order'] },
        { id },
      );
      expect(result.output_text).toBe('Ok.');
      expect(asked).toBeGreaterThan(failing);
      expect(countIn(await rawEvents(drive.client, id), WORDS)).toBe(0);
      const creates = drive.emulator
        .journal()
        .filter((entry) => entry.kind === 'request' && entry.path.endsWith('/responses'));
      expect(creates).toHaveLength(2);
    },
  );

  test('that stays sealed ends the run by its deadline, with nothing made', async () => {
    const HEADER = (): string => {
      throw new Error(WORDS);
    };
    await using drive = await startDrive('responses', { config: { secrets: { HEADER } } });
    const id = drive.id('sealed');
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Go', tools: [tool], limits: { deadline_seconds: 2 } },
      { id },
    );
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('backend_unavailable');
    expect(countIn(await rawEvents(drive.client, id), WORDS)).toBe(0);
    expect(drive.emulator.journal().filter((entry) => entry.kind === 'request')).toEqual([]);
  });
});
