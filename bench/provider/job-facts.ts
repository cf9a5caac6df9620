/** What the provider's journal says of each job: pure. A job's id is its model's name. */
import type { JournalEntry, RequestEntry } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';

export interface JobFacts {
  readonly createdAt: number;
  /** When the provider ended the job's last run; null while it lives. */
  readonly endedAt: number | null;
  /** Runs, or responses. */
  readonly created: number;
  readonly gets: number;
  readonly posts: number;
  readonly requests: readonly RequestEntry[];
}

type Draft = { -readonly [key in keyof JobFacts]: JobFacts[key] } & { readonly requests: RequestEntry[] };

/** What a create of a run or response names. */
function modelsOf(body: unknown): readonly string[] {
  const { model, assistant_id } = (body ?? {}) as {
    readonly model?: unknown;
    readonly assistant_id?: unknown;
  };
  return [model, assistant_id].filter((name) => typeof name === 'string');
}

/** By model. */
export function jobFacts(entries: readonly JournalEntry[]): ReadonlyMap<string, JobFacts> {
  const jobs = new Map<string, Draft>();
  const owners = new Map<string, Draft>();
  for (const entry of entries) {
    if (entry.kind !== 'status') continue;
    const blank = { createdAt: entry.at, endedAt: null, created: 0, gets: 0, posts: 0, requests: [] };
    const job = jobs.get(entry.model) ?? blank;
    jobs.set(entry.model, job);
    if (entry.from === null) job.created += 1;
    job.endedAt = isTerminal(entry.to) ? entry.at : null;
    owners.set(entry.id, job);
    if (entry.thread !== null) owners.set(entry.thread, job);
  }
  const answered = new Map(
    entries.flatMap((entry) =>
      entry.kind === 'answer' && entry.id !== null ? [[entry.request, entry.id]] : [],
    ),
  );
  for (const entry of entries) {
    if (entry.kind !== 'request') continue;
    // Who makes a thread names neither model nor thread: the answer does.
    const ids = [...entry.path.split('/'), answered.get(entry.seq) ?? ''];
    const job = modelsOf(entry.body)
      .map((model) => jobs.get(model))
      .concat(ids.map((id) => owners.get(id)))
      .find((owner) => owner !== undefined);
    if (job === undefined) continue;
    job.requests.push(entry);
    if (entry.method === 'GET') job.gets += 1;
    else job.posts += 1;
  }
  return jobs;
}
