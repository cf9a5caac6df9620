/** Webhooks: the provider tells of an end, the run looks at once; what is not told is found by looking. */
import { Client } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { signDelivery } from '../../src/emulator/webhooks.ts';
import { NAMES } from '../../src/contract.ts';
import { createLogger } from '../../src/logger.ts';
import { WebhookReceiver } from '../../src/webhooks/receive.ts';
import type { Received } from '../../src/webhooks/receive.ts';
import { serveWebhooks } from '../../src/webhooks/serve.ts';
import type { WebhookServer } from '../../src/webhooks/serve.ts';
import type { Wake } from '../../src/webhooks/wake.ts';
import { startDrive, WEBHOOK_SECRET, type Drive } from '../support/drive-harness.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

const order = call('get_order', { order_id: '7' });

let drive: Drive;
let server: WebhookServer;
let received: Received[];

class Recorder extends WebhookReceiver {
  override async receive(delivery: Parameters<WebhookReceiver['receive']>[0]): Promise<Received> {
    const one = await super.receive(delivery);
    received.push(one);
    return one;
  }
}

async function serveBy(more: { readonly client?: Client; readonly wake?: Wake }): Promise<WebhookServer> {
  const receiver = new Recorder({ client: drive.client, backends: drive.config.backends, ...more });
  const logger = createLogger({ format: 'json', destination: { write: () => undefined } });
  return await serveWebhooks({ receiver, logger, host: '127.0.0.1', port: 0 });
}

/** Milliseconds from the last end at the provider to the workflow's. */
async function lagMs(id: string): Promise<number> {
  const ended = drive.emulator
    .journal()
    .findLast(
      (entry) => entry.kind === 'status' && entry.metadata['drover_run'] === id && entry.to === 'completed',
    );
  const { closeTime } = await drive.client.workflow.getHandle(id).describe();
  return (closeTime?.getTime() ?? Number.NaN) - (ended?.at ?? Number.NaN);
}

const looks = (): number =>
  drive.emulator.journal().filter((entry) => entry.kind === 'request' && entry.method === 'GET').length;

const outcomes = (): readonly string[] => received.map(({ outcome }) => outcome);

beforeAll(async () => {
  drive = await startDrive('pushed', { tools: recordingTools().tools });
  received = [];
  server = await serveBy({});
});
afterAll(async () => {
  await server.close();
  await drive[Symbol.asyncDispose]();
});
afterEach(() => {
  received = [];
  drive.emulator.clearFaults();
});

const listen = (more: { readonly lose?: number; readonly double?: number } = {}): void =>
  drive.emulator.setWebhooks({ url: `${server.url}/webhooks/pushed`, secret: WEBHOOK_SECRET, ...more });

const start = async (label: string) =>
  await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id(label) });

const thinking = (ms: number) => ({
  attempts: [{ steps: [{ think_ms: ms }, { call: [order] }, { think_ms: ms }, { answer: 'Done.' }] }],
});

describe('a run whose provider tells of its ends', () => {
  test('looks when it is told, and hardly otherwise', async () => {
    listen();
    drive.play('bot', thinking(3_000));
    const before = looks();
    const run = await start('told');
    expect((await run.result()).output_text).toBe('Done.');
    expect(await lagMs(run.id)).toBeLessThan(3_000);
    // For each turn: a look at once, one when it was told, and the receiver's own.
    expect(looks() - before).toBeLessThanOrEqual(6);
    expect(outcomes()).toEqual(['woken', 'woken']);
    expect(received.every(({ runId }) => runId === run.id)).toBe(true);
    expect((await drive.events(run.id)).filter((event) => event.includes('Signaled'))).toEqual([]);
  });

  test('is woken once by an event that comes twice', async () => {
    listen({ double: 1 });
    drive.play('bot', thinking(1_500));
    const run = await start('doubled');
    await run.result();
    await expect.poll(outcomes).toHaveLength(4);
    expect(outcomes().toSorted()).toEqual(['repeated', 'repeated', 'woken', 'woken']);
  });

  test('sees by looking what nobody tells', async () => {
    listen({ lose: 1 });
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_000 }, { answer: 'Done.' }] }] });
    const run = await start('untold');
    expect((await run.result()).output_text).toBe('Done.');
    expect(outcomes()).toEqual([]);
  });

  test('looks again at once where it is told in the middle of a look', async () => {
    listen();
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_000 }, { answer: 'Done.' }] }] });
    // The first look sees a model that works, and is told so after that has ended.
    drive.emulator.addFault({ match: { method: 'GET', nth: 1 }, do: { latency_ms: 2_500, after: true } });
    const run = await start('between');
    await run.result();
    expect(outcomes()).toEqual(['woken']);
    expect(await lagMs(run.id)).toBeLessThan(6_000);
  });

  test('is told again where Temporal cannot be asked, and by a signal where it can reset nothing', async () => {
    const failing = new Set(['first']);
    const workflowService = {
      resetActivity: () => {
        const code = failing.delete('first') ? 14 : 12;
        return Promise.reject(Object.assign(new Error('no'), { code, details: '', metadata: {} }));
      },
    };
    const client = Object.create(drive.client, { workflowService: { value: workflowService } }) as Client;
    const other = await serveBy({ client });
    drive.emulator.setWebhooks({ url: `${other.url}/webhooks/pushed`, secret: WEBHOOK_SECRET });
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_500 }, { answer: 'Done.' }] }] });
    const run = await start('signal');
    await run.result();
    expect(outcomes()).toEqual(['failed', 'woken']);
    expect(await lagMs(run.id)).toBeLessThan(5_000);
    expect((await drive.events(run.id)).filter((event) => event.includes('Signaled'))).toHaveLength(1);
    await other.close();
  });

  test('is signalled where the receiver was told to, and begins its wait anew', async () => {
    const other = await serveBy({ wake: 'signal' });
    drive.emulator.setWebhooks({ url: `${other.url}/webhooks/pushed`, secret: WEBHOOK_SECRET });
    drive.play('bot', thinking(2_000));
    const before = looks();
    const run = await start('signalled');
    expect((await run.result()).output_text).toBe('Done.');
    expect(outcomes()).toEqual(['woken', 'woken']);
    expect(looks() - before).toBeLessThanOrEqual(6);
    const events = await drive.events(run.id);
    const count = (what: string): number => events.filter((event) => event.includes(what)).length;
    expect([count('Signaled'), count('activityTaskCancelRequested')]).toEqual([2, 2]);
    await other.close();
  });

  test('takes a signal that names another attempt, or nothing, for nothing', async () => {
    listen();
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 2_000 }, { answer: 'Done.' }] }] });
    const run = await start('odd-signals');
    for (const word of ['resp_other', null, { id: 1 }]) await run.workflow.signal(NAMES.signals.wake, word);
    expect((await run.result()).output_text).toBe('Done.');
    const events = await drive.events(run.id);
    expect(events.filter((event) => event.includes('activityTaskCancelRequested'))).toEqual([]);
  });
});

