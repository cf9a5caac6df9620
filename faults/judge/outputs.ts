/** Judges what the provider was handed: every output of a round, once, and the input once. Pure. */
import { identityOf, traitsOf } from '../tool-table.ts';
import type { ToolName } from '../tool-table.ts';
import { acted, isUnheard } from './facts.ts';
import type { Exchange, Facts, RunFacts } from './facts.ts';
import { providerLine } from './finding.ts';
import type { Finding } from './finding.ts';

const parse = (text: string): Readonly<Record<string, unknown>> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
};

/** The output of a call that an earlier effect of other wording stood for. */
export const isDivergent = (output: string): boolean => typeof parse(output)?.['earlier_output'] === 'string';

/** The output of a call that was given up with the attempt that made it: nothing ran for it. */
export const isGivenUp = (output: string): boolean => parse(output)?.['error'] === 'not_executed';

/** Statuses of a response that what it was given has to be handed in again after, and that asks for nothing. */
const TOOK_NOTHING: ReadonlySet<string> = new Set(['failed', 'cancelled']);

/**
 * A call is given up where that closes the conversation of a run that went no further, and where nobody knows the response
 * that made it: its answer was lost, and what stands in the conversation has no id of it.
 */
function mayGiveUp(run: RunFacts, { kind, seq }: Exchange): boolean {
  if (kind === 'items') return run.final.word !== null && run.final.word.code !== null;
  // One that failed has asked for nothing.
  const asking = run.lives.findLast(({ bornSeq, status }) => bornSeq < seq && !TOOK_NOTHING.has(status));
  return asking !== undefined && !run.known.has(asking.id) && run.final.word?.ambiguous === true;
}

/** Where it says that nobody knows, of a tool that leaves it to the model; or that the call was given up. */
function saysWhy(run: RunFacts, exchange: Exchange, output: string, tool: ToolName): boolean {
  if (isGivenUp(output)) return mayGiveUp(run, exchange);
  const error = parse(output)?.['error'];
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'unknown_outcome' && traitsOf(tool).unknown === 'tell_model';
}

/** Somebody refused it, under this call's id or under that of an earlier attempt. */
function wasRefused(run: RunFacts, callId: string, output: string): boolean {
  const call = run.calls.get(callId);
  const error = parse(output)?.['error'];
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (code !== 'rejected' || call === undefined) return false;
  return run.people.some(({ outcome, tool_call_id }) => {
    const refused = run.calls.get(tool_call_id);
    return (
      outcome === 'reject' &&
      refused !== undefined &&
      identityOf(refused.tool, refused.args) === identityOf(call.tool, call.args)
    );
  });
}

/** A submit without an output for each call of its round, or with one that no effect gave. */
export function judgeMissing(run: RunFacts): readonly Finding[] {
  const finding = (exchange: Exchange, what: string): Finding => ({
    kind: 'missing_outputs',
    run: run.plan.id,
    what,
    lines: [providerLine(exchange.seq)],
  });
  return acted(run).flatMap((exchange): readonly Finding[] => {
    const given = new Set(exchange.outputs.map(({ callId }) => callId));
    const asked = exchange.outputs.flatMap(({ callId }) => run.calls.get(callId) ?? []);
    const findings: Finding[] = [];
    for (const { attempt, round } of new Set(asked)) {
      const wanted = [...run.calls.values()].filter(
        (call) => call.attempt === attempt && call.round === round,
      );
      const missing = wanted.filter(({ id }) => !given.has(id));
      if (missing.length > 0 && exchange.kind === 'submit')
        findings.push(finding(exchange, `no output for ${missing.map(({ id }) => id).join(', ')}`));
    }
    for (const { callId, output } of exchange.outputs) {
      const call = run.calls.get(callId);
      if (call === undefined) continue;
      const effects = run.tools.filter(
        (entry) =>
          entry.event === 'finished' &&
          identityOf(entry.tool, entry.args) === identityOf(call.tool, call.args),
      );
      if (effects.some(({ receipt }) => output.includes(receipt))) continue;
      if (run.people.some(({ receipt }) => receipt !== null && output.includes(receipt))) continue;
      if (saysWhy(run, exchange, output, call.tool) || wasRefused(run, callId, output)) continue;
      findings.push(
        finding(
          exchange,
          `${call.tool} ${callId} is answered with what no effect gave: ${output.slice(0, 120)}`,
        ),
      );
    }
    return findings;
  });
}

function tookNothing({ lives, plan }: RunFacts, { made }: Exchange): boolean {
  const status = lives.find(({ id }) => id === made)?.status ?? '';
  return plan.wire === 'responses' && TOOK_NOTHING.has(status);
}

