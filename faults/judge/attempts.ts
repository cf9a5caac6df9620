/** Judges what lived at the provider: one attempt at a time, none left behind. Pure. */
import { isUnheard } from './facts.ts';
import type { Exchange, Facts, Life, RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding } from './finding.ts';

/** A cancelled attempt takes a moment to end, and clocks of processes are read one after the other. */
const SETTLING_MS = 1_500;

/**
 * Responses whose create's answer was lost on a wire that gives no way to find them: no list, no conversation to
 * look into. One that the run went on with is none of them.
 */
export function unfindableCreates(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Exchange[] {
  if (run.plan.wire !== 'responses' || run.plan.onThread) return [];
  return run.exchanges.filter(
    (exchange) =>
      (exchange.kind === 'create' || exchange.kind === 'submit') &&
      exchange.answer?.acted === true &&
      exchange.made !== null &&
      isUnheard(exchange, run, facts),
  );
}

/** Ids that are left out of the counts: unfindable ones, where the run's own result names the ambiguity. */
export function excusedIds(run: RunFacts, facts: Pick<Facts, 'nemesis'>): ReadonlySet<string> {
  if (run.final.word?.ambiguous !== true) return new Set();
  return new Set(unfindableCreates(run, facts).flatMap(({ made }) => made ?? []));
}

const livedAt = (life: Life, at: number): boolean =>
  life.bornAt <= at && (life.endedAt === null || life.endedAt > at);

export function judgeLiveOverOne(run: RunFacts, excused: ReadonlySet<string>): readonly Finding[] {
  const lives = run.lives.filter(({ id }) => !excused.has(id));
  return lives.flatMap((life): readonly Finding[] => {
    const others = lives.filter((other) => other.bornSeq < life.bornSeq && livedAt(other, life.bornAt));
    if (others.length === 0) return [];
    return [
      {
        kind: 'attempts_live_over_one',
        run: run.plan.id,
        what: `${life.id} was made while ${others.map(({ id }) => id).join(', ')} lived`,
        lines: [...others, life].map(({ bornSeq }) => providerLine(bornSeq)),
      },
    ];
  });
}

/** @param endAt when the last look was taken */
export function judgeOrphans(run: RunFacts, excused: ReadonlySet<string>, endAt: number): readonly Finding[] {
  const { closedAt } = run.final;
  return run.lives
    .filter(({ id }) => !excused.has(id))
    .flatMap((life): readonly Finding[] => {
      const leftAlive = life.endedAt === null;
      const outlived = closedAt !== null && (life.endedAt ?? endAt) > closedAt + SETTLING_MS;
      if (!leftAlive && !outlived) return [];
      return [
        {
          kind: 'orphaned_attempts',
          run: run.plan.id,
          what: leftAlive
            ? `${life.id} is still ${life.status} at the end`
            : `${life.id} lived on for ${(life.endedAt ?? endAt) - (closedAt ?? 0)} ms after its workflow had closed`,
          lines: [
            providerLine(life.bornSeq),
            ...(life.endedSeq === null ? [] : [providerLine(life.endedSeq)]),
          ],
        },
      ];
    });
}
