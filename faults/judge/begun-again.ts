/** Judges attempts that nothing asked for: what was paid for already is paid for once more. Pure. */
import { acted, hasSeenEnd, mayBeLost } from './facts.ts';
import type { Exchange, Facts, Life, RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding, FindingKind } from './finding.ts';
import { hasVanished } from './outputs.ts';

function finding(run: RunFacts, kind: FindingKind, what: string, lines: readonly number[]): Finding {
  return { kind, run: run.plan.id, what, lines: lines.map(providerLine) };
}

/** New attempts that workers made, or steps that they made again. */
const createsOf = (run: RunFacts): readonly Exchange[] =>
  acted(run).filter(({ kind, pid, made }) => kind === 'create' && pid !== null && made !== null);

const makerOf = (run: RunFacts, { id }: Life): Exchange | undefined =>
  run.exchanges.find(({ kind, made }) => (kind === 'create' || kind === 'submit') && made === id);

/**
 * A response that has ended by asking for calls lives on: its chain goes on once they are handed in. So does one that has
 * answered: nothing may begin again after it.
 */
function afterResponse(run: RunFacts, excused: ReadonlySet<string>): readonly Finding[] {
  // Outputs whose submit was lost stand in the conversation already: what goes on from them says nothing.
  const creates = createsOf(run).filter(({ said }) => said.length > 0);
  return creates.flatMap((create): readonly Finding[] => {
    const open = run.lives.findLast(({ bornSeq }) => bornSeq < create.seq);
    if (open?.status !== 'completed' || excused.has(open.id)) return [];
    if (!hasSeenEnd(run, open, create.seq)) return [];
    const what = `a new attempt began after ${open.id}, which was known to have completed`;
    return [finding(run, 'attempts_live_over_one', what, [open.bornSeq, open.endedSeq ?? 0, create.seq])];
  });
}

/** A run that has completed can be found by its key, whoever lost its answer: on that thread or on none. */
function afterRun(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  return createsOf(run).flatMap((create): readonly Finding[] => {
    const done = run.lives.find(
      ({ status, endedSeq }) => status === 'completed' && (endedSeq ?? Infinity) < create.seq,
    );
    if (done === undefined) return [];
    const maker = makerOf(run, done);
    if (maker !== undefined && hasVanished(run, maker, facts)) return [];
    const what = `${create.made} was made after ${done.id} had completed`;
    return [finding(run, 'needless_attempts', what, [done.bornSeq, done.endedSeq ?? 0, create.seq])];
  });
}

export const judgeBegunAgain = (
  run: RunFacts,
  excused: ReadonlySet<string>,
  facts: Pick<Facts, 'nemesis'>,
): readonly Finding[] => (run.plan.wire === 'responses' ? afterResponse(run, excused) : afterRun(run, facts));

const livedBeside = (one: Life, other: Life): boolean =>
  one.id !== other.id &&
  one.bornSeq < (other.endedSeq ?? Infinity) &&
  other.bornSeq < (one.endedSeq ?? Infinity);

/**
 * One of two is rightly cancelled: a twin, and on the Responses wire what was made after a try whose answer was lost, and
 * which had answered all the same.
 */
function isSecond(run: RunFacts, life: Life, facts: Pick<Facts, 'nemesis'>): boolean {
  if (run.lives.some((other) => livedBeside(life, other))) return true;
  const before = run.lives.findLast(({ bornSeq }) => bornSeq < life.bornSeq);
  if (run.plan.wire !== 'responses' || before?.status !== 'completed') return false;
  const maker = makerOf(run, before);
  return maker !== undefined && mayBeLost(maker, facts.nemesis);
}

/** Cancelled by a worker itself, and begun again: no run here has a limit by which an attempt is given up. */
export function judgeGivenUp(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const cancels = acted(run).filter(({ kind, pid }) => kind === 'cancel' && pid !== null);
  return createsOf(run).flatMap((create): readonly Finding[] => {
    const before = run.lives.findLast(({ bornSeq }) => bornSeq < create.seq);
    if (before?.status !== 'cancelled') return [];
    const cancel = cancels.find(({ subject, seq }) => subject === before.id && seq < create.seq);
    if (cancel === undefined || isSecond(run, before, facts)) return [];
    const what = `${before.id} was cancelled without a cause, and ${create.made} was made in its place`;
    return [finding(run, 'needless_attempts', what, [before.bornSeq, cancel.seq, create.seq])];
  });
}