/** One round handed in twice, though the first time was known to have worked. */
export function judgeDouble(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const submits = acted(run).filter(({ kind }) => kind === 'submit');
  const named = run.final.word?.ambiguous === true;
  return submits.flatMap((later, at): readonly Finding[] => {
    const earlier = submits.slice(0, at).find((before) => {
      if (!before.outputs.some(({ callId }) => later.outputs.some((output) => output.callId === callId)))
        return false;
      // A step that failed at the provider is made again after the last good one.
      if (tookNothing(run, before)) return false;
      const unfindable = run.plan.wire === 'responses' && !run.plan.onThread;
      return !(unfindable && named && isUnheard(before, run, facts));
    });
    if (earlier === undefined) return [];
    return [
      {
        kind: 'double_submits',
        run: run.plan.id,
        what: `outputs for ${later.outputs.map(({ callId }) => callId).join(', ')} were taken twice`,
        lines: [providerLine(earlier.seq), providerLine(later.seq)],
      },
    ];
  });
}

/** The provider lost what it had made before anybody heard of it: there is nothing left to find. */
export function hasVanished(run: RunFacts, exchange: Exchange, facts: Pick<Facts, 'nemesis'>): boolean {
  const attempt = run.statuses.find(({ id }) => id === exchange.made)?.attempt;
  if (attempt === undefined || run.plan.attempts[attempt]?.end !== 'vanishes') return false;
  return isUnheard(exchange, run, facts);
}

/** What is said with a response enters its conversation when that completes: not where it failed or was cancelled. */
const isDropped = (run: RunFacts, exchange: Exchange): boolean =>
  exchange.thread !== null && tookNothing(run, exchange);

/** How long before its request a try has looked for what an earlier one brought. Milliseconds. */
const LOOKED_BEFORE_MS = 1_000;

/** What was said with a response that nobody knew, and that worked on when the next try looked: it stood nowhere yet. */
function wasUnseen(run: RunFacts, exchange: Exchange, facts: Pick<Facts, 'nemesis'>): boolean {
  const { thread, seq, made } = exchange;
  const life = run.lives.find(({ id }) => id === made);
  if (run.plan.wire !== 'responses' || thread === null || life === undefined) return false;
  const next = acted(run).find((later) => later.seq > seq && later.said.length > 0);
  if (next === undefined || !isUnheard(exchange, run, facts)) return false;
  return (life.endedAt ?? Infinity) >= next.at - LOOKED_BEFORE_MS;
}

/** What the user said is not what the run was asked to say, or the model answered without having heard it. */
export function judgeUnsaid(run: RunFacts, { exchanges }: Pick<Facts, 'exchanges'>): readonly Finding[] {
  const { input, id } = run.plan;
  const finding = (what: string, lines: readonly string[]): Finding => ({
    kind: 'inputs_unsaid',
    run: id,
    what,
    lines,
  });
  const foreign = acted(run).filter(
    ({ model, pid, said }) => pid !== null && model === id && said.some((text) => text !== input),
  );
  const findings = foreign.map(({ seq, said }) =>
    finding(`it said what it was not asked to say: ${said.join(' ').slice(0, 80)}`, [providerLine(seq)]),
  );
  // Without a thread each chain is a talk of its own.
  const silent = acted(run).filter(
    ({ kind, pid, thread, subject, said }) =>
      kind === 'create' && pid !== null && thread === null && subject === null && !said.includes(input),
  );
  findings.push(
    ...silent.map(({ seq, made }) => finding(`${made ?? 'it'} began without its input`, [providerLine(seq)])),
  );
  // Its text is its own, so that whoever said it on a thread did so for this run.
  const wasSaid = exchanges.some(
    (exchange) =>
      exchange.answer?.acted === true && exchange.said.includes(input) && !isDropped(run, exchange),
  );
  const answered = run.lives.find(({ status }) => status === 'completed');
  if (answered !== undefined && !wasSaid)
    findings.push(
      finding(`${answered.id} has completed, and its input was never said`, [providerLine(answered.bornSeq)]),
    );
  return findings;
}

/** The input stands in a thread, or in one chain of responses, more than once. */
export function judgeInputs(run: RunFacts, facts: Pick<Facts, 'nemesis'>): readonly Finding[] {
  const said = new Map<string, Exchange[]>();
  for (const exchange of acted(run)) {
    if (exchange.pid === null || exchange.said.length === 0) continue;
    if (hasVanished(run, exchange, facts) || isDropped(run, exchange)) continue;
    if (wasUnseen(run, exchange, facts)) continue;
    const { thread, kind, made, subject } = exchange;
    // Without a thread each chain says it at its beginning, and no later step says it again.
    const place =
      thread ?? (kind === 'thread' ? made : subject === null ? null : `the chain after ${subject}`);
    if (place === null) continue;
    said.set(place, [...(said.get(place) ?? []), ...exchange.said.map(() => exchange)]);
  }
  return [...said].flatMap(([place, exchanges]): readonly Finding[] => {
    const most = place.startsWith('the chain') ? 0 : 1;
    if (exchanges.length <= most) return [];
    return [
      {
        kind: 'inputs_repeated',
        run: run.plan.id,
        what: `the input stands ${exchanges.length + 1 - most} times in ${place}`,
        lines: exchanges.map(({ seq }) => providerLine(seq)),
      },
    ];
  });
}
