/** Judges how a run ended by what the journals show of it. Pure. */
import type { RunResult } from '../contract.ts';
import { isTerminal } from '../run.ts';
import type { AttemptFacts, RunFacts } from './journal-facts.ts';
import { callsOf } from './scenarios.ts';
import type { ExpectedAttempt, ExpectedEffect, Scenario } from './scenario.ts';
import type { ToolEntry } from './tool-journal.ts';

/** Something that did not end as it should. */
export interface Finding {
  readonly expected: string;
  readonly found: string;
  /** What `found` is taken from. @default the journals */
  readonly source?: 'Drover';
}

type Play = Pick<Scenario, 'script' | 'expected'>;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
const listed = (parts: readonly string[]): string => (parts.length === 0 ? 'none' : parts.join(', '));

const describeAttempts = (attempts: readonly { readonly status: string }[]): string =>
  `${counted(attempts.length, 'attempt')}: ${listed(attempts.map(({ status }) => status))}`;

function checkAttempts(expected: readonly ExpectedAttempt[], { attempts }: RunFacts): readonly Finding[] {
  const same =
    attempts.length === expected.length &&
    attempts.every(({ status }, index) => status === expected[index]?.status);
  if (same) return [];
  const found = attempts.length === 0 ? 'no attempt was ever created' : describeAttempts(attempts);
  const open = attempts.filter(({ status }) => !isTerminal(status));
  return [
    {
      expected: describeAttempts(expected),
      found: open.length === 0 ? found : `${found}; not every one has ended`,
    },
  ];
}

const describeRounds = (rounds: readonly (readonly string[])[]): string =>
  rounds.length === 0 ? 'no call is answered' : rounds.map((ids) => `[${ids.join(', ')}]`).join(' then ');

function checkAnswers(wanted: ExpectedAttempt, facts: AttemptFacts): readonly Finding[] {
  const expected = describeRounds(wanted.answered.map((ids) => [...ids].sort()));
  const found = describeRounds(
    facts.submits.map(({ outputs }) => outputs.map(({ callId }) => callId).sort()),
  );
  if (expected === found) return [];
  return [
    {
      expected: `attempt ${facts.number}, answers a round at a time: ${expected}`,
      found: `attempt ${facts.number}: ${found}`,
    },
  ];
}

/** Who had to do with it. */
function describeEntries(entries: readonly ToolEntry[]): string {
  const attempts = [...new Set(entries.map(({ attempt }) => attempt))];
  const processes = [...new Set(entries.map(({ pid }) => pid))];
  return `attempt ${listed(attempts.map(String))}; process ${listed(processes.map(String))}`;
}

function checkEffects({ effects }: Scenario['expected'], { tools }: RunFacts): readonly Finding[] {
  const findings: Finding[] = [];
  const isMeant = (entry: ToolEntry, effect: ExpectedEffect): boolean =>
    entry.tool === effect.tool && entry.subject === effect.subject;
  for (const effect of effects) {
    const entries = tools.filter((entry) => isMeant(entry, effect));
    const starts = entries.filter(({ event }) => event === 'started').length;
    const acts = entries.filter(({ event }) => event === 'done').length;
    if (acts >= 1 && (effect.once !== true || (acts === 1 && starts === 1))) continue;
    findings.push({
      expected:
        effect.once === true
          ? `${effect.tool} is started once and acts once on ${effect.subject}`
          : `${effect.tool} acts on ${effect.subject}`,
      found: `it was started ${counted(starts, 'time')} and acted ${counted(acts, 'time')}${entries.length === 0 ? '' : ` (${describeEntries(entries)})`}`,
    });
  }
  const surplus = tools.filter((entry) => !effects.some((effect) => isMeant(entry, effect)));
  if (surplus.length > 0) {
    findings.push({
      expected: 'no tool does anything else',
      found: listed(surplus.map(({ tool, event, subject }) => `${tool} ${event} on ${subject}`)),
    });
  }
  return findings;
}

const isErrorOutput = (output: string): boolean => output.startsWith('{"error":');

/** The model is told what the tool gave, whichever call and attempt it was run for. */
function checkOutputs({ script, expected }: Play, { attempts, tools }: RunFacts): readonly Finding[] {
  const names = new Map(callsOf(script).map(({ id, name }) => [id, name]));
  const outputs = attempts.flatMap(({ submits }) => submits.flatMap((submit) => submit.outputs));
  return outputs.flatMap(({ callId, output }): readonly Finding[] => {
    const name = names.get(callId) ?? 'a tool that nobody called';
    if (expected.refused?.includes(callId) === true) {
      const ran = tools.some((entry) => entry.tool_call_id === callId);
      if (isErrorOutput(output) && !ran) return [];
      return [
        {
          expected: `call ${callId} is refused with an error that the model can read`,
          found: ran ? `${name} was run for it` : 'it was answered with something else',
        },
      ];
    }
    const receipts = tools.filter(({ tool, event }) => tool === name && event === 'done');
    if (receipts.some(({ receipt }) => receipt !== null && output.includes(receipt))) return [];
    return [
      {
        expected: `call ${callId} is answered with what ${name} gave`,
        found: isErrorOutput(output)
          ? 'it was answered with an error'
          : 'it was answered with something else',
      },
    ];
  });
}

