/** A server that answers every gRPC call with one status. */
import { createServer } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface GrpcStatusServer {
  readonly address: string;
  /** The headers of every call, the oldest first. */
  readonly seen: IncomingHttpHeaders[];
  /** What calls are answered with from here on. */
  answer(status: string, message?: string): void;
  close(): void;
}

export async function startGrpcStatusServer(): Promise<GrpcStatusServer> {
  const seen: IncomingHttpHeaders[] = [];
  let said: Readonly<Record<string, string>> = {};
  const server = createServer();
  server.on('stream', (stream, headers) => {
    seen.push(headers);
    stream.respond({ 'content-type': 'application/grpc', ...said }, { endStream: true });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer: (status, message) => {
      said = { 'grpc-status': status, ...(message === undefined ? {} : { 'grpc-message': message }) };
    },
    close: () => void server.close(),
  };
}
