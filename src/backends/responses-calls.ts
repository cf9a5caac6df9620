/** The requests of this wire, one verb each; every answer is checked before it is believed. */
import type { JsonObject } from '../run.ts';
import { BackendError, isBackendError } from './backend.ts';
import { segment } from './openai-wire.ts';
import type { Wire, WireAnswer } from './openai-wire.ts';
import { nameBody } from './provider-errors.ts';
import { idOf, isObject, objectsOf, readResponse } from './responses-wire.ts';
import type { WireResponse } from './responses-wire.ts';

/** A response that was answered, and the provider's wish for the next look. */
export interface Answered {
  readonly response: WireResponse;
  readonly lookAfterMs: number | null;
}

/** A page of a conversation's items. */
export interface ItemPage {
  readonly items: readonly JsonObject[];
  readonly more: boolean;
}

/** What the conversation is marked with before a run's first step, so that a lost answer can be judged. */
export interface ConversationMark {
  readonly key: string;
  readonly anchor: string;
}

const MARK_KEYS = { key: 'drover_key', anchor: 'drover_anchor' } as const;
const PAGE_LIMIT = 100;
/** The wire's own limit for items added to a conversation in one request. */
const ITEMS_A_REQUEST = 20;

/** Throws {@link BackendError} and nothing else. */
export class ResponsesCalls {
  readonly #name: string;
  readonly #wire: Wire;

  constructor(name: string, wire: Wire) {
    this.#name = name;
    this.#wire = wire;
  }

  /**
   * POSTs one step.
   *
   * @throws BackendError `not_found` where the response it goes on from is gone; other 404s are `rejected`.
   */
  async create(
    body: Readonly<Record<string, unknown>>,
    what: string,
    signal: AbortSignal,
    timeoutMs?: number,
  ): Promise<Answered> {
    let answer: WireAnswer;
    try {
      const request = { what, signal, body, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
      answer =
        body['stream'] === true
          ? await this.#firstOf(this.#wire.events('post', '/responses', request), what)
          : await this.#wire.call('post', '/responses', request);
    } catch (error) {
      if (!isBackendError(error) || error.kind !== 'not_found') throw error;
      if (body['previous_response_id'] !== undefined) throw error;
      throw restate(error, 'rejected');
    }
    return this.#read(answer, what, null);
  }

  /** Creates by a stream, and takes the response off its first event that has one. */
  async #firstOf(events: AsyncIterable<unknown>, what: string): Promise<WireAnswer> {
    for await (const event of events) {
      const body = isObject(event) && isObject(event['response']) ? event['response'] : event;
      if (readResponse(body) !== null) return { body, pollAfterMs: null, requestId: null };
    }
    throw this.#wire.malformed(what, 'the stream ended before it told of a response', null);
  }

  /** The events of a response that was created with `stream`, behind one of them. */
  listen(
    id: string,
    options: { readonly cursor: number | null; readonly signal: AbortSignal },
  ): AsyncGenerator<unknown, void, undefined> {
    const { cursor, signal } = options;
    const path = `/responses/${segment(id, 'not_found', this.#name)}`;
    const query = { stream: true, ...(cursor === null ? {} : { starting_after: cursor }) };
    return this.#wire.events('get', path, { what: `listening to response ${id}`, signal, query });
  }

