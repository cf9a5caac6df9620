/** A plain HTTP server that gives canned answers: for shapes that no well-behaved server sends. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Canned {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it stands where it is text, else as JSON. */
  readonly body?: unknown;
  /** The connection is cut: before a word, or after the first half of the body. */
  readonly cut?: 'before' | 'within';
  /** No answer at all. */
  readonly hang?: true;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface CannedServer {
  readonly url: string;
  readonly seen: Seen[];
  /** Answers in order; the last one repeats. A function decides for each request. */
  answer(...next: readonly Canned[]): void;
  answerWith(decide: (request: Seen) => Canned): void;
  close(): Promise<void>;
}

export async function startCannedServer(): Promise<CannedServer> {
  const seen: Seen[] = [];
  let decide: (request: Seen) => Canned = () => ({ status: 500 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one: Seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      seen.push(one);
      send(response, decide(one));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer(...next) {
      let at = 0;
      decide = () => next[Math.min(at++, next.length - 1)] ?? {};
    },
    answerWith(given) {
      decide = given;
    },
    close: () => stop(server),
  };
}

function send(response: ServerResponse, canned: Canned): void {
  if (canned.hang) return;
  if (canned.cut === 'before') {
    response.destroy();
    return;
  }
  const isText = typeof canned.body === 'string';
  const body = Buffer.from(typeof canned.body === 'string' ? canned.body : JSON.stringify(canned.body ?? {}));
  response.writeHead(canned.status ?? 200, {
    'content-type': isText ? 'text/plain' : 'application/json',
    'content-length': String(body.length),
    ...canned.headers,
  });
  if (canned.cut === 'within') response.write(body.subarray(0, body.length / 2), () => response.destroy());
  else response.end(body);
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
