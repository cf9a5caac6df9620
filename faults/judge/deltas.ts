/** Judges what those who watch were told of what a model says. Pure. */
import { answerOf } from '../plan.ts';
import type { RunFacts } from './facts.ts';
import type { Finding } from './finding.ts';

/** Each word of an answer that is listened to is unlike all others of it. */
const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

function finding(run: RunFacts, what: string): Finding {
  return { kind: 'duplicate_deltas', run: run.plan.id, what, lines: [] };
}

/** The first word that is not among those that the model says after the words before it; undefined where all are. */
function firstForeign(told: readonly string[], said: readonly string[]): string | undefined {
  let from = 0;
  return told.find((word) => {
    const at = said.indexOf(word, from);
    from = at + 1;
    return at < 0;
  });
}

/** A word that was told twice, and an answer that was told otherwise than the model said it. Gaps are none. */
export function judgeDeltas(run: RunFacts): readonly Finding[] {
  const told = new Map<string, string>();
  for (const { attempt_id: id, text } of run.heard) told.set(id, `${told.get(id) ?? ''}${text}`);
  const said = wordsOf(answerOf(run.plan));
  return [...told].flatMap(([id, text]) => {
    const words = wordsOf(text);
    const twice = words.filter((word, at) => words.indexOf(word) !== at);
    if (twice.length > 0)
      return [finding(run, `${twice.length} words of ${id} were told twice, the first one is ${twice[0]}`)];
    const foreign = firstForeign(words, said);
    if (foreign === undefined) return [];
    return [finding(run, `${id} was told otherwise than the model said it, from ${foreign.slice(0, 40)} on`)];
  });
}
