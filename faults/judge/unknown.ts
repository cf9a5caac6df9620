/** Judges what a result says nobody knows: something must have befallen it. Pure. */
import type { CallWord } from '../drivers/driver.ts';
import { identityOf } from '../tool-table.ts';
import { isHindered } from './effects.ts';
import type { Facts, RunFacts } from './facts.ts';
import { toolLine } from './finding.ts';
import type { Finding } from './finding.ts';

/** What befell a worker or the server so long before may still keep a call from being started. Milliseconds. */
const BEFORE_MS = 15_000;
/** The `startToCloseTimeout` of the tools here, and so long in a queue. Milliseconds. */
const WAITS_MS = 60_000 + 30_000;

/** When the model asked for a call: a response does so by completing. None where it never did. */
function askedAt(run: RunFacts, { attempt, round }: { attempt: number; round: number }): readonly number[] {
  const asking = run.plan.wire === 'responses' ? 'completed' : 'requires_action';
  const asked = run.statuses.filter((entry) => entry.attempt === attempt && entry.to === asking);
  return asked.slice(round, round + 1).map(({ at }) => at);
}

/** Whoever was to start it: any worker, the server, or somebody who paused or reset it. */
function wasDisturbed(run: RunFacts, { id, name }: CallWord, { nemesis }: Pick<Facts, 'nemesis'>): boolean {
  const own = run.calls.get(id);
  if (own === undefined || askedAt(run, own).length === 0) return false;
  // What nobody knows of an earlier attempt is told of this one too.
  const asked = [...run.calls.values()].filter(
    (call) =>
      call.attempt <= own.attempt && identityOf(call.tool, call.args) === identityOf(own.tool, own.args),
  );
  return asked
    .flatMap((call) => askedAt(run, call))
    .some((at) =>
      nemesis.some(
        (deed) =>
          deed.at >= at - BEFORE_MS &&
          deed.at <= Math.min(at + WAITS_MS, run.final.closedAt ?? Infinity) &&
          (!('run' in deed) || (deed.run === run.plan.id && deed.type === name)),
      ),
    );
}

/** A call whose outcome is said to be unknown, though nothing kept it from being told. */
export function judgeUnknown(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const { word } = run.final;
  // A run that is cancelled does not wait for what its tools did.
  if (word === null || word.code === 'cancelled') return [];
  return (word.calls ?? []).flatMap((said): readonly Finding[] => {
    if (said.status !== 'unknown_outcome') return [];
    const call = run.calls.get(said.id);
    const starts = run.tools.filter(
      ({ event, tool, args }) =>
        event === 'started' &&
        call !== undefined &&
        identityOf(tool, args) === identityOf(call.tool, call.args),
    );
    // One that was never started was given to a worker that died before it could: any may have been meant.
    const own = starts.filter(({ told }) => told.tool_call_id === said.id);
    const excused =
      (own.length === 0 ? starts : own).some((start) => isHindered(start, run, facts.nemesis)) ||
      (own.length === 0 && wasDisturbed(run, said, facts));
    if (excused) return [];
    return [
      {
        kind: 'wrong_end',
        run: run.plan.id,
        what: `${said.name} ${said.id} is said to be unknown, and nothing befell it`,
        lines: starts.map(toolLine),
      },
    ];
  });
}
