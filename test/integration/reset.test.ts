import { expect, test } from 'vitest';
import type { StatusEntry } from '../../src/emulator/index.ts';
import { startDrive } from '../support/drive-harness.ts';
import type { Drive, Wire } from '../support/drive-harness.ts';
import { resetRun } from '../support/reset-run.ts';
import { makeThread } from '../support/threads.ts';

/** What became of each run or response at the provider, in the order in which they were made. */
function endsOf({ emulator }: Drive): readonly string[] {
  const statuses = emulator.journal().filter((entry): entry is StatusEntry => entry.kind === 'status');
  return [...Map.groupBy(statuses, ({ id }) => id).values()].map((its) => its.at(-1)?.to ?? '');
}

test.each([
  [
    'assistants',
    'it is adopted, and not cancelled by the wait of the execution that was reset',
    ['completed'],
  ],
  ['responses', 'it cannot be found: it is cancelled, and another one made', ['cancelled', 'completed']],
] satisfies [Wire, string, string[]][])(
  'a reset of the workflow while its attempt works, on the %s wire: %s',
  async (wire, _what, ends) => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 5_000 }, { answer: 'Ok.' }] }] });
    const threads = wire === 'assistants' ? { thread_id: await makeThread(drive.emulator.url, wire) } : {};
    const run = await drive.runs.start(
      { assistant_id: 'bot', input: 'Hello', ...threads },
      { id: drive.id('reset') },
    );
    await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    await expect.poll(async () => (await run.progress()).attempt_id).not.toBeNull();
    await resetRun(drive.client, run);
    const result = await run.result();
    expect(result.output_text).toBe('Ok.');
    await expect.poll(() => endsOf(drive)).toEqual(ends);
  },
);
