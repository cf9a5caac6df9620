/** Ways in which a run hears of its attempt's end: each with a provider and a worker of its own, and what else it needs. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { responses } from '../src/backends.ts';
import { createLogger } from '../src/logger.ts';
import { WebhookReceiver } from '../src/webhooks/receive.ts';
import { serveWebhooks } from '../src/webhooks/serve.ts';
import type { WebhookServer } from '../src/webhooks/serve.ts';
import type { Wake } from '../src/webhooks/wake.ts';
import { startDrover } from './drivers/drover.ts';
import type { WorkflowDriver } from './drivers/workflow-driver.ts';
import { startProvider } from './provider/provider.ts';
import type { Provider } from './provider/provider.ts';
import { PUSHED, PUSHED_URL, WEBHOOK_SECRET } from './pushed.ts';
import { startPromptServer } from './stage.ts';
import type { Stage } from './stage.ts';

/** By looking only; or by a webhook that resets the wait, on a server as it comes and on a prompt one, or signals. */
export const TOLD = ['looks', 'reset', 'reset, prompt server', 'signal'] as const;
export type Told = (typeof TOLD)[number];

export interface Telling {
  readonly told: Told;
  readonly provider: Provider;
  readonly driver: WorkflowDriver;
  /** The receiver answers what has come: its own looks are in the journal then. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

async function receive(stage: Stage, provider: Provider, wake: Wake): Promise<WebhookServer> {
  const backend = responses({ baseURL: provider.url, webhookSecret: WEBHOOK_SECRET })(PUSHED);
  const receiver = new WebhookReceiver({
    client: stage.client,
    backends: new Map([[PUSHED, backend]]),
    wake,
  });
  const write = (line: string): void => appendFileSync(join(stage.folder, 'webhooks.log'), line);
  const logger = createLogger({ level: 'warn', format: 'json', destination: { write } });
  const server = await serveWebhooks({ receiver, logger, host: '127.0.0.1', port: 0 });
  await provider.setWebhooks({ url: `${server.url}/webhooks/${PUSHED}`, secret: WEBHOOK_SECRET });
  return server;
}

export async function startTelling(around: Stage, told: Told): Promise<Telling> {
  await using undo = new AsyncDisposableStack();
  const prompt = told === 'reset, prompt server' ? await startPromptServer(around) : null;
  undo.defer(async () => await prompt?.stop());
  const stage = prompt ?? around;
  const name = told.replaceAll(/\W+/g, '-');
  const provider = await startProvider(join(stage.folder, `provider-${name}.jsonl`));
  undo.defer(() => provider.stop());
  const driver = await startDrover(stage, {
    env: { DROVER_EMULATOR_URL: provider.url, [PUSHED_URL]: provider.url },
  });
  undo.defer(() => driver.stop());
  const server =
    told === 'looks' ? null : await receive(stage, provider, told === 'signal' ? 'signal' : 'reset');
  const settle = async (): Promise<void> => await server?.close();
  undo.defer(settle);
  const kept = undo.move();
  return { told, provider, driver, settle, stop: () => kept.disposeAsync() };
}
