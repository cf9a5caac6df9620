import { expect, test } from 'vitest';
import type { StatusEntry } from '../../src/emulator/index.ts';
import { startDrive } from '../support/drive-harness.ts';
import type { Drive, Wire } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';
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
    await expect.poll(async () => (await run.progress()).attempt_id, { timeout: 30_000 }).not.toBeNull();
    await resetRun(drive.client, run);
    const result = await run.result();
    expect(result.output_text).toBe('Ok.');
    await expect.poll(() => endsOf(drive), { timeout: 30_000 }).toEqual(ends);
  },
);

test.each([
  ['assistants', 'to its beginning: its attempt is adopted', 0, []],
  ['assistants', 'to where it had its attempt: that goes on', -2, []],
  [
    'responses',
    'to before a step that cannot be found: it is cancelled, and another one made',
    -2,
    ['cancelled'],
  ],
] satisfies [Wire, string, number, string[]][])(
  'a reset of a run to before it continued as new, on the %s wire: %s',
  async (wire, _what, task, cancelled) => {
    await using drive = await startDrive(wire, { tools: recordingTools().tools });
    const order = call('get_order', { order_id: '7' });
    drive.play('bot', { attempts: [{ steps: [{ call: [order] }, { think_ms: 8_000 }, { answer: 'Ok.' }] }] });
    const run = await drive.runs.start(
      { assistant_id: 'bot', input: 'Hello', limits: { history_events: 12 } },
      { id: drive.id('reset-continued') },
    );
    const first = (await run.describe()).workflowRunId;
    await expect.poll(async () => (await run.describe()).workflowRunId, { timeout: 30_000 }).not.toBe(first);
    await expect
      .poll(() => drive.events(run.id), { timeout: 30_000 })
      .toContain('activityTaskScheduledEventAttributes');
    const { runId: waiting } = await run.workflow.describe();
    await resetRun(drive.client, run, { execution: first, task });
    const closed = await drive.client.workflow.getHandle(run.id, waiting).describe();
    expect(closed.status.name).toBe('TERMINATED');
    expect(await run.result()).toMatchObject({ code: null, output_text: 'Ok.' });
    await expect
      .poll(() => endsOf(drive).filter((end) => end !== 'completed'), { timeout: 30_000 })
      .toEqual(cancelled);
  },
);
