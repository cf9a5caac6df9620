/** The requests of the Assistants wire, one method each; answers are checked to be what was asked for. */
import { METADATA_KEYS } from '../contract.ts';
import { isId } from '../run.ts';
import type { ToolOutput } from '../steps.ts';
import type { JsonObject, RunObject } from '../run.ts';
import { observeRun, readPage, runOfThread } from './assistants-read.ts';
import type { ListPage } from './assistants-read.ts';
import { BackendError } from './backend.ts';
import type { Observation } from './backend.ts';
import { segment } from './openai-wire.ts';
import type { Wire, WireAnswer } from './openai-wire.ts';
import { nameBody } from './provider-errors.ts';

/** Where a run lives, and the key that its observations are to bear. */
export interface RunPlace {
  readonly id: string;
  readonly thread_id: string | null;
  readonly key: string;
}

/** The largest page of a list (OpenAPI description). */
const PAGE = 100;
/** No run writes more messages than these pages hold. */
const MESSAGE_PAGES = 20;

type Query = Readonly<Record<string, string | number>>;

export class AssistantsCalls {
  readonly #name: string;
  readonly #wire: Wire;

  constructor(name: string, wire: Wire) {
    this.#name = name;
    this.#wire = wire;
  }

  async createThread(runId: string, body: JsonObject, signal: AbortSignal): Promise<string> {
    const what = `creating a thread for run ${runId}`;
    const answer = await this.#wire.call('post', '/threads', { what, signal, body });
    const held = answer.body;
    const id: unknown = typeof held === 'object' && held !== null && 'id' in held ? held.id : null;
    if (!isId(id)) throw this.#wire.malformed(what, nameBody(held), answer.requestId);
    return id;
  }

  async createRun(
    threadId: string,
    key: string,
    body: JsonObject,
    signal: AbortSignal,
  ): Promise<Observation> {
    const what = `creating attempt ${key} on thread ${threadId}`;
    const answer = await this.#wire.call('post', this.#runs(threadId), { what, signal, body });
    const observation = this.#observe(answer, what, threadId, key, null);
    const held = observation.run.metadata?.[METADATA_KEYS.key] ?? key;
    if (held !== key) throw this.#wire.malformed(what, 'it holds a run with another key', answer.requestId);
    return observation;
  }

  async retrieve(place: RunPlace, signal: AbortSignal): Promise<Observation> {
    return await this.#runCall('get', place, '', `reading run ${place.id}`, signal);
  }

  async cancel(place: RunPlace, signal: AbortSignal): Promise<Observation> {
    return await this.#runCall('post', place, '/cancel', `cancelling run ${place.id}`, signal);
  }

  /** Outputs of tools, and the word on calls of MCP servers beside them, each under its own name. */
  async submit(place: RunPlace, outputs: readonly ToolOutput[], signal: AbortSignal): Promise<Observation> {
    const what = `submitting ${outputs.length} outputs to run ${place.id}`;
    return await this.#runCall('post', place, '/submit_tool_outputs', what, signal, {
      ...submitBody(outputs),
    });
  }

  /** One page of a thread's runs, newest first. */
  async listRuns(threadId: string, after: string | null, signal: AbortSignal): Promise<ListPage> {
    const query = { limit: PAGE, order: 'desc', ...(after === null ? {} : { after }) };
    return await this.#list(this.#runs(threadId), `listing the runs of thread ${threadId}`, query, signal);
  }

  /** All messages that a run wrote, each once. */
  async listMessages(place: RunPlace, signal: AbortSignal): Promise<ListPage['data']> {
    const path = `/threads/${segment(this.#threadOf(place), 'unknown_thread', this.#name)}/messages`;
    const what = `listing the messages of run ${place.id}`;
    const messages = new Map<string, ListPage['data'][number]>();
    let after: string | null = null;
    for (let page = 0; page < MESSAGE_PAGES; page += 1) {
      const query: Query = {
        run_id: place.id,
        order: 'asc',
        limit: PAGE,
        ...(after === null ? {} : { after }),
      };
      const list = await this.#list(path, what, query, signal);
      const before = messages.size;
      list.data.forEach((message, index) => {
        const { id } = message;
        messages.set(typeof id === 'string' ? id : `${page}/${index}`, message);
      });
      // Nothing new: the server does not page.
      if (!list.hasMore || list.lastId === null || messages.size === before) break;
      after = list.lastId;
    }
    return [...messages.values()];
  }

  async listAssistants(signal: AbortSignal): Promise<void> {
    await this.#list('/assistants', 'listing assistants', { limit: 1 }, signal);
  }

  async #runCall(
    method: 'get' | 'post',
    place: RunPlace,
    verb: string,
    what: string,
    signal: AbortSignal,
    body?: JsonObject,
  ): Promise<Observation> {
    const threadId = this.#threadOf(place);
    const path = `${this.#runs(threadId)}/${segment(place.id, 'not_found', this.#name)}${verb}`;
    const answer = await this.#wire.call(method, path, { what, signal, ...(body ? { body } : {}) });
    return this.#observe(answer, what, threadId, place.key, place.id);
  }

  /** A run out of an answer; another run's, or another thread's, is none. */
  #observe(answer: WireAnswer, what: string, threadId: string, key: string, id: string | null): Observation {
    const run: RunObject | null = runOfThread(answer.body, threadId);
    if (run === null) throw this.#wire.malformed(what, nameBody(answer.body), answer.requestId);
    if (id !== null && run.id !== id) {
      throw this.#wire.malformed(what, 'it holds another run than the one asked for', answer.requestId);
    }
    return observeRun(run, { threadId, key }, answer.pollAfterMs);
  }

  async #list(path: string, what: string, query: Query, signal: AbortSignal): Promise<ListPage> {
    const { body, requestId } = await this.#wire.call('get', path, { what, signal, query });
    const page = readPage(body);
    if (page === null) throw this.#wire.malformed(what, nameBody(body), requestId);
    return page;
  }

  #threadOf(place: RunPlace): string {
    if (place.thread_id !== null) return place.thread_id;
    throw new BackendError('rejected', `Backend ${this.#name}: run ${place.id} names no thread.`);
  }

  #runs(threadId: string): string {
    return `/threads/${segment(threadId, 'unknown_thread', this.#name)}/runs`;
  }
}

function submitBody(outputs: readonly ToolOutput[]): JsonObject {
  const tools = outputs.filter(({ approval }) => approval === undefined);
  const approvals = outputs.flatMap(({ tool_call_id, approval }) =>
    approval === undefined ? [] : [{ tool_call_id, approve: approval.approve }],
  );
  return {
    ...(tools.length > 0 || approvals.length === 0
      ? { tool_outputs: tools.map(({ tool_call_id, output }) => ({ tool_call_id, output })) }
      : {}),
    ...(approvals.length > 0 ? { tool_approvals: approvals } : {}),
  };
}
