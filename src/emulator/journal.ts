/** The journal: what was asked of the emulator and what became of it. The truth of every test of faults. */
import { appendFileSync } from 'node:fs';

export type WireName = 'assistants' | 'responses';

/** A request as it arrived. `Authorization` and other keys are replaced by a marker. */
export interface RequestEntry {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'request';
  readonly wire: WireName | null;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** What became of a request. */
export interface AnswerEntry {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'answer';
  /** `seq` of the request. */
  readonly request: number;
  readonly method: string;
  readonly path: string;
  /** The HTTP status; null where the connection was cut. */
  readonly status: number | null;
  /** The request did what it asked for. */
  readonly acted: boolean;
  /** Of the object that it made, changed or read: also where the answer was lost. */
  readonly id: string | null;
  /** The answer left whole and as the wire has it. */
  readonly delivered: boolean;
  /** The fault that came between, by name. */
  readonly fault: string | null;
}

/** A change of status of a run or response. */
export interface StatusEntry {
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: 'status';
  readonly wire: WireName;
  readonly id: string;
  readonly from: string | null;
  readonly to: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Thread or conversation. */
  readonly thread: string | null;
  readonly model: string;
  /** Which attempt of the script it plays, from 0. */
  readonly attempt: number;
}

/** A webhook's delivery, or that it was lost on purpose. */
export interface WebhookEntry {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'webhook';
  /** The event's id. */
  readonly event: string;
  readonly type: string;
  /** Of the response that it tells of. */
  readonly id: string;
  /** Which delivery of this event, from 1; 0 where it was lost. */
  readonly nth: number;
  /** What the receiver answered; null where nothing came. */
  readonly status: number | null;
}

export type JournalEntry = RequestEntry | AnswerEntry | StatusEntry | WebhookEntry;
type Unnumbered<T> = T extends JournalEntry ? Omit<T, 'seq' | 'at'> : never;

/** How many entries stay in memory. */
const KEPT = 200_000;

export class Journal {
  #entries: JournalEntry[] = [];
  #dropped = 0;
  readonly #file: string | null;
  readonly #watchers = new Set<(entry: JournalEntry) => void>();

  constructor(file: string | null = null) {
    this.#file = file;
  }

  /** Adds an entry and gives its number. A journal file gets it as one line of JSON at once, so that a kill loses none. */
  add(entry: Unnumbered<JournalEntry>): number {
    const seq = this.#dropped + this.#entries.length + 1;
    const whole = { seq, at: Date.now(), ...entry } as JournalEntry;
    this.#entries.push(whole);
    // In big steps: one by one, each entry would move all others.
    if (this.#entries.length >= 2 * KEPT) {
      this.#entries = this.#entries.slice(KEPT);
      this.#dropped += KEPT;
    }
    if (this.#file !== null) appendFileSync(this.#file, `${writeEntry(whole)}\n`);
    for (const watch of this.#watchers) watch(whole);
    return seq;
  }

  /** Entries with a `seq` above `after`. */
  entries(after = 0): readonly JournalEntry[] {
    return this.#entries.slice(Math.max(0, after - this.#dropped));
  }

  /** Calls `watch` for each entry to come, until the returned function is called. */
  watch(watch: (entry: JournalEntry) => void): () => void {
    this.#watchers.add(watch);
    return () => this.#watchers.delete(watch);
  }
}

/** Fields of a tool by which a provider speaks for the service to another server. */
const TOOL_SECRETS = ['headers', 'authorization'] as const;

function withoutToolSecrets(tool: unknown): unknown {
  if (typeof tool !== 'object' || tool === null) return tool;
  const held = TOOL_SECRETS.filter((field) => Object.hasOwn(tool, field));
  return held.length === 0
    ? tool
    : { ...tool, ...Object.fromEntries(held.map((field) => [field, '[redacted]'])) };
}

/** A file outlives the process: what tools carry to other servers is not in it, unlike in memory. */
function writeEntry(entry: JournalEntry): string {
  if (entry.kind !== 'request') return JSON.stringify(entry);
  const { tools } = (entry.body ?? {}) as { readonly tools?: unknown };
  const body = Array.isArray(tools)
    ? { ...(entry.body as object), tools: tools.map(withoutToolSecrets) }
    : entry.body;
  return JSON.stringify({ ...entry, body });
}

const SHOWN_HEADERS = [
  'content-type',
  'openai-beta',
  'idempotency-key',
  'user-agent',
  'x-request-id',
  'x-stainless-retry-count',
  'x-stainless-poll-helper',
  'x-stainless-custom-poll-interval',
] as const;
const SECRET_HEADER = /authorization|api-key|token|secret|cookie|password/;
const NOISE =
  /^(host|connection|content-length|accept|accept-encoding|accept-language|sec-fetch-mode|x-stainless-.*)$/;

/** Headers worth a look, custom ones included; a secret one shows only that it was there. */
export function journalHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, held] of Object.entries(headers)) {
    if (typeof held !== 'string') continue;
    if (SECRET_HEADER.test(name)) kept[name] = '[redacted]';
    else if ((SHOWN_HEADERS as readonly string[]).includes(name) || !NOISE.test(name)) kept[name] = held;
  }
  return kept;
}