describe('a webhook is', () => {
  const post = async (
    backend: string,
    event: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<readonly [number, string]> => {
    const body = typeof event === 'string' ? event : JSON.stringify(event);
    const id = `evt_${crypto.randomUUID()}`;
    const seconds = Math.floor(Date.now() / 1_000);
    const answer = await fetch(`${server.url}/webhooks/${backend}`, {
      method: 'POST',
      body,
      headers: headers ?? signDelivery(WEBHOOK_SECRET, { id, seconds, body }),
    });
    await answer.text();
    return [answer.status, received.at(-1)?.outcome ?? ''];
  };
  const ended = (id: string) => ({ id: `evt_${id}`, type: 'response.completed', data: { id } });

  test('refused where it is not signed, signed with another secret, old, or no event', async () => {
    const body = JSON.stringify(ended('resp_1'));
    const seconds = Math.floor(Date.now() / 1_000);
    const other = `whsec_${Buffer.from('another').toString('base64')}`;
    const old = signDelivery(WEBHOOK_SECRET, { id: 'evt_1', seconds: seconds - 3_600, body });
    for (const headers of [{}, signDelivery(other, { id: 'evt_1', seconds, body }), old])
      expect(await post('pushed', body, headers)).toEqual([400, 'refused']);
    for (const event of ['', 'no JSON', '[]', '{"id":"evt_1"}', 'null'])
      expect(await post('pushed', event)).toEqual([400, 'refused']);
    expect(
      (await fetch(`${server.url}/webhooks/pushed`, { method: 'POST', body: 'x'.repeat(300_000) })).status,
    ).toBe(413);
  });

  test('nobody’s at a backend that is none or has no secret', async () => {
    for (const backend of ['nobody', 'responses', 'assistants', '__proto__'])
      expect(await post(backend, ended('resp_1'))).toEqual([404, 'unknown_backend']);
  });

  test('not ours where it tells of something else, or of a response that no run made', async () => {
    expect(await post('pushed', { id: 'evt_b', type: 'batch.completed', data: { id: 'batch_1' } })).toEqual([
      204,
      'not_ours',
    ]);
    expect(await post('pushed', ended('resp_gone'))).toEqual([204, 'not_ours']);
    expect(await post('pushed', { ...ended('resp_x'), data: { id: '../files' } })).toEqual([204, 'not_ours']);
    const made = await fetch(`${drive.emulator.url}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer test-key' },
      body: JSON.stringify({ model: 'nobody', input: 'x' }),
    });
    const { id } = (await made.json()) as { id: string };
    expect(await post('pushed', ended(id))).toEqual([204, 'not_ours']);
  });

  test.each(['reset', 'signal'] as const)(
    'to be delivered again where the namespace is gone, told by a %s',
    async (wake) => {
      drive.emulator.setWebhooks(null);
      drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_500 }, { answer: 'Done.' }] }] });
      const { connection } = drive.client;
      const other = await serveBy({ client: new Client({ connection, namespace: 'nowhere' }), wake });
      drive.emulator.setWebhooks({ url: `${other.url}/webhooks/pushed`, secret: WEBHOOK_SECRET });
      const run = await start(`nowhere-${wake}`);
      await run.result();
      await expect.poll(() => outcomes().length).toBeGreaterThan(0);
      expect(received[0]).toMatchObject({ outcome: 'failed', status: 503, runId: run.id });
      drive.emulator.setWebhooks(null);
      await other.close();
    },
  );

  test('no news to a run that has ended', async () => {
    drive.emulator.setWebhooks(null);
    drive.play('bot', { attempts: [{ steps: [{ answer: 'Done.' }] }] });
    const run = await start('over');
    const { attempts } = await run.result();
    expect(await post('pushed', ended(attempts[0]?.id ?? ''))).toEqual([204, 'not_waiting']);
  });
});
