/** The life of `drover webhooks`: listen, answer, stop. */
import type { Client } from '@temporalio/client';
import type { Backend } from '../backends/backend.ts';
import { readEnvironment } from '../env.ts';
import { createLogger } from '../logger.ts';
import { listenForStop, whenAborted } from '../stop-signals.ts';
import { WebhookReceiver } from './receive.ts';
import { serveWebhooks } from './serve.ts';
import type { Wake } from './wake.ts';

export interface RunWebhooksOptions {
  readonly client: Client;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly host: string;
  readonly port: number;
  readonly wake: Wake;
}

/** Names of the backends whose provider tells of changes. */
export function withWebhooks(backends: ReadonlyMap<string, Backend>): readonly string[] {
  return [...backends.values()].filter(({ webhooks }) => webhooks !== undefined).map(({ name }) => name);
}

/**
 * Receives webhooks until SIGTERM or SIGINT.
 *
 * @throws the listener's error where the port is taken
 */
export async function runWebhooks({ client, backends, host, port, wake }: RunWebhooksOptions): Promise<void> {
  const { logLevel, logFormat } = readEnvironment();
  const logger = createLogger({ level: logLevel, format: logFormat });
  const stop = listenForStop();
  try {
    const receiver = new WebhookReceiver({ client, backends, wake });
    const server = await serveWebhooks({ receiver, logger, host, port });
    for (const name of withWebhooks(backends))
      logger.info({ backend: name, url: `${server.url}/webhooks/${encodeURIComponent(name)}` }, 'listening');
    if (process.connected) process.send?.('ready');
    await whenAborted(stop.signal);
    await Promise.race([server.close(), stop.forced]);
    logger.info({}, 'stopped');
  } finally {
    stop.close();
  }
}
