/** What the journals show of one run: the provider's own, and the tools' own. Pure; Drover's word is not asked. */
import { METADATA_KEYS } from '../contract.ts';
import type { JournalEntry, RequestEntry, StatusEntry } from '../emulator/index.ts';
import { isTerminal } from '../run.ts';
import type { Approval } from './approve.ts';
import type { ToolEntry } from './tool-journal.ts';

/** A worker's process that was seen to end by a signal. */
export interface Kill {
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Journals {
  readonly provider: readonly JournalEntry[];
  readonly tools: readonly ToolEntry[];
  readonly kills: readonly Kill[];
  readonly approvals: readonly Approval[];
}

/** Outputs that the provider took, all of one request. */
export interface Submit {
  readonly at: number;
  readonly outputs: readonly { readonly callId: string; readonly output: string }[];
}

/** One run at the provider, or one chain of responses. */
export interface AttemptFacts {
  /** From 1, in the order in which they were created. */
  readonly number: number;
  readonly ids: readonly string[];
  /** The last one of its last id. */
  readonly status: string;
  /** When it got that status. Epoch milliseconds. */
  readonly at: number;
  readonly submits: readonly Submit[];
  /** Completion tokens that its create allowed. */
  readonly budget: number | null;
}

export interface RunFacts {
  readonly attempts: readonly AttemptFacts[];
  /** Ids that lived at one time: the largest such set. */
  readonly mostAlive: readonly string[];
  /** Ids that have not ended. */
  readonly stillAlive: readonly string[];
  /** How often the user's message stands in each thread or chain. */
  readonly inputs: readonly number[];
  readonly tools: readonly ToolEntry[];
  readonly kills: readonly Kill[];
  /** Others on its thread when its first attempt began: how many had ended, and how many lived. */
  readonly before: { readonly ended: number; readonly alive: number };
  /** When its call was approved, in epoch milliseconds; null where nobody did. */
  readonly approvedAt: number | null;
}

type Loose = Readonly<Record<string, unknown>>;

const asObject = (value: unknown): Loose =>
  typeof value === 'object' && value !== null ? (value as Loose) : {};
const asList = (value: unknown): readonly Loose[] => (Array.isArray(value) ? value.map(asObject) : []);
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''));

/** The outputs that a request hands in, on either wire; empty where it hands in none. */
export function outputsOf({ body }: RequestEntry): Submit['outputs'] {
  const { tool_outputs: ofRun, input } = asObject(body);
  const items = asList(input).filter(({ type }) => type === 'function_call_output');
  return [
    ...asList(ofRun).map((given) => ({
      callId: asText(given['tool_call_id']),
      output: asText(given['output']),
    })),
    ...items.map((item) => ({ callId: asText(item['call_id']), output: asText(item['output']) })),
  ];
}

/** The completion tokens that a create allows. */
export function budgetOf({ body }: RequestEntry): number | null {
  const { max_completion_tokens: ofRun, max_output_tokens: ofResponse } = asObject(body);
  const budget = ofRun ?? ofResponse;
  return typeof budget === 'number' ? budget : null;
}

const metadataOf = ({ body }: RequestEntry): Loose => asObject(asObject(body)['metadata']);

function userMessages({ body }: RequestEntry): number {
  const { additional_messages: added, messages, input, role } = asObject(body);
  const listed = [...asList(added), ...asList(messages), ...asList(input)];
  const said = listed.filter((message) => message['role'] === 'user').length;
  return said + (typeof input === 'string' ? 1 : 0) + (role === 'user' ? 1 : 0);
}

/** Thread of a path of the Assistants wire, and the run where it names one. */
const placeOf = (path: string): { readonly thread: string | undefined; readonly run: string | undefined } => {
  const [, thread, run] = /\/threads\/([^/]+)(?:\/runs\/([^/]+))?/.exec(path) ?? [];
  return { thread, run };
};

interface Holder {
  readonly ids: string[];
  readonly submits: Submit[];
  status: string;
  at: number;
  budget: number | null;
}

