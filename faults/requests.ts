/** What a request at the provider is for, on either wire, read off the journal. Pure. */
import type { RequestEntry } from '../src/emulator/index.ts';
import { WORKER_HEADER } from './worker-env.ts';

export type RequestKind = 'create' | 'submit' | 'look' | 'cancel' | 'thread' | 'message' | 'items' | 'other';

export interface HandedIn {
  readonly callId: string;
  readonly output: string;
}

export interface ReadRequest {
  readonly kind: RequestKind;
  /** The worker's process that sent it; null for the stage's own. */
  readonly pid: number | null;
  readonly model: string | null;
  /** Thread or conversation. */
  readonly thread: string | null;
  /** The run or response that it names: the one it looks at, hands in to, or goes on from. */
  readonly subject: string | null;
  readonly outputs: readonly HandedIn[];
  /** What the user says in it: the text of each message. */
  readonly said: readonly string[];
}

type Loose = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
const asList = (value: unknown): readonly Loose[] => (Array.isArray(value) ? value.map(asObject) : []);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const asText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null);

function outputsOf(body: Loose): readonly HandedIn[] {
  const ofRun = asList(body['tool_outputs']).map((given) => ({
    callId: asText(given['tool_call_id']),
    output: asText(given['output']),
  }));
  const items = [...asList(body['input']), ...asList(body['items'])];
  const ofResponse = items
    .filter(({ type }) => type === 'function_call_output')
    .map((given) => ({ callId: asText(given['call_id']), output: asText(given['output']) }));
  return [...ofRun, ...ofResponse];
}

const contentOf = (content: unknown): string =>
  typeof content === 'string'
    ? content
    : asList(content)
        .map(({ text }) => asText(text))
        .join('');

function saidIn(body: Loose): readonly string[] {
  const messages = [
    body,
    ...asList(body['additional_messages']),
    ...asList(body['messages']),
    ...asList(body['input']),
    ...asList(body['items']),
  ].filter(({ role }) => role === 'user');
  const { input } = body;
  return [
    ...messages.map(({ content }) => contentOf(content)),
    ...(typeof input === 'string' ? [input] : []),
  ];
}

function kindOf(method: string, path: string, outputs: readonly HandedIn[]): RequestKind {
  const ends = (tail: string): boolean => path.endsWith(tail);
  if (ends('/cancel')) return 'cancel';
  if (method === 'GET') return /\/(runs|responses)\/[^/]+$/.test(path) ? 'look' : 'other';
  if (method !== 'POST') return 'other';
  if (ends('/submit_tool_outputs')) return 'submit';
  if (ends('/responses')) return outputs.length > 0 ? 'submit' : 'create';
  if (ends('/runs')) return 'create';
  if (ends('/threads') || ends('/conversations')) return 'thread';
  if (ends('/messages')) return 'message';
  return ends('/items') ? 'items' : 'other';
}

export function readRequest(entry: RequestEntry): ReadRequest {
  const body = asObject(entry.body);
  const { method, path } = entry;
  const outputs = outputsOf(body);
  const [, ofPath] = /\/(?:threads|conversations)\/([^/]+)/.exec(path) ?? [];
  const conversation = body['conversation'];
  const [, named] = /\/(?:runs|responses)\/([^/]+)/.exec(path) ?? [];
  const worker = Number(entry.headers[WORKER_HEADER]);
  return {
    kind: kindOf(method, path, outputs),
    pid: Number.isSafeInteger(worker) && worker > 0 ? worker : null,
    model: textOf(body['model']),
    thread: ofPath ?? textOf(conversation) ?? textOf(asObject(conversation)['id']),
    subject: named ?? textOf(body['previous_response_id']),
    outputs,
    said: method === 'POST' ? saidIn(body) : [],
  };
}
