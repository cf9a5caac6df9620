/** Judges how runs ended: whether at all, rightly, and with a result that says what happened. Pure. */
import type { Promises } from '../drivers/driver.ts';
import { answerOf } from '../plan.ts';
import { isToolName, traitsOf } from '../tool-table.ts';
import { acted } from './facts.ts';
import type { RunFacts } from './facts.ts';
import { providerLine, toolLine } from './finding.ts';
import type { ToolName } from '../tool-table.ts';
import type { Finding, FindingKind } from './finding.ts';
import { isGivenUp } from './outputs.ts';

const NO_END: ReadonlySet<string> = new Set([
  'TERMINATED',
  'TIMED_OUT',
  'RUNNING',
  'CONTINUED_AS_NEW',
  'PAUSED',
]);

/** True where the run's workflow has closed by itself. */
export const hasEnded = ({ final: { workflow } }: RunFacts): boolean =>
  workflow !== null && !NO_END.has(workflow);

export function judgeLost(run: RunFacts): readonly Finding[] {
  const { workflow, word } = run.final;
  const found = (what: string): readonly Finding[] => [
    { kind: 'lost', run: run.plan.id, what, lines: run.lives.map(({ bornSeq }) => providerLine(bornSeq)) },
  ];
  if (workflow === null) return found('there is no workflow of this id');
  if (!hasEnded(run)) return found(`its workflow is ${workflow} at the end`);
  return word === null ? found(`its workflow is ${workflow} and no result can be had`) : [];
}

/** What Temporal shows of the run, in its lists and to whoever waits for it, is not what its result says. */
export function judgeStatus(run: RunFacts, promises: Pick<Promises, 'closesAs'>): readonly Finding[] {
  const { workflow, word } = run.final;
  if (word === null || workflow === null || !hasEnded(run)) return [];
  const right = promises.closesAs(word.code);
  if (right.includes(workflow)) return [];
  const what = `its workflow is ${workflow} and its result says ${word.code ?? 'completed'}; right is ${right.join(' or ')}`;
  return [{ kind: 'wrong_end', run: run.plan.id, what, lines: [] }];
}

/** What the model was told of a call stands in the result of a run that has completed, by the same words. */
export function judgeAccount(run: RunFacts): readonly Finding[] {
  const { word } = run.final;
  if (word === null || word.calls === null || word.code !== null) return [];
  const told = new Map<string, string[]>();
  for (const { outputs } of acted(run).filter(({ kind }) => kind === 'submit'))
    for (const { callId, output } of outputs)
      if (run.calls.has(callId) && !isGivenUp(output))
        told.set(callId, [...(told.get(callId) ?? []), output]);
  return [...told].flatMap(([id, given]): readonly Finding[] => {
    const said = word.calls?.filter((call) => call.id === id) ?? [];
    const isSo = said.length > 0 && said.every(({ output }) => output !== null && given.includes(output));
    if (isSo) return [];
    const what = `the model was given an output of ${id}, and the result says ${said.length === 0 ? 'nothing of it' : 'another one'}`;
    return [{ kind: 'wrong_end', run: run.plan.id, what, lines: [] }];
  });
}

/** Calls whose effect may have been made without anybody's knowing. */
export const unknownOutcomes = (run: RunFacts): number =>
  (run.final.word?.calls ?? []).filter(({ status }) => status === 'unknown_outcome').length;

/** By itself, or by the word of whoever was asked what became of its effect. */
const endsRuns = (name: ToolName): boolean => ['end', 'wait'].includes(traitsOf(name).unknown ?? '');

export function judgeEnd(run: RunFacts, right: readonly (string | null)[]): readonly Finding[] {
  const { word } = run.final;
  if (word === null || !hasEnded(run)) return [];
  const finding = (what: string, lines: readonly string[] = []): Finding => {
    const kind: FindingKind = 'wrong_end';
    return { kind, run: run.plan.id, what, lines };
  };
  const findings: Finding[] = [];
  const { code, text } = word;
  const unknown = (word.calls ?? []).some(
    ({ status, name }) => status === 'unknown_outcome' && isToolName(name) && endsRuns(name),
  );
  if (!right.includes(code) && !(code === 'effect_unknown' && unknown))
    findings.push(
      finding(
        `a run of the shape ${run.plan.shape} ended by ${code ?? 'completed'}; right is ${right.map((end) => end ?? 'completed').join(' or ')}`,
      ),
    );
  if (code === null) {
    const last = run.lives.findLast(({ status }) => status === 'completed');
    if (last === undefined) findings.push(finding('it says completed, and no attempt has completed'));
    if (text !== answerOf(run.plan))
      findings.push(finding(`its text is not what the model said: ${text.slice(0, 80)}`));
  }
  return [...findings, ...judgeBook(run, finding)];
}

/** Every once-effect that was started stands in the run's result, by its outcome or as unknown. */
function judgeBook(
  run: RunFacts,
  finding: (what: string, lines: readonly string[]) => Finding,
): readonly Finding[] {
  const { word } = run.final;
  // Who keeps no book cannot tell what became of the calls that its service cancelled.
  if (word?.calls === null && run.plan.shape === 'cancelled_by_service') return [];
  return run.tools.flatMap((entry): readonly Finding[] => {
    if (entry.event !== 'started' || traitsOf(entry.tool).effect !== 'once') return [];
    const call = word?.calls?.find(({ id }) => id === entry.told.tool_call_id);
    if (call?.status === 'unknown_outcome') return [];
    const known = call?.status === 'completed' && call.output?.includes(entry.receipt) === true;
    const handedIn = run.exchanges.some(({ outputs }) =>
      outputs.some(({ output }) => output.includes(entry.receipt)),
    );
    if (known || (word?.calls === null && handedIn)) return [];
    return [
      finding(
        `${entry.tool} ${entry.told.tool_call_id} was started, and the result does not say what became of it (${call?.status ?? 'nothing'})`,
        [toolLine(entry)],
      ),
    ];
  });
}
