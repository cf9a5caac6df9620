/** Webhooks of the emulator: signed as the official client checks it, repeated until taken, lost and doubled on demand. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpenAI } from 'openai';
import { afterEach, expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, WebhookEntry } from '../../src/emulator/index.ts';
import { checkTarget, WebhookTargetError } from '../../src/emulator/webhooks.ts';

const secret = `whsec_${Buffer.from('of this test').toString('base64')}`;
const client = new OpenAI({ apiKey: 'none', webhookSecret: secret });

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function listen(statuses: readonly number[]) {
  const seen: { readonly type: string; readonly id: string }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = new Headers(request.headers as Record<string, string>);
      const body = Buffer.concat(chunks).toString();
      void (async () => {
        const { type, id } = await client.webhooks.unwrap(body, headers);
        response.writeHead(statuses[seen.length] ?? 204).end();
        seen.push({ type, id });
      })();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function emulate(target: Parameters<typeof checkTarget>[0]): Promise<Emulator> {
  const emulator = await startEmulator({ webhooks: checkTarget(target) });
  open.push(() => emulator.close());
  return emulator;
}

const create = async (emulator: Emulator, background: boolean): Promise<void> => {
  const openai = new OpenAI({ apiKey: 'none', baseURL: emulator.url });
  await openai.responses.create({ model: 'any', input: 'x', background });
};

const sent = (emulator: Emulator): readonly WebhookEntry[] =>
  emulator.journal().flatMap((entry) => (entry.kind === 'webhook' ? [entry] : []));

test('an end in the background is told until it is taken, with one id', async () => {
  const { seen, url } = await listen([500, 302]);
  const emulator = await emulate({ url, secret });
  await create(emulator, true);
  await create(emulator, false);
  await expect
    .poll(() => sent(emulator).map(({ nth, status }) => [nth, status]))
    .toEqual([
      [1, 500],
      [2, 302],
      [3, 204],
    ]);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1);
  expect(seen.map(({ type }) => type)).toEqual(Array.from({ length: 3 }, () => 'response.completed'));
});

test('all are lost, or doubled, where that is asked for', async () => {
  const { seen, url } = await listen([]);
  const losing = await emulate({ url, secret, lose: 1 });
  await create(losing, true);
  await expect.poll(() => sent(losing).map(({ nth, status }) => [nth, status])).toEqual([[0, null]]);
  const doubling = await emulate({ url, secret, double: 1 });
  await create(doubling, true);
  await expect.poll(() => sent(doubling)).toHaveLength(2);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(1);
  expect(seen).toHaveLength(2);
});

test('all mistakes of a target are told at once', () => {
  const mistaken = (): unknown => checkTarget({ url: 'nowhere', secret: 'plain', lose: 2 });
  expect(mistaken).toThrow(WebhookTargetError);
  expect(mistaken).toThrow(/`url`.*`secret`.*`lose`/);
});
