/**
 * Between workers and Temporal: passes every call on, and counts by workflow what workers tell the server. A
 * heartbeat leaves no event, so that only here it is seen without asking the one who sends it.
 */
import { connect, constants, createServer } from 'node:http2';
import type { ClientHttp2Session, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface CallCounter {
  /** What workers connect to. */
  readonly address: string;
  /** Calls of these methods (each by the beginning of its name) for one workflow. */
  count(workflowId: string, method: string): number;
  stop(): Promise<void>;
}

const COUNTED = /\/((?:RecordActivityTaskHeartbeat|RespondActivityTask|RespondWorkflowTask)\w*)$/;
/** Ids of jobs begin so; a task token holds its workflow's id as it is. */
const WORKFLOW_ID = /bench-[a-z0-9_-]+/;
const HEAD_BYTES = 5;

/** The workflow that a call is about: its id stands as text in the message, which may be compressed. */
export function workflowOf(frame: Buffer): string | null {
  const body = frame.subarray(HEAD_BYTES);
  const message = frame[0] === 1 ? gunzipSync(body) : body;
  return WORKFLOW_ID.exec(message.toString('latin1'))?.[0] ?? null;
}

const withoutStatus = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':') || name === ':status'));

/** @param target `host:port` of the server */
export async function startCallCounter(target: string): Promise<CallCounter> {
  const counts = new Map<string, number>();
  const sessions = new Set<Http2Session>();
  const keep = (session: Http2Session): void => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  };
  let upstream: ClientHttp2Session | null = null;
  /** The server tells its clients to connect anew every few minutes: what is under way is finished on the old one. */
  const session = (): ClientHttp2Session => {
    if (upstream !== null && !upstream.closed && !upstream.destroyed) return upstream;
    const fresh = connect(`http://${target}`);
    keep(fresh);
    fresh.on('goaway', () => {
      if (upstream === fresh) upstream = null;
    });
    upstream = fresh;
    return fresh;
  };
  const note = (method: string, frame: Buffer): void => {
    const key = `${workflowOf(frame) ?? '?'} ${method}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };

  function passOn(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const method = COUNTED.exec(headers[':path'] ?? '')?.[1];
    const call = session().request({ ...headers, ':authority': target });
    const sent: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => {
      if (method !== undefined) sent.push(chunk);
      call.write(chunk);
    });
    stream.on('end', () => {
      if (method !== undefined) note(method, Buffer.concat(sent));
      call.end();
    });
    stream.on('close', () => {
      if (!call.closed) call.close(constants.NGHTTP2_CANCEL);
    });
    stream.on('error', () => undefined);
    call.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    let trailers: IncomingHttpHeaders = {};
    call.on('trailers', (given) => {
      trailers = given;
    });
    call.on('response', (given, flags) => {
      if (stream.destroyed) return;
      const ends = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(withoutStatus(given), ends ? { endStream: true } : { waitForTrailers: true });
      if (!ends) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    });
    call.on('data', (chunk: Buffer) => {
      if (!stream.destroyed) stream.write(chunk);
    });
    // Trailers are announced a tick after the end at times.
    call.on('end', () => setImmediate(() => stream.end()));
  }

  const server = createServer({ settings: { maxConcurrentStreams: 10_000 } });
  server.on('stream', passOn);
  server.on('sessionError', () => undefined);
  server.on('session', keep);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: (workflowId, method) =>
      [...counts]
        .filter(([key]) => key.startsWith(`${workflowId} ${method}`))
        .reduce((sum, [, count]) => sum + count, 0),
    stop: async () => {
      for (const open of sessions) open.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
