import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { boundBody, isBodyTooLarge, MAX_BODY_BYTES } from '../../src/backends/bounded-body.ts';
import { openWire } from '../../src/backends/openai-wire.ts';

const streamOf = (chunks: number, bytes: number): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull(controller) {
      if (chunks-- > 0) controller.enqueue(new Uint8Array(bytes));
      else controller.close();
    },
  });

describe('boundBody', () => {
  test('leaves a body within the limit as it is', async () => {
    expect((await boundBody(new Response(streamOf(2, 5)), 10).arrayBuffer()).byteLength).toBe(10);
    expect(await boundBody(new Response(null, { status: 204 }), 10).text()).toBe('');
  });

  test('fails a body over it, and one that says that it is', async () => {
    const error = await boundBody(new Response(streamOf(3, 5)), 10)
      .text()
      .catch((thrown: unknown) => thrown);
    expect(isBodyTooLarge(error)).toBe(true);
    const headers = { 'content-length': '11' };
    expect(() => boundBody(new Response('x', { headers }), 10)).toThrow('too large');
    expect(isBodyTooLarge(new Error('another'))).toBe(false);
  });
});

test.each([
  ['that never ends', {}],
  ['that says it is larger than it may be', { 'content-length': String(MAX_BODY_BYTES + 1) }],
])('a provider with an answer %s is malformed, and is hung up on', async (_what, headers) => {
  const chunk = Buffer.alloc(1024 * 1024, ' ');
  let closed = (): void => undefined;
  const hungUp = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    const send = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', send).on('close', closed);
    send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const wire = openWire('endless', { baseURL, apiKey: 'key' });
    const call = wire.call('get', '/runs', { what: 'reading', signal: new AbortController().signal });
    await expect(call).rejects.toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('too large'),
    });
    await hungUp;
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
