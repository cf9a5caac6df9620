/** Webhooks of this wire: the official client checks who signed them, the response's metadata says whose it is. */
import { InvalidWebhookSignatureError, OpenAI } from 'openai';
import { METADATA_KEYS } from '../contract.ts';
import { BackendError } from './backend.ts';
import type { WebhookEvent, Webhooks } from './backend.ts';
import { BARE_CLIENT, fetchSecret } from './openai-wire.ts';
import type { ApiKey } from './openai-wire.ts';
import { ERROR_CODES } from './provider-errors.ts';
import type { ResponsesCalls } from './responses-calls.ts';
import { idOf, isObject, textOf } from './responses-wire.ts';

/** Older events are refused, as replays. In seconds; the official client's own default. */
const TOLERANCE_SECONDS = 300;

const refused = (name: string, why: string): BackendError =>
  new BackendError('rejected', `Backend ${name}: a webhook was refused: ${why}.`, {
    code: ERROR_CODES.webhookRefused,
  });

function readEvent(name: string, body: unknown): WebhookEvent {
  const id = isObject(body) ? textOf(body['id']) : null;
  const type = isObject(body) ? textOf(body['type']) : null;
  if (id === null || type === null) throw refused(name, 'it has no id or no type');
  const data = isObject(body) && isObject(body['data']) ? body['data'] : {};
  return { id, type, attempt_id: type.startsWith('response.') ? idOf(data['id']) : null };
}

/** What a function may take to give the secret. */
const SECRET_MS = 15_000;

export function readWebhooks(name: string, secret: ApiKey, calls: ResponsesCalls): Webhooks {
  const client = new OpenAI({ apiKey: 'none', ...BARE_CLIENT });
  return {
    async read(body, headers) {
      const held = await fetchSecret(secret, SECRET_MS);
      try {
        await client.webhooks.verifySignature(body, headers, held, TOLERANCE_SECONDS);
      } catch (error) {
        if (error instanceof InvalidWebhookSignatureError) throw refused(name, 'its signature does not fit');
        throw refused(name, 'its signature cannot be checked');
      }
      let event: unknown;
      try {
        event = JSON.parse(body);
      } catch {
        throw refused(name, 'it is no JSON');
      }
      return readEvent(name, event);
    },
    async runOf(attemptId, signal) {
      const { response } = await calls.retrieve(attemptId, signal);
      const metadata = response.raw['metadata'];
      return isObject(metadata) ? textOf(metadata[METADATA_KEYS.run]) : null;
    },
  };
}
