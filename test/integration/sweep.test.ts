/** A sweep beside runs that have gone on where a terminated one was. */
import { expect, test } from 'vitest';
import { NAMES } from '../../src/contract.ts';
import { sweep } from '../../src/sweep.ts';
import { startDrive } from '../support/drive-harness.ts';
import type { Drive } from '../support/drive-harness.ts';
import { sendGift } from '../support/people-tools.ts';
import { call } from '../support/recording-tools.ts';
import { makeThread } from '../support/threads.ts';

const gift = { call: [call('send_gift', { order_id: '7' })] };

/** Outputs that stand in a conversation, and whose calls they answer. */
async function answersIn({ emulator }: Drive, conversation: string): Promise<readonly unknown[]> {
  const page = await fetch(`${emulator.url}/conversations/${conversation}/items?limit=100`);
  const { data } = (await page.json()) as { readonly data: readonly { readonly type: string }[] };
  return data.filter(({ type }) => type === 'function_call_output');
}

async function swept({ client, config, taskQueue }: Drive, id: string): Promise<string | undefined> {
  const outcomes = new Map<string, string>();
  for await (const one of sweep({ client, config, taskQueue })) outcomes.set(one.id, one.outcome);
  return outcomes.get(id);
}

test('leaves the calls of the run alone that has the conversation now', async () => {
  await using drive = await startDrive('responses', { tools: [sendGift()] });
  const thread_id = await makeThread(drive.emulator.url, 'responses');
  const say = (label: string) =>
    drive.runs.start({ assistant_id: 'bot', input: label, thread_id }, { id: drive.id(label) });
  drive.play('bot', { attempts: [{ steps: [{ think_ms: 3_000 }, { answer: 'Too late.' }] }] });
  const first = await say('first');
  await expect.poll(async () => (await first.progress()).attempt_id, { timeout: 15_000 }).not.toBeNull();
  await first.workflow.terminate('by hand');
  drive.play('bot', { attempts: [{ steps: [gift, { answer: '{{outputs}}' }] }] });
  const second = await say('second');
  await expect.poll(async () => (await second.waiting()).length, { timeout: 60_000 }).toBe(1);
  await expect.poll(() => swept(drive, first.id), { timeout: 30_000 }).toBe('cancelled');
  expect(await answersIn(drive, thread_id)).toEqual([]);
  const [asked] = await second.waiting();
  await second.approve(asked!);
  expect((await second.result()).output_text).toBe('sent for 7');
  expect(await answersIn(drive, thread_id)).toHaveLength(1);
});

test('answers those that the terminated run had left open', async () => {
  await using drive = await startDrive('responses', { tools: [sendGift()] });
  const thread_id = await makeThread(drive.emulator.url, 'responses');
  drive.play('bot', { attempts: [{ steps: [gift, { answer: 'Done.' }] }] });
  const run = await drive.runs.start(
    { assistant_id: 'bot', input: 'One', thread_id },
    { id: drive.id('left-open') },
  );
  await expect.poll(async () => (await run.waiting()).length, { timeout: 30_000 }).toBe(1);
  await run.workflow.terminate('by hand');
  await expect.poll(() => swept(drive, run.id), { timeout: 30_000 }).toBe('cancelled');
  expect(await answersIn(drive, thread_id)).toHaveLength(1);
});

test('counts a run as over whose thread was deleted', async () => {
  await using drive = await startDrive('assistants');
  const { url } = drive.emulator;
  const thread_id = await makeThread(url, 'assistants');
  drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
  const run = await drive.runs.start(
    { assistant_id: 'bot', input: 'One', thread_id },
    { id: drive.id('deleted') },
  );
  await expect.poll(async () => (await run.progress()).attempt_id, { timeout: 15_000 }).not.toBeNull();
  await run.workflow.terminate('by hand');
  const headers = { 'openai-beta': 'assistants=v2' };
  await fetch(`${url}/threads/${thread_id}`, { method: 'DELETE', headers });
  await expect.poll(() => swept(drive, run.id), { timeout: 30_000 }).toBe('cancelled');
});

test('leaves nothing alive of a run whose id another one has begun with', async () => {
  await using drive = await startDrive('assistants');
  drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
  const request = { assistant_id: 'bot', input: 'One' };
  const run = await drive.runs.start(request, { id: drive.id('id-again') });
  await expect.poll(async () => (await run.progress()).attempt_id, { timeout: 30_000 }).not.toBeNull();
  await drive.stopWorkers();
  await run.workflow.terminate('by hand');
  drive.emulator.addFault({ match: { method: 'POST', path: '//threads$/' }, do: { status: 503 } });
  await drive.startWorker();
  const { taskQueue } = drive;
  const other = { workflowId: run.id, taskQueue, args: [{ ...request, input: 'Other' }] };
  await drive.client.workflow.start(NAMES.workflow, other);
  await expect.poll(async () => (await run.progress()).attempt, { timeout: 30_000 }).toBe(1);
  await expect.poll(() => swept(drive, run.id), { timeout: 30_000 }).toBe('cancelled');
  await run.cancel();
});
