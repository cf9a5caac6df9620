/** The HTTP server of `drover webhooks`. */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Received, WebhookReceiver } from './receive.ts';

export interface ServeOptions {
  readonly receiver: Pick<WebhookReceiver, 'receive'>;
  readonly logger: Logger;
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
}

export interface WebhookServer {
  /** `http://HOST:PORT`; the backend's name follows as `/webhooks/NAME`. */
  readonly url: string;
  /** Answers what has come, and takes no more. */
  close(): Promise<void>;
}

/** Events are some hundred bytes. */
const BODY_LIMIT = 256 * 1024;
/** What a caller may take to send one. */
const REQUEST_MS = 30_000;

const LEVELS = {
  woken: 'info',
  not_waiting: 'info',
  repeated: 'info',
  not_ours: 'debug',
  refused: 'warn',
  unknown_backend: 'warn',
  failed: 'error',
} as const satisfies Record<Received['outcome'], string>;

function log(logger: Logger, backend: string, received: Received): void {
  const { status: _status, error, ...facts } = received;
  const level = LEVELS[received.outcome];
  logger[level]({ backend, ...facts, ...(error === null ? {} : { err: error }) }, 'webhook received');
}

function addRoutes(app: FastifyInstance, { receiver, logger }: ServeOptions): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.get('/healthz', () => ({ ok: true }));
  app.post<{ Params: { backend: string } }>('/webhooks/:backend', async (request, reply) => {
    const { backend } = request.params;
    const headers = new Headers();
    for (const [name, value] of Object.entries(request.headers)) {
      if (name.startsWith('webhook-') && typeof value === 'string') headers.set(name, value);
    }
    const body = typeof request.body === 'string' ? request.body : '';
    const received = await receiver.receive({ backend, body, headers });
    log(logger, backend, received);
    const { status, outcome } = received;
    return await reply.code(status).send(status === 204 ? undefined : { outcome });
  });
}

/** @throws the listener's error where the port is taken */
export async function serveWebhooks(options: ServeOptions): Promise<WebhookServer> {
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    return503OnClosing: true,
    requestTimeout: REQUEST_MS,
  });
  addRoutes(app, options);
  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const { host } = options;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    close: () => app.close(),
  };
}