/** Reads the journals for one run. */
export function readRunFacts(runId: string, { provider, tools, kills, approvals }: Journals): RunFacts {
  const statuses = provider.filter(
    (entry): entry is StatusEntry => entry.kind === 'status' && entry.metadata[METADATA_KEYS.run] === runId,
  );
  const holders = new Map<string, Holder>();
  const keyOfId = new Map<string, string>();
  const threads = new Set<string>();
  const alive = new Set<string>();
  let mostAlive: readonly string[] = [];
  for (const { id, to, at, metadata, thread } of statuses) {
    const key = metadata[METADATA_KEYS.key] ?? id;
    const holder = holders.get(key) ?? { ids: [], submits: [], status: to, at, budget: null };
    holders.set(key, holder);
    if (!holder.ids.includes(id)) holder.ids.push(id);
    if (holder.ids.at(-1) === id) Object.assign(holder, { status: to, at });
    keyOfId.set(id, key);
    if (thread !== null) threads.add(thread);
    if (isTerminal(to)) alive.delete(id);
    else alive.add(id);
    if (alive.size > mostAlive.length) mostAlive = [...alive];
  }
  const inputs = readRequests(runId, provider, { holders, keyOfId, threads });
  return {
    attempts: [...holders.values()].map((holder, index) => ({ number: index + 1, ...holder })),
    mostAlive,
    stillAlive: [...alive],
    inputs,
    tools: tools.filter((entry) => entry.run_id === runId),
    kills,
    before: readBefore(runId, provider, statuses[0]),
    approvedAt: approvals.find((approval) => approval.runId === runId)?.at ?? null,
  };
}

function readBefore(
  runId: string,
  provider: readonly JournalEntry[],
  first: StatusEntry | undefined,
): RunFacts['before'] {
  const others = new Map<string, string>();
  for (const entry of provider) {
    if (entry.kind !== 'status' || first === undefined || entry.seq >= first.seq) continue;
    if (entry.thread === null || entry.thread !== first.thread) continue;
    if (entry.metadata[METADATA_KEYS.run] !== runId) others.set(entry.id, entry.to);
  }
  const ended = [...others.values()].filter((status) => isTerminal(status)).length;
  return { ended, alive: others.size - ended };
}

interface Found {
  readonly holders: ReadonlyMap<string, Holder>;
  readonly keyOfId: ReadonlyMap<string, string>;
  readonly threads: ReadonlySet<string>;
}

/** Adds what the requests that were acted on say to the attempts, and counts the user's messages by place. */
function readRequests(runId: string, provider: readonly JournalEntry[], found: Found): readonly number[] {
  const acted = new Set(
    provider.flatMap((entry) => (entry.kind === 'answer' && entry.acted ? [entry.request] : [])),
  );
  const inputs = new Map<string, number>();
  for (const entry of provider) {
    if (entry.kind !== 'request' || entry.method !== 'POST' || !acted.has(entry.seq)) continue;
    const place = placeOf(entry.path);
    const metadata = metadataOf(entry);
    const isOurs = metadata[METADATA_KEYS.run] === runId;
    const key = (isOurs ? metadata[METADATA_KEYS.key] : undefined) ?? found.keyOfId.get(place.run ?? '');
    // Of others on its thread.
    if (!isOurs && metadata[METADATA_KEYS.run] !== undefined) continue;
    if (!isOurs && key === undefined && !found.threads.has(place.thread ?? '')) continue;
    const where = place.thread ?? asText(key);
    const said = userMessages(entry);
    if (said > 0) inputs.set(where, (inputs.get(where) ?? 0) + said);
    const holder = found.holders.get(asText(key));
    if (holder === undefined) continue;
    holder.budget ??= budgetOf(entry);
    const outputs = outputsOf(entry);
    if (outputs.length > 0) holder.submits.push({ at: entry.at, outputs });
  }
  return [...inputs.values()];
}
