/** Threads and conversations of the emulator, and what its journal tells of the runs on one. */
import type { JournalEntry } from '../../src/emulator/index.ts';
import type { WireName } from '../../src/emulator/journal.ts';

export async function makeThread(url: string, wire: WireName): Promise<string> {
  const path = wire === 'assistants' ? 'threads' : 'conversations';
  const answer = await fetch(`${url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' },
    body: '{}',
  });
  const { id } = (await answer.json()) as { readonly id: string };
  return id;
}

/** Drover's runs whose attempts began on the thread, in that order, each once. */
export function startsOn(journal: readonly JournalEntry[], thread: string): readonly string[] {
  const runs = journal.flatMap((entry) =>
    entry.kind === 'status' && entry.from === null && entry.thread === thread
      ? (entry.metadata['drover_run'] ?? [])
      : [],
  );
  return [...new Set(runs)];
}

/** Requests that a provider refused for a thread that another run had. */
export function refusals(journal: readonly JournalEntry[]): readonly JournalEntry[] {
  return journal.filter(
    (entry) =>
      entry.kind === 'answer' && entry.method === 'POST' && (entry.status === 400 || entry.status === 409),
  );
}
