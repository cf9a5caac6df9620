/** Judges what a result says nobody knows: something must have befallen it. Pure. */
import { identityOf } from '../tool-table.ts';
import { isHindered } from './effects.ts';
import type { Facts, RunFacts } from './facts.ts';
import { toolLine } from './finding.ts';
import type { Finding } from './finding.ts';

/** Whoever was to start it: any worker, the server, or somebody who paused or reset it. */
function wasDisturbed(run: RunFacts, { nemesis }: Pick<Facts, 'nemesis'>): boolean {
  const from = run.start?.begunAt ?? 0;
  const to = run.final.closedAt ?? Infinity;
  return nemesis.some((deed) =>
    'run' in deed ? deed.run === run.plan.id : deed.at >= from && deed.at <= to,
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
      (own.length === 0 && wasDisturbed(run, facts));
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
