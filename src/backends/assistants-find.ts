/** Finding the run that bears Drover's key, and getting rid of its twins. */
import { METADATA_KEYS } from '../contract.ts';
import { isTerminal } from '../run.ts';
import type { RunObject } from '../run.ts';
import { runOfThread } from './assistants-read.ts';
import type { ListPage } from './assistants-read.ts';

/** The provider's clock may be behind ours by so much. In milliseconds. */
const CLOCK_SKEW_MS = 5 * 60_000;
/** Pages of a hundred runs: no thread has so many in the minutes since a create. */
const MAX_PAGES = 50;

/** The key stands in the run's metadata; a run without it is not Drover's. */
export const bearsKey = (run: RunObject, key: string): boolean => run.metadata?.[METADATA_KEYS.key] === key;

/**
 * Every run of a thread that bears the key, oldest first, back to the first try of its create.
 *
 * Holds where a server leaves times out (then the whole list is read), or ignores `order` or `after`.
 *
 * @param readList reads one page, newest first, after the id given.
 */
export async function findRuns(
  threadId: string,
  key: string,
  sinceMs: number,
  readList: (after: string | null) => Promise<ListPage>,
): Promise<readonly RunObject[]> {
  const since = (sinceMs - CLOCK_SKEW_MS) / 1_000;
  const found = new Map<string, RunObject>();
  const seen = new Set<string>();
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { data, hasMore, lastId } = await readList(after);
    const runs = data.flatMap((entry) => runOfThread(entry, threadId) ?? []);
    const before = seen.size;
    for (const run of runs) {
      seen.add(run.id);
      if (bearsKey(run, key)) found.set(run.id, run);
    }
    // Nothing new: the server does not page.
    if (!hasMore || lastId === null || seen.size === before || reachesBack(runs, since)) break;
    after = lastId;
  }
  // The list is newest first, so the reverse keeps the server's order among equal times.
  return [...found.values()].toReversed().sort((a, b) => (a.created_at ?? 0) - (b.created_at ?? 0));
}

/** True where a page, newest first, ends before the time. */
function reachesBack(runs: readonly RunObject[], since: number): boolean {
  const [newest, oldest] = [runs[0]?.created_at ?? null, runs.at(-1)?.created_at ?? null];
  return newest !== null && oldest !== null && newest >= oldest && oldest < since;
}

/** The oldest is the attempt; the younger that still live are to be cancelled. */
export function chooseRun(runs: readonly RunObject[]): {
  readonly chosen: RunObject | null;
  readonly twins: readonly RunObject[];
} {
  const [chosen = null, ...younger] = runs;
  return {
    chosen,
    twins: younger.filter((twin) => !isTerminal(twin.status) && twin.status !== 'cancelling'),
  };
}
