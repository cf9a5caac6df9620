/** Streams of odd providers: none that ends as if all were well, none that is waited for without an end. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openWire } from '../../src/backends/openai-wire.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function wireTo(answer: (response: ServerResponse) => void, timeoutMs = 60_000) {
  const server = createServer((_request, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return openWire('odd', { baseURL: `http://127.0.0.1:${port}/v1`, timeoutMs });
}

const streaming =
  (...lines: readonly string[]) =>
  (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(lines.map((line) => `data: ${line}\n\n`).join(''));
  };

async function read(wire: Awaited<ReturnType<typeof wireTo>>, signal = new AbortController().signal) {
  const events: unknown[] = [];
  for await (const event of wire.events('post', '/responses', { what: 'listening', signal, body: {} }))
    events.push(event);
  return events;
}

test('one that is stopped in the middle says so', async () => {
  const stop = new AbortController();
  const wire = await wireTo(streaming('{"type":"response.created","sequence_number":0}'));
  setTimeout(() => stop.abort(), 100);
  await expect(read(wire, stop.signal)).rejects.toMatchObject({ kind: 'aborted' });
});

test('one that begins and never says anything is late', async () => {
  const wire = await wireTo(streaming(), 200);
  await expect(read(wire)).rejects.toMatchObject({ kind: 'timeout' });
});

test.each([
  ['{"error":{"code":"rate_limit_exceeded","message":"Slow down."}}', 'rate_limit', false],
  ['{"error":{"code":"insufficient_quota","message":"You exceeded your current quota."}}', 'quota', false],
  ['{"error":{"code":"invalid_prompt","message":"No."}}', 'rejected', false],
  ['{"error":{"code":"server_error","message":"Sorry."}}', 'server', true],
])('an error in it, %s, is read like any other', async (event, kind, answerLost) => {
  const wire = await wireTo(streaming(event));
  await expect(read(wire)).rejects.toMatchObject({ kind, answerLost });
});

test('an event that is no JSON is an error, and nothing of it is printed: it may be what the model says', async () => {
  const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation(() => undefined),
  );
  const wire = await wireTo(streaming('{"type":"response.output_text.delta","delta":"a sec'));
  await expect(read(wire)).rejects.toMatchObject({ kind: 'malformed' });
  expect(printed.flatMap(({ mock }) => mock.calls)).toEqual([]);
  vi.restoreAllMocks();
});

test('one that is none is one event', async () => {
  const wire = await wireTo((response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"resp_1"}');
  });
  expect(await read(wire)).toEqual([{ id: 'resp_1' }]);
});
