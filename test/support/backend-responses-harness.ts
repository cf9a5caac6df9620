/** The harness of the Responses wire: the emulator, the adapter on it, and what the journal says. */
import { responses } from '../../src/backends/responses.ts';
import type { ResponsesOptions } from '../../src/backends/responses.ts';
import { METADATA_KEYS } from '../../src/contract.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, RequestEntry, StatusEntry } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import type { ToolOutput } from '../../src/steps.ts';
import { metadataOf, MODEL } from './backend-harness.ts';
import type { Harness, Setup, WireView } from './backend-harness.ts';

export const KEY = 'sk-conformance-key';

type Body = Readonly<Record<string, unknown>>;
interface Item {
  readonly type?: string;
  readonly role?: string;
  readonly call_id?: string;
  readonly output?: string;
  readonly content?: readonly { readonly text?: string }[];
}

const inputOf = (body: unknown): readonly Item[] =>
  (body as { readonly input?: readonly Item[] } | null)?.input ?? [];

function statuses(emulator: Emulator): readonly StatusEntry[] {
  return emulator.journal().filter((entry) => entry.kind === 'status');
}

/** Requests for a response that the provider acted on, or all of them. */
export function creates(emulator: Emulator, acted = true): readonly RequestEntry[] {
  const journal = emulator.journal();
  const taken = new Set(
    journal.flatMap((entry) => (entry.kind === 'answer' && entry.acted ? [entry.request] : [])),
  );
  return journal
    .filter((entry) => entry.kind === 'request')
    .filter((entry) => entry.method === 'POST' && entry.path.endsWith('/responses'))
    .filter((entry) => !acted || taken.has(entry.seq));
}

async function ask<T>(emulator: Emulator, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${emulator.url}${path}`, {
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return (await response.json()) as T;
}

/** Everything that stands in a conversation, oldest first. */
export async function itemsOf(emulator: Emulator, conversation: string): Promise<readonly Item[]> {
  const path = `/conversations/${conversation}/items?limit=100&order=asc`;
  return (await ask<{ data: readonly Item[] }>(emulator, path)).data;
}

export async function makeConversation(emulator: Emulator, items: readonly unknown[] = []): Promise<string> {
  return (await ask<{ id: string }>(emulator, '/conversations', { items })).id;
}

const saysText = (item: Item, text: string): boolean =>
  item.role === 'user' && (item.content ?? []).some((part) => part.text === text);

/** The body of a create under the names of the run object's wire. */
function renamed(body: Body): Body {
  const tools = body['tools'] as readonly Body[] | undefined;
  const choice = body['tool_choice'] as Body | undefined;
  const format = (body['text'] as { format?: Body } | undefined)?.format;
  const messages = inputOf(body).map((item) => ({ role: item.role, content: item.content?.[0]?.text }));
  return {
    ...body,
    tools: tools?.map(({ type, ...rest }) => ({ type, function: rest })),
    tool_choice:
      choice === undefined ? undefined : { type: choice['type'], function: { name: choice['name'] } },
    response_format:
      format === undefined
        ? undefined
        : {
            type: format['type'],
            json_schema: { name: format['name'], schema: format['schema'], strict: format['strict'] },
          },
    reasoning_effort: (body['reasoning'] as Body | undefined)?.['effort'],
    max_completion_tokens: body['max_output_tokens'],
    truncation_strategy: body['truncation'],
    messages,
  };
}

function viewOf(emulator: Emulator): WireView {
  const taken = (key: string): readonly RequestEntry[] =>
    creates(emulator).filter(
      (entry) => (entry.body as { metadata?: Body } | null)?.metadata?.[METADATA_KEYS.key] === key,
    );
  return {
    attempts: (key) =>
      statuses(emulator).flatMap((entry) =>
        entry.from === null && entry.metadata[METADATA_KEYS.key] === key ? [entry.id] : [],
      ),
    live() {
      const last = new Map(statuses(emulator).map((entry) => [entry.id, entry.to]));
      return [...last].flatMap(([id, status]) => (isTerminal(status) ? [] : [id]));
    },
    submits: () =>
      creates(emulator).flatMap((entry) => {
        const outputs = inputOf(entry.body).filter((item) => item.type === 'function_call_output');
        const read = (item: Item): ToolOutput => ({
          tool_call_id: item.call_id ?? '',
          output: item.output ?? '',
        });
        return outputs.length > 0 ? [outputs.map(read)] : [];
      }),
    async countInput(attempt, text) {
      if (attempt.thread_id !== null) {
        const items = await itemsOf(emulator, attempt.thread_id);
        return items.filter((item) => saysText(item, text)).length;
      }
      const inputs = await Promise.all(
        attempt.provider_ids.map((id) =>
          ask<{ data: readonly Item[] }>(emulator, `/responses/${id}/input_items?limit=100`),
        ),
      );
      return inputs.flatMap(({ data }) => data).filter((item) => saysText(item, text)).length;
    },
    sent(key) {
      const [found] = taken(key);
      if (found === undefined) throw new Error(`No create with the key ${key} is in the journal.`);
      return renamed(found.body as Body);
    },
  };
}

/** Starts an emulator, and the adapter on it. With `conversation` every run gets a conversation of its own. */
export async function startResponses(
  setup: Setup = {},
  options: Partial<ResponsesOptions> & { readonly conversation?: boolean } = {},
): Promise<Harness> {
  const { conversation = false, ...rest } = options;
  const { queuedMs = 5, quirks = [] } = setup;
  const emulator = await startEmulator({ queuedMs, quirks, apiKey: KEY });
  const backend = responses({ baseURL: emulator.url, apiKey: KEY, ...rest })('openai');
  const bare = quirks.includes('bare_ids');
  const unknown = (prefix: string): string => (bare ? '0'.repeat(32) : `${prefix}_${'0'.repeat(24)}`);
  return {
    backend: conversation ? { ...backend, createThread: () => makeConversation(emulator) } : backend,
    emulator,
    requests: {
      create: { method: 'POST', path: '/responses$/' },
      submit: { method: 'POST', path: '/responses$/' },
      read: { method: 'GET', path: '/responses/[^/]+$/' },
      cancel: { method: 'POST', path: '/cancel$/' },
    },
    view: viewOf(emulator),
    exceptions: {
      additional_instructions: { missing: 'sent', reason: 'they are appended to the instructions' },
      max_prompt_tokens: { missing: 'sent', reason: 'the adapter counts them itself, between steps' },
      truncation_strategy: {
        missing: 'both',
        reason: 'check() refuses last_messages: this wire cannot carry it',
      },
    },
    resolve: (given) => ({
      run_id: 'run-1',
      assistant_id: 'support',
      model: MODEL,
      messages: [{ role: 'user', content: 'Hello.' }],
      metadata: metadataOf(given.key),
      ...given,
    }),
    unknownThread: unknown('conv'),
    unknownAttempt: {
      id: unknown('resp'),
      thread_id: null,
      key: 'first/9',
      provider_ids: [unknown('resp')],
      state: null,
    },
    close: () => emulator.close(),
  };
}