  /** @throws BackendError `malformed` where the answer is about another response. */
  async retrieve(id: string, signal: AbortSignal): Promise<Answered> {
    const what = `reading response ${id}`;
    const answer = await this.#wire.call('get', `/responses/${segment(id, 'not_found', this.#name)}`, {
      what,
      signal,
    });
    return this.#read(answer, what, id);
  }

  /** Asks for a cancel; what it answers is what became of it so far. */
  async cancel(id: string, signal: AbortSignal): Promise<Answered> {
    const what = `cancelling response ${id}`;
    const path = `/responses/${segment(id, 'not_found', this.#name)}/cancel`;
    return this.#read(await this.#wire.call('post', path, { what, signal }), what, id);
  }

  /** A page of a conversation's items, newest first. */
  async listItems(conversation: string, after: string | null, signal: AbortSignal): Promise<ItemPage> {
    const what = `reading the items of conversation ${conversation}`;
    const { body, requestId } = await this.#conversation(conversation, '/items', 'get', {
      what,
      signal,
      query: { limit: PAGE_LIMIT, order: 'desc', ...(after === null ? {} : { after }) },
    });
    const list: unknown = Array.isArray(body) ? body : isObject(body) ? body['data'] : null;
    if (!Array.isArray(list)) throw this.#wire.malformed(what, nameBody(body), requestId);
    return { items: objectsOf(list), more: isObject(body) && body['has_more'] === true };
  }

  /** Adds items, as many requests as the wire's limit needs. */
  async addItems(conversation: string, items: readonly JsonObject[], signal: AbortSignal): Promise<void> {
    const what = `adding items to conversation ${conversation}`;
    for (let at = 0; at < items.length; at += ITEMS_A_REQUEST) {
      const body = { items: items.slice(at, at + ITEMS_A_REQUEST) };
      await this.#conversation(conversation, '/items', 'post', { what, signal, body });
    }
  }

  /** The mark that the last run left; null where there is none. */
  async readMark(conversation: string, signal: AbortSignal): Promise<ConversationMark | null> {
    const metadata = await this.#readMetadata(conversation, signal);
    const [key, anchor] = [metadata[MARK_KEYS.key], metadata[MARK_KEYS.anchor]];
    return typeof key === 'string' && typeof anchor === 'string' ? { key, anchor } : null;
  }

  /** Marks the conversation, keeping what its metadata holds. */
  async writeMark(conversation: string, mark: ConversationMark, signal: AbortSignal): Promise<void> {
    const metadata = {
      ...(await this.#readMetadata(conversation, signal)),
      [MARK_KEYS.key]: mark.key,
      [MARK_KEYS.anchor]: mark.anchor,
    };
    const what = `marking conversation ${conversation}`;
    await this.#conversation(conversation, '', 'post', { what, signal, body: { metadata } });
  }

  /** Asks for a response with nothing in it, which no server makes: what it says tells whether it is there. */
  async probe(signal: AbortSignal): Promise<void> {
    await this.#wire.call('post', '/responses', { what: 'asking for an empty response', signal, body: {} });
  }

  async #readMetadata(conversation: string, signal: AbortSignal): Promise<JsonObject> {
    const what = `reading conversation ${conversation}`;
    const { body } = await this.#conversation(conversation, '', 'get', { what, signal });
    return isObject(body) && isObject(body['metadata']) ? body['metadata'] : {};
  }

  async #conversation(
    id: string,
    path: string,
    method: 'get' | 'post',
    request: Parameters<Wire['call']>[2],
  ): Promise<WireAnswer> {
    try {
      const at = `/conversations/${segment(id, 'unknown_thread', this.#name)}${path}`;
      return await this.#wire.call(method, at, request);
    } catch (error) {
      throw isBackendError(error) && error.kind === 'not_found' ? restate(error, 'unknown_thread') : error;
    }
  }

  #read(answer: WireAnswer, what: string, id: string | null): Answered {
    const response = readResponse(answer.body);
    if (response === null) throw this.#wire.malformed(what, nameBody(answer.body), answer.requestId);
    if (id !== null && response.id !== id) {
      throw this.#wire.malformed(what, 'it is about another response', answer.requestId);
    }
    return { response, lookAfterMs: answer.pollAfterMs };
  }
}

function restate(error: BackendError, kind: 'rejected' | 'unknown_thread'): BackendError {
  const { status, code, requestId, retryAfterMs } = error;
  return new BackendError(kind, error.message, { status, code, requestId, retryAfterMs });
}

/** The id of an item, '' where a server gives it none that could be one. */
export const itemId = (item: JsonObject | undefined): string => idOf(item?.['id']) ?? '';
