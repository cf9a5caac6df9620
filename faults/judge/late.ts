/** Judges how long runs stood open once nothing went wrong any more. Pure. */
import type { Facts, RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding } from './finding.ts';

/** What a slow machine, and the timeouts of what a fault had met, may take. Milliseconds. */
const LATE_MS = 120_000;

/** The last moment at which a fault may have met it, somebody said a word, or another run gave its turn back. */
function heldUntil(
  run: RunFacts,
  { nemesis, runs }: Pick<Facts, 'nemesis' | 'runs'>,
  closedAt: number,
): number {
  const thread = run.start?.thread ?? null;
  const turns =
    thread === null ? [] : runs.filter(({ plan, start }) => plan !== run.plan && start?.thread === thread);
  const moments = [
    ...nemesis.filter((deed) => !('run' in deed) || deed.run === run.plan.id).map(({ at }) => at),
    ...run.exchanges.flatMap(({ answer }) => (answer !== null && answer.fault !== null ? [answer.at] : [])),
    ...run.people.map(({ at }) => at),
    ...turns.flatMap(({ final }) => final.closedAt ?? []),
  ];
  return Math.max(run.start?.begunAt ?? 0, ...moments.filter((at) => at < closedAt));
}

/** What its models think and its tools work, at most, in the attempts that went on after that. */
function ownMs({ plan, statuses }: RunFacts, from: number): number {
  const sum = (all: readonly number[]): number => all.reduce((whole, one) => whole + one, 0);
  const played = new Set(statuses.filter(({ at }) => at >= from).map(({ attempt }) => attempt));
  return sum(
    [...played].flatMap((attempt) => {
      const { thinkMs = [], unknownStatus, rounds = [] } = plan.attempts[attempt] ?? {};
      return [
        ...thinkMs,
        unknownStatus?.ms ?? 0,
        ...rounds.flat().map(({ args }) => args.work_ms + args.hold_ms),
      ];
    }),
  );
}

/** Nobody writes down when people settle what became of an effect. */
const wasSettled = ({ final, people }: RunFacts): boolean =>
  (final.word?.calls ?? []).some(
    ({ id, decision }) => decision !== null && !people.some(({ tool_call_id }) => tool_call_id === id),
  );

export function judgeLate(run: RunFacts, facts: Pick<Facts, 'nemesis' | 'runs'>): readonly Finding[] {
  const { closedAt } = run.final;
  if (closedAt === null || wasSettled(run)) return [];
  const from = heldUntil(run, facts, closedAt);
  const late = closedAt - from - ownMs(run, from);
  if (late <= LATE_MS) return [];
  return [
    {
      kind: 'late_ends',
      run: run.plan.id,
      what: `it closed ${Math.round(late / 1_000)} s later than its last fault, its models and its tools account for`,
      lines: run.lives.map(({ bornSeq }) => providerLine(bornSeq)),
    },
  ];
}
