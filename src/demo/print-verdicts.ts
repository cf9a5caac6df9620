/** What the demo says at its end: a table, links, and what went wrong. */
import { duration, table } from '../cli/output.ts';
import type { Output } from '../cli/output.ts';
import type { Verdict } from './play.ts';

const MARKS = { good: '✔', bad: '✘' } as const;

function toolCalls({ result, facts }: Verdict): string {
  if (result === null) return String(facts.attempts.flatMap(({ submits }) => submits).length);
  const { tool_calls: calls } = result;
  const reused = calls.filter((call) => call.reused).length;
  const refused = calls.filter(({ status }) => status === 'bad_arguments').length;
  const marks = [...(reused > 0 ? [`${reused} reused`] : []), ...(refused > 0 ? [`${refused} refused`] : [])];
  return `${calls.length}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}`;
}

function rowOf(verdict: Verdict): readonly string[] {
  const { scenario, facts, result, tookMs, findings } = verdict;
  return [
    findings.length === 0 ? MARKS.good : MARKS.bad,
    scenario.name,
    scenario.wire,
    result?.run.status ?? 'no result',
    String(result?.attempts.length ?? facts.attempts.length),
    toolCalls(verdict),
    result === null ? '–' : String(result.usage.total_tokens),
    duration(tookMs),
  ];
}

/** A table takes no colours: the mark at the start of a line gets its own here. */
function paintMark(line: string, output: Output): string {
  const tone = (['good', 'bad'] as const).find((name) => line.startsWith(MARKS[name]));
  return tone === undefined ? line : output.tone(tone, MARKS[tone]) + line.slice(MARKS[tone].length);
}

export function printTable(verdicts: readonly Verdict[], output: Output): void {
  const head = ['', 'RUN', 'WIRE', 'STATUS', 'ATTEMPTS', 'TOOL CALLS', 'TOKENS', 'TIME'];
  output.out('');
  for (const line of table(head, verdicts.map(rowOf)).split('\n')) output.out(paintMark(line, output));
}

export interface Place {
  readonly uiUrl: string | null;
  readonly address: string;
  readonly namespace: string;
}

/** The page of a run in Temporal UI. */
export const linkTo = (uiUrl: string, namespace: string, runId: string): string =>
  `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(runId)}`;

export function printLinks(verdicts: readonly Verdict[], place: Place, output: Output): void {
  const { uiUrl, address, namespace } = place;
  output.out('');
  if (uiUrl === null) {
    output.out(`Their workflows, in the UI of the server at ${address}, namespace ${namespace}:`);
    for (const { runId } of verdicts) output.out(`  ${runId}`);
    return;
  }
  output.out('Their pages in Temporal UI:');
  for (const { runId } of verdicts) output.out(`  ${linkTo(uiUrl, namespace, runId)}`);
}

/** Which run went wrong, what was expected, what the journals show. */
export function printFindings(verdicts: readonly Verdict[], output: Output): void {
  const wrong = verdicts.filter(({ findings }) => findings.length > 0);
  output.out('');
  if (wrong.length === 0) {
    const all = `All ${verdicts.length} runs ended as they should`;
    output.out(`${output.tone('good', all)}, by the provider's journal and the tools' own.`);
    return;
  }
  for (const { scenario, runId, findings } of wrong) {
    output.out(`${output.tone('bad', scenario.name)} did not end as it should (${runId}):`);
    for (const { expected, found, source } of findings) {
      output.out(`  expected  ${expected}`);
      output.out(`  ${(source ?? 'journals').padEnd(8)}  ${found}`);
    }
  }
}
