/** The receiver of the provider's webhooks, and the harness's own: some are lost, some come twice. */
import type { Client } from '@temporalio/client';
import { responses } from '../src/backends.ts';
import type { Emulator } from '../src/emulator/index.ts';
import { createLogger } from '../src/logger.ts';
import { WebhookReceiver } from '../src/webhooks/receive.ts';
import type { Delivery } from '../src/webhooks/receive.ts';
import { serveWebhooks } from '../src/webhooks/serve.ts';
import type { ServeOptions, WebhookServer } from '../src/webhooks/serve.ts';
import type { Wake } from '../src/webhooks/wake.ts';

/** The backend whose waits expect them. */
export const PUSHED = 'pushed';
export const WEBHOOK_SECRET = `whsec_${Buffer.from('of the fault harness').toString('base64')}`;
/** Of all events, where faults are made. */
const LOST = 0.15;
const DOUBLED = 0.15;

/** Of half of the events, whenever each comes: by the digit that follows `evt_` in its id. */
const isOdd = ({ headers }: Delivery): boolean => (headers.get('webhook-id') ?? '').charCodeAt(4) % 2 === 1;

export async function receiveWebhooks(
  emulator: Emulator,
  client: Client,
  { faults, onLine }: { readonly faults: boolean; readonly onLine: (line: string) => void },
): Promise<WebhookServer> {
  const backend = responses({ baseURL: emulator.url, webhookSecret: WEBHOOK_SECRET })(PUSHED);
  const backends = new Map([[PUSHED, backend]]);
  const by = (wake: Wake): WebhookReceiver => new WebhookReceiver({ client, backends, wake });
  const [resetting, signalling] = [by('reset'), by('signal')];
  const receiver: ServeOptions['receiver'] = {
    receive: (delivery) => (isOdd(delivery) ? signalling : resetting).receive(delivery),
  };
  const logger = createLogger({ level: 'warn', format: 'json', destination: { write: onLine } });
  const server = await serveWebhooks({ receiver, logger, host: '127.0.0.1', port: 0 });
  emulator.setWebhooks({
    url: `${server.url}/webhooks/${PUSHED}`,
    secret: WEBHOOK_SECRET,
    lose: faults ? LOST : 0,
    double: faults ? DOUBLED : 0,
  });
  return server;
}
