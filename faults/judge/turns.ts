/** Judges runs on one thread: one after the other, in the order of their starts. Pure. */
import type { RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding } from './finding.ts';

/** Runs that were started on the same thread as this one. */
function others(run: RunFacts, runs: readonly RunFacts[]): readonly RunFacts[] {
  const thread = run.start?.thread ?? null;
  return thread === null ? [] : runs.filter((other) => other !== run && other.start?.thread === thread);
}

/** How long a turn may be held after its run has closed: nobody has told of it yet. Milliseconds. */
const TURN_ENDS_MS = 5_000;

/** Ends that are right because of what else was started on its thread. */
export function endsByTurns(run: RunFacts, runs: readonly RunFacts[]): readonly string[] {
  const [begunAt, closedAt] = [run.start?.begunAt ?? 0, run.final.closedAt ?? Infinity];
  const meanwhile = (heldMs: number): readonly RunFacts[] =>
    others(run, runs).filter(
      ({ start, final }) =>
        (start?.begunAt ?? Infinity) < closedAt && (final.closedAt ?? Infinity) + heldMs > begunAt,
    );
  const interrupted = meanwhile(0).some(({ plan }) => plan.onBusyThread === 'interrupt');
  const rejected = run.plan.onBusyThread === 'reject' && meanwhile(TURN_ENDS_MS).length > 0;
  return [...(interrupted ? ['cancelled'] : []), ...(rejected ? ['thread_busy'] : [])];
}

/** It began although one that was started after it had begun, or while another one had the turn. */
export function judgeOrder(run: RunFacts, runs: readonly RunFacts[]): readonly Finding[] {
  const [first] = run.lives;
  if (first === undefined) return [];
  const finding = (what: string, other: RunFacts): Finding => ({
    kind: 'order_violations',
    run: run.plan.id,
    what: `it ${what} ${other.plan.id}`,
    lines: [providerLine(first.bornSeq), providerLine(other.lives[0]?.bornSeq ?? 0)],
  });
  return others(run, runs).flatMap((other): readonly Finding[] => {
    const [theirs] = other.lives;
    if (theirs === undefined || theirs.bornSeq > first.bornSeq) return [];
    const closedAt = other.final.closedAt ?? Infinity;
    const overlaps = first.bornAt < closedAt ? [finding('began while the turn was that of', other)] : [];
    const wasFirst = (run.start?.startedAt ?? Infinity) < (other.start?.begunAt ?? 0);
    const isLate = wasFirst && other.plan.onBusyThread !== 'interrupt';
    return [...overlaps, ...(isLate ? [finding('was started before, and began after,', other)] : [])];
  });
}
