/** The counter before the server: what it counts, and that it passes on whole. */
import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCallCounter, workflowOf } from '../../bench/call-counter.ts';
import type { CallCounter } from '../../bench/call-counter.ts';

function frame(message: Buffer, compressed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const TOKEN = Buffer.from('\n\x24namespace\x12\x0fbench-history-7\x1a\x24another id');

test('the workflow of a call is read from its message, compressed or not', () => {
  expect(workflowOf(frame(TOKEN))).toBe('bench-history-7');
  expect(workflowOf(frame(gzipSync(TOKEN), 1))).toBe('bench-history-7');
  expect(workflowOf(frame(Buffer.from('something else')))).toBeNull();
});

describe('a counter', () => {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  let counter: CallCounter;
  beforeAll(async () => {
    server.on('session', (session) => {
      sessions.add(session);
      session.on('close', () => sessions.delete(session));
    });
    server.on('stream', (stream, headers) => {
      if (headers[':path'] === '/refused') {
        stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
        return;
      }
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    counter = await startCallCounter(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterAll(async () => {
    await counter.stop();
    server.close();
  });

  async function call(
    path: string,
  ): Promise<{ body: Buffer; trailers: IncomingHttpHeaders; head: IncomingHttpHeaders }> {
    const session = connect(`http://${counter.address}`);
    const stream = session.request({ ':method': 'POST', ':path': path });
    let trailers: IncomingHttpHeaders = {};
    stream.on('trailers', (given) => {
      trailers = given;
    });
    const headed = once(stream, 'response');
    stream.end(frame(TOKEN));
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const [head] = (await headed) as [IncomingHttpHeaders];
    session.close();
    return { body: Buffer.concat(chunks), trailers, head };
  }

  const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService';

  test('passes messages and trailers on, and counts by workflow and method', async () => {
    for (let index = 0; index < 3; index += 1) {
      const { body, trailers } = await call(`${SERVICE}/RecordActivityTaskHeartbeat`);
      expect(body).toEqual(frame(TOKEN));
      expect(trailers['grpc-status']).toBe('0');
    }
    await call(`${SERVICE}/PollActivityTaskQueue`);
    expect(counter.count('bench-history-7', 'RecordActivityTaskHeartbeat')).toBe(3);
    expect(counter.count('bench-history-7', '')).toBe(3);
    expect(counter.count('bench-history', 'RecordActivityTaskHeartbeat')).toBe(0);
  });

  test('goes on where the server tells it to connect anew', async () => {
    for (const session of sessions) session.goaway();
    expect((await call('/after')).body).toEqual(frame(TOKEN));
    for (const session of sessions) session.destroy();
    await expect.poll(async () => (await call('/later')).body).toEqual(frame(TOKEN));
  });

  test('passes a refusal on that has no message', async () => {
    const { body, head } = await call('/refused');
    expect(body).toHaveLength(0);
    expect(head['grpc-status']).toBe('5');
  });
});
