/** Judges what a run spent against the hard limits of its request. Pure. */
import { acted, mayBeLost } from './facts.ts';
import type { Exchange, Facts, RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding } from './finding.ts';
import { isGivenUp } from './outputs.ts';

/**
 * The first submit of each round of tool calls. Drover counts a round when it runs it, over all attempts. One that is
 * handed in again, because an answer was lost or its step failed, has the same calls, and was run once.
 */
function roundsOf(run: RunFacts): readonly Exchange[] {
  const rounds = new Map<string, Exchange>();
  // What an attempt that was given up leaves open is closed in its conversation, and nothing runs for it.
  for (const submit of acted(run).filter(({ kind }) => kind === 'submit')) {
    const [first] = submit.outputs.filter(({ output }) => !isGivenUp(output));
    if (first === undefined) continue;
    const call = run.calls.get(first.callId);
    const key = call === undefined ? first.callId : `${call.attempt} ${call.round}`;
    if (!rounds.has(key)) rounds.set(key, submit);
  }
  return [...rounds.values()];
}

/**
 * Creates that are attempts of their own. One whose answer may have been lost is made again within its attempt, unless a
 * worker has found what it made and gone on with it. A failed step that is made again is a submit, and left out: there
 * are at least so many attempts.
 */
function attemptsOf(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Exchange[] {
  const wentOn = new Set(
    run.exchanges.flatMap(({ kind, subject, pid }) =>
      pid !== null && (kind === 'look' || kind === 'submit') && subject !== null ? [subject] : [],
    ),
  );
  const steps = acted(run).filter(({ kind }) => kind === 'create' || kind === 'submit');
  return steps.filter((exchange, at) => {
    const before = steps[at - 1];
    // A submit whose answer was lost is made again; what it handed in stands in the conversation already.
    const isStepAgain =
      exchange.said.length === 0 && before?.kind === 'submit' && mayBeLost(before, facts.nemesis);
    return (
      exchange.kind === 'create' &&
      !isStepAgain &&
      exchange.made !== null &&
      (wentOn.has(exchange.made) || !mayBeLost(exchange, facts.nemesis))
    );
  });
}

/** Limits that the request itself has: no default is known here. */
export function judgeBudget(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const { limits, retry } = run.plan;
  const over = (what: string, spent: readonly Exchange[], limit = Infinity): readonly Finding[] =>
    spent.length <= limit
      ? []
      : [
          {
            kind: 'over_budget',
            run: run.plan.id,
            what: `${spent.length} ${what}, its limit is ${limit}`,
            lines: spent.map(({ seq }) => providerLine(seq)),
          },
        ];
  return [
    ...over('rounds of tool calls were handed in', roundsOf(run), limits.rounds),
    ...over('attempts were made', attemptsOf(run, facts), retry.attempts),
  ];
}
