/**
 * The Responses wire: a chain of responses is one attempt. In background mode the provider works on by itself
 * and is polled; in the foreground, for servers without it, each step is one long call.
 */
import type { BackendFactory } from '../config.ts';
import type { JsonObject } from '../run.ts';
import { isBackendError } from './backend.ts';
import type { Backend, ProbeReport } from './backend.ts';
import { openWire } from './openai-wire.ts';
import type { ApiKey, WireOptions } from './openai-wire.ts';
import { pollObservations } from './poll.ts';
import { ResponsesCalls } from './responses-calls.ts';
import { cancelChain, releaseConversation } from './responses-cancel.ts';
import { checkRun } from './responses-check.ts';
import { createChain } from './responses-create.ts';
import { lookForLostStep } from './responses-lost.ts';
import { look, readChainOutput, submitOutputs } from './responses-round.ts';
import { readState } from './responses-state.ts';
import { listenTo } from './responses-listen.ts';
import type { Adapter } from './responses-steps.ts';
import { readWebhooks } from './responses-webhooks.ts';

export interface ResponsesOptions extends WireOptions {
  /**
   * `background`: the provider works on by itself. `foreground`: each step is one long call, for servers that
   * have no background mode; aborting it drops the connection. @default 'background'
   */
  readonly mode?: 'background' | 'foreground';
  /**
   * False, in the foreground only: the server keeps nothing, every step sends the whole history, and that
   * history goes through Temporal (up to 1 MB). @default true
   */
  readonly store?: boolean;
  /**
   * Fields of every create-response request, such as `agent_reference` or `service_tier`. What a run says
   * itself wins; `reasoning`, `text` and `metadata` are merged.
   */
  readonly body?: JsonObject;
  /**
   * How long the one call of a foreground step may take, in milliseconds. Node's `fetch` gives up after five
   * minutes without an answer, whatever stands here. @default 290000
   */
  readonly foregroundTimeoutMs?: number;
  /**
   * Waits listen to the provider instead of looking, and watchers of a run are told what the model says while it says
   * it. In the background only. @default false
   */
  readonly stream?: boolean;
  /**
   * The signing secret of the provider's webhook endpoint that reaches `drover webhooks`, or a function that is asked
   * for it. Waits on this backend then look far less often by themselves. In the background only. @default none
   */
  readonly webhookSecret?: ApiKey;
}

const FOREGROUND_TIMEOUT_MS = 290_000;
/** Fields of a request that are the adapter's own. */
const OWN_FIELDS = ['input', 'stream', 'background', 'store', 'previous_response_id', 'conversation'];

function checkOptions(name: string, options: ResponsesOptions): void {
  const mistakes = OWN_FIELDS.filter((field) => options.body?.[field] !== undefined).map(
    (field) => `\`body.${field}\` is set by Drover itself: take it out`,
  );
  if (options.mode !== undefined && options.mode !== 'background' && options.mode !== 'foreground') {
    mistakes.push('`mode` is `background` or `foreground`');
  }
  if (options.stream === true && options.mode === 'foreground') {
    mistakes.push("`stream` needs `mode: 'background'`: only such a response can be listened to again");
  }
  if (options.webhookSecret !== undefined && options.mode === 'foreground') {
    mistakes.push("`webhookSecret` needs `mode: 'background'`: a foreground step is waited for anyway");
  }
  if (typeof options.webhookSecret === 'string' && options.webhookSecret.trim() === '') {
    mistakes.push('`webhookSecret` is empty');
  }
  if (options.store === false && options.mode !== 'foreground') {
    mistakes.push("`store: false` needs `mode: 'foreground'`: what is not stored cannot be polled");
  }
  if (mistakes.length > 0) throw new TypeError(`Backend ${name}: ${mistakes.join('; ')}.`);
}

/**
 * A backend on the Responses wire. Nothing is sent twice by itself. There is no list of responses: a create or
 * submit whose answer was lost can only be judged by a conversation's items; without one it is made again, and
 * the caller has to call the attempt ambiguous.
 *
 * @throws TypeError, of the factory's result, that names every mistake in the options.
 * @example
 * responses({ apiKey: () => secrets.get('openai') })
 * @example
 * responses({ baseURL: 'http://vllm:8000/v1', mode: 'foreground', store: false })
 */
export function responses(options: ResponsesOptions = {}): BackendFactory {
  return (name) => {
    checkOptions(name, options);
    const body = options.body ?? {};
    const store = options.store ?? true;
    const adapter: Adapter = {
      name,
      calls: new ResponsesCalls(name, openWire(name, options)),
      settings: { mode: options.mode ?? 'background', store, body, stream: options.stream ?? false },
      foregroundTimeoutMs: options.foregroundTimeoutMs ?? FOREGROUND_TIMEOUT_MS,
    };
    return {
      name,
      wire: 'responses',
      capabilities: {
        findByKey: false,
        thread: 'optional',
        resume: true,
        ownAssistants: false,
        stored: store,
      },
      check: (run) => checkRun(run, body),
      create: (spec, signal) => createChain(adapter, spec, signal),
      lookActs: (attempt) => readState(attempt).pending !== null,
      observe: (attempt, run, watch) => {
        let current = attempt;
        return pollObservations(async () => {
          const seen = await look(adapter, current, run, watch.signal);
          current = seen.attempt;
          return seen;
        }, watch);
      },
      ...(options.stream === true ? { listen: (attempt, how) => listenTo(adapter.calls, attempt, how) } : {}),
      submit: (attempt, outputs, run, { suspect, signal }) =>
        submitOutputs(adapter, attempt, outputs, run, suspect, signal),
      cancel: (attempt, signal) => cancelChain(adapter, attempt, signal),
      releaseThread: (attempt, signal, only) => releaseConversation(adapter, attempt, signal, only),
      // What a foreground step does ends with its connection.
      ...(adapter.settings.mode === 'background'
        ? { lookForLostStep: (run, lost, signal) => lookForLostStep(adapter, lost, run, signal) }
        : {}),
      ...(options.webhookSecret === undefined
        ? {}
        : { webhooks: readWebhooks(name, options.webhookSecret, adapter.calls) }),
      output: (attempt, signal) => readChainOutput(adapter, attempt, signal),
      probe: (signal) => probe(adapter, signal),
    } satisfies Backend;
  };
}

async function probe(adapter: Adapter, signal: AbortSignal): Promise<ProbeReport> {
  try {
    await adapter.calls.probe(signal);
  } catch (error) {
    if (!isBackendError(error) || error.kind === 'aborted') throw error;
    const refused = error.status === 400 || error.status === 422;
    if (refused || error.kind === 'rate_limit') {
      return { ok: true, message: `The Responses API answers and takes the key (HTTP ${error.status}).` };
    }
    const action =
      error.kind === 'auth'
        ? "Check the backend's key and what it may do."
        : error.kind === 'quota'
          ? 'Add credit or raise the quota.'
          : "Check the backend's `baseURL` and whether the server has the Responses API.";
    return { ok: false, message: error.message, action };
  }
  return { ok: true, message: 'The Responses API answers and takes the key.' };
}
