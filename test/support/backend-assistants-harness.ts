/** The harness of the Assistants wire: the emulator, the adapter on it, and what the journal says. */
import { assistants } from '../../src/backends/assistants.ts';
import type { AssistantsOptions } from '../../src/backends/assistants.ts';
import { METADATA_KEYS } from '../../src/contract.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, RequestEntry, StatusEntry } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import type { ToolOutput } from '../../src/steps.ts';
import { metadataOf, MODEL } from './backend-harness.ts';
import type { Harness, Setup, WireView } from './backend-harness.ts';

const KEY = 'sk-conformance-key';

type Body = Readonly<Record<string, unknown>>;

function statuses(emulator: Emulator): readonly StatusEntry[] {
  return emulator.journal().filter((entry) => entry.kind === 'status');
}

/** Requests that the provider acted on. */
function taken(emulator: Emulator, path: RegExp): readonly RequestEntry[] {
  const journal = emulator.journal();
  const acted = new Set(
    journal.flatMap((entry) => (entry.kind === 'answer' && entry.acted ? [entry.request] : [])),
  );
  return journal
    .filter((entry) => entry.kind === 'request')
    .filter((entry) => path.test(entry.path) && acted.has(entry.seq));
}

function viewOf(emulator: Emulator): WireView {
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
      taken(emulator, /\/submit_tool_outputs$/).map(
        (entry) => (entry.body as { readonly tool_outputs: readonly ToolOutput[] }).tool_outputs,
      ),
    async countInput(attempt, text) {
      const response = await fetch(`${emulator.url}/threads/${attempt.thread_id}/messages?limit=100`, {
        headers: { 'openai-beta': 'assistants=v2', authorization: `Bearer ${KEY}` },
      });
      const { data } = (await response.json()) as {
        data: readonly { role: string; content: readonly { text?: { value: string } }[] }[];
      };
      return data.filter(
        (message) => message.role === 'user' && message.content.some((part) => part.text?.value === text),
      ).length;
    },
    sent(key) {
      const found = taken(emulator, /\/runs$/).find(
        (entry) => (entry.body as { metadata?: Body } | null)?.metadata?.[METADATA_KEYS.key] === key,
      );
      if (found === undefined) throw new Error(`No create with the key ${key} is in the journal.`);
      const { additional_messages: messages, ...body } = found.body as Body;
      return { ...body, messages };
    },
  };
}

/** Starts an emulator with one assistant, and the adapter on it. */
export async function startAssistants(
  setup: Setup = {},
  options: Partial<AssistantsOptions> = {},
): Promise<Harness> {
  const emulator = await startEmulator({ ...setup, apiKey: KEY });
  const assistantId = emulator.createAssistant({ model: MODEL });
  const backend = assistants({ baseURL: emulator.url, apiKey: KEY, ...options })('legacy');
  const bare = setup.quirks?.includes('bare_ids') ?? false;
  const unknown = (prefix: string): string => (bare ? '0'.repeat(32) : `${prefix}_${'0'.repeat(24)}`);
  return {
    backend,
    emulator,
    requests: {
      create: { method: 'POST', path: '/runs$/' },
      submit: { method: 'POST', path: '/submit_tool_outputs$/' },
      read: { method: 'GET', path: '/runs/[^/]+$/' },
      cancel: { method: 'POST', path: '/cancel$/' },
    },
    view: viewOf(emulator),
    exceptions: {},
    resolve: (given) => ({
      run_id: 'run-1',
      assistant_id: assistantId,
      messages: [{ role: 'user', content: 'Hello.' }],
      metadata: metadataOf(given.key),
      ...given,
    }),
    unknownThread: unknown('thread'),
    unknownAttempt: {
      id: unknown('run'),
      thread_id: null,
      key: 'first/9',
      provider_ids: [unknown('run')],
      state: null,
    },
    close: () => emulator.close(),
  };
}
