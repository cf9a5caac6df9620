/** A thread whose queue was terminated while one run had the turn and another one waited. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readInput } from '../../src/client-attach.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive } from '../support/drive-harness.ts';
import { call } from '../support/recording-tools.ts';
import { makeThread, refusals, startsOn } from '../support/threads.ts';

test('a run whose queue was terminated goes on waiting behind the one at work', async () => {
  const ask = defineTool({
    name: 'ask',
    description: 'Needs approval.',
    parameters: z.object({}),
    needsApproval: true,
    execute: () => 'done',
  });
  await using drive = await startDrive('responses', { tools: [ask] });
  drive.play('bot', {
    attempts: [{ steps: [{ call: [call('ask', {})] }, { answer: 'Said: {{outputs}}' }] }],
  });
  const thread_id = await makeThread(drive.emulator.url, 'responses');
  const say = (label: string) =>
    drive.runs.start(
      { assistant_id: 'bot', input: label, thread_id, on_unfinished: 'return' },
      { id: drive.id(label) },
    );
  const first = await say('asks');
  await expect.poll(async () => (await first.waiting()).length).toBe(1);
  drive.play('bot', { attempts: [{ steps: [{ answer: 'Said.' }] }] });
  const second = await say('waits');
  await expect.poll(() => second.progress().then((seen) => seen.waits_for_turn)).toBe(true);
  const queue = drive.client.workflow.getHandle(`drover-thread:${thread_id}`);
  await queue.terminate('test');
  const restarted = async (): Promise<boolean> => (await queue.describe()).status.name === 'RUNNING';
  await expect.poll(restarted, { timeout: 60_000, interval: 500 }).toBe(true);
  const { runId } = await queue.describe();
  expect(await readInput(drive.client, queue.workflowId, runId)).toMatchObject({ holder: first.id });
  await first.approve((await first.waiting())[0]!);
  const ended = await first.outcome();
  expect([ended.code, ended.output_text]).toEqual([null, 'Said: done']);
  expect((await second.outcome()).code).toBeNull();
  expect(startsOn(drive.emulator.journal(), thread_id)).toEqual([first.id, second.id]);
  expect(refusals(drive.emulator.journal())).toEqual([]);
});