/** True where `entry`'s tool worked at that moment. */
function workedAt(at: number, entry: ToolEntry, tools: readonly ToolEntry[]): boolean {
  if (entry.event !== 'started' || entry.at > at) return false;
  const end = tools.find(
    ({ event, tool_call_id: id, pid, at: ended }) =>
      event !== 'started' && id === entry.tool_call_id && pid === entry.pid && ended >= entry.at,
  );
  return end === undefined || end.at > at;
}

function checkPlot({ expected }: Play, facts: RunFacts): readonly Finding[] {
  const { attempts, tools, kills, approvedAt, before } = facts;
  const findings: Finding[] = [];
  const check = (holds: boolean, wanted: string, found: string): void => {
    if (!holds) findings.push({ expected: wanted, found });
  };
  if (expected.inParallel === true) {
    const together = tools.some(({ at }) => tools.filter((entry) => workedAt(at, entry, tools)).length > 1);
    check(together, 'its tools work at the same time', 'they worked one after the other');
  }
  if (expected.growingBudget === true) {
    const budgets = attempts.map(({ budget }) => budget);
    const grows = budgets.every(
      (budget, index) => budget !== null && (index === 0 || budget > (budgets[index - 1] ?? Infinity)),
    );
    check(
      grows && budgets.length > 1,
      'each attempt has more completion tokens than the one before',
      `the attempts had ${listed(budgets.map(String))}`,
    );
  }
  if (expected.endsDuringTool !== undefined) {
    const ended = attempts[expected.endsDuringTool - 1];
    check(
      ended !== undefined && tools.some((entry) => workedAt(ended.at, entry, tools)),
      `attempt ${expected.endsDuringTool} ends while a tool still works`,
      'no tool worked when it ended',
    );
  }
  if (expected.approved === true) {
    const started = tools.find(({ event }) => event === 'started');
    check(
      approvedAt !== null && started !== undefined && started.at >= approvedAt,
      'its tool starts once somebody has approved it',
      approvedAt === null ? 'nobody approved it' : 'it started before',
    );
  }
  if (expected.follows !== undefined) {
    check(
      before.ended === 1 && before.alive === 0,
      `it begins once the run of ${expected.follows} has ended on their thread`,
      `of the others there, ${before.ended} had ended and ${before.alive} lived`,
    );
  }
  if (expected.workerKilled === true) {
    const kill = kills.find(({ pid }) => tools.some((entry) => entry.pid === pid));
    check(
      kill !== undefined && attempts.some(({ at }) => at > kill.at),
      'its worker is killed, and another one ends the run',
      kill === undefined ? 'no worker that ran its tools was killed' : 'nothing was done after the kill',
    );
  }
  return findings;
}

function checkInvariants({ mostAlive, stillAlive, inputs, attempts }: RunFacts): readonly Finding[] {
  const findings: Finding[] = [];
  if (mostAlive.length > 1) {
    findings.push({
      expected: 'at most one attempt lives at a time',
      found: `these lived at the same time: ${listed(mostAlive)}`,
    });
  }
  if (stillAlive.length > 0) {
    findings.push({ expected: 'no attempt is left alive', found: `still alive: ${listed(stillAlive)}` });
  }
  if (attempts.length > 0 && (inputs.length === 0 || inputs.some((count) => count !== 1))) {
    findings.push({
      expected: 'the input stands once in its thread',
      found:
        inputs.length === 0 ? 'it stands nowhere' : `it stands there ${listed(inputs.map(String))} times`,
    });
  }
  return findings;
}

/** Everything that the journals show to have gone otherwise than the scenario says; empty where all went well. */
export function judge(play: Play, facts: RunFacts): readonly Finding[] {
  const { expected } = play;
  return [
    ...checkAttempts(expected.attempts, facts),
    ...facts.attempts.flatMap((attempt, index) => {
      const wanted = expected.attempts[index];
      return wanted === undefined ? [] : checkAnswers(wanted, attempt);
    }),
    ...checkEffects(expected, facts),
    ...checkOutputs(play, facts),
    ...checkPlot(play, facts),
    ...checkInvariants(facts),
  ];
}

/** Where Drover's word differs from the journals. Null for a result that never came. */
export function compareWithResult(result: RunResult | null, { attempts }: RunFacts): readonly Finding[] {
  const source = 'Drover';
  if (result === null) return [{ expected: 'Drover gives a result', found: 'it gave none', source }];
  const findings: Finding[] = [];
  const shown = listed(attempts.map(({ status, ids }) => `${status} (${ids.join(', ')})`));
  const said = listed(
    result.attempts.map(({ status, provider_ids: ids }) => `${status} (${ids.join(', ')})`),
  );
  if (shown !== said) {
    findings.push({
      expected: `Drover reports the attempts that the journals show: ${shown}`,
      found: `it reports ${said}`,
      source,
    });
  }
  const completed = attempts.at(-1)?.status === 'completed';
  if (completed !== (result.run.status === 'completed')) {
    findings.push({
      expected: `Drover reports the run as ${completed ? 'completed' : 'not completed'}, as the journals show it`,
      found: `it reports ${result.run.status}${result.code === null ? '' : ` (${result.code})`}`,
      source,
    });
  }
  return findings;
}
