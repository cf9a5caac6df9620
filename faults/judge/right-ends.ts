/** Which ends of a run are right: by its plan, and by what befell it. Pure. */
import { hasSeenEnd, mayBeLost } from './facts.ts';
import type { Facts, Life, RunFacts } from './facts.ts';
import { endsByTurns } from './turns.ts';

/** Clocks of processes are read one after the other. Milliseconds. */
const SETTLING_MS = 1_500;

/** No worker has seen how it ended, and whoever made it may not have heard of it. */
const isUnseen = (life: Life, run: RunFacts, { nemesis }: Pick<Facts, 'nemesis'>): boolean =>
  !hasSeenEnd(run, life) &&
  run.exchanges.some((exchange) => exchange.made === life.id && mayBeLost(exchange, nemesis));

/**
 * A step on the Responses wire whose end nobody heard of is made again, as it cannot be found; the model then goes on after
 * what ended it.
 */
function endsByLoss(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly null[] {
  if (run.plan.wire !== 'responses') return [];
  return run.lives.some((life) => life.status !== 'completed' && isUnseen(life, run, facts)) ? [null] : [];
}

/** It had come to its end when it heard that its service has changed its mind. */
function endsBeforeCancel({ cancel, lives }: RunFacts): readonly null[] {
  const last = lives.findLast(({ status }) => status === 'completed');
  if (cancel === null || last === undefined) return [];
  return (last.endedAt ?? Infinity) <= cancel.answeredAt + SETTLING_MS ? [null] : [];
}

/** @param promised by the driver, whatever happens. Null is completed. */
export function rightEnds(
  run: RunFacts,
  facts: Pick<Facts, 'nemesis' | 'runs'>,
  promised: readonly (string | null)[],
): readonly (string | null)[] {
  return [...promised, ...endsByTurns(run, facts.runs), ...endsByLoss(run, facts), ...endsBeforeCancel(run)];
}
