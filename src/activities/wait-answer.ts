/** What an observation means to the wait for an attempt: an end, calls, the deadline, or nothing yet. */
import type { Backend, Observation } from '../backends/backend.ts';
import { LIMITS } from '../contract.ts';
import { isKnownStatus, isTerminal } from '../run.ts';
import type { AttemptOutput, AwaitRunInput, AwaitRunOutput } from '../steps.ts';
import { planCalls } from '../tools/plan-calls.ts';
import { readEnd } from './attempt-reason.ts';
import { boundOutput } from './bound-answer.ts';
import { withoutBulk } from './create-run.ts';
import type { ActivityDeps } from './deps.ts';
import { costOf } from './price.ts';
import { readStructure } from './read-structured.ts';
import type { ResolvedStep } from './resolve-step.ts';

/** Past this many calls even their refusals would not fit through Temporal. */
const MOST_CALLS = 4 * LIMITS.callsPerRound;

async function readOutput(backend: Backend, seen: Observation, signal: AbortSignal): Promise<AttemptOutput> {
  if (seen.output !== null) return seen.output;
  const { status } = seen.run;
  if (status === 'completed' || status === 'incomplete') return backend.output(seen.attempt, signal);
  return { text: '', refusal: null, messages: [] };
}

/** Functions that the model may call: those of the request or the assistant, else what the provider's run lists. */
function allowedNames(resolved: ResolvedStep, seen: Observation): ReadonlySet<string> {
  if (resolved.allowed !== null) return resolved.allowed;
  const names = (seen.run.tools ?? []).flatMap((tool) => {
    const named = (tool['function'] as { name?: unknown } | null | undefined)?.name;
    return typeof named === 'string' ? [named] : [];
  });
  return new Set(names);
}

export interface Looking {
  readonly deps: ActivityDeps;
  readonly input: AwaitRunInput;
  readonly resolved: ResolvedStep;
  /** A look before this one may have made a step too. */
  readonly ambiguous: boolean;
  readonly signal: AbortSignal;
  /** Since the wait began, in milliseconds. */
  readonly waitedMs: number;
}

/**
 * How long a provider may go on showing calls that it was given outputs for, in milliseconds: a copy of it that is behind
 * catches up sooner. After that the outputs of the last round are handed in once more, and no tool is run; calls of an
 * earlier one are new, of a server that gives the same ids again.
 */
const BEHIND_MS = 15_000;

/** What the wait answers; null where it goes on. */
export async function readAnswer(seen: Observation, looking: Looking): Promise<AwaitRunOutput | null> {
  const { attempt, run, raw_code } = seen;
  const { deps, input, resolved, ambiguous, signal, waitedMs } = looking;
  const usage = run.usage ?? seen.spent ?? null;
  const cost = costOf(deps.config, usage, run.model);
  const spending = {
    ...(run.usage === null && seen.spent !== undefined ? { spent: seen.spent } : {}),
    ...(cost === undefined ? {} : { cost }),
  };
  if (isTerminal(run.status)) {
    const said = await readOutput(resolved.backend, seen, signal);
    const end = readEnd(seen);
    const structure = end.reason === 'completed' ? readStructure(resolved.run.response_format, said) : 'none';
    const output = boundOutput(structure === 'fits' ? { ...said, structured: true } : said);
    const reason = structure === 'misfit' ? 'invalid_output' : end.reason;
    // What was cut to fit is not what it said.
    const isWhole = resolved.backend.listen !== undefined && output.text === said.text;
    const streamed = isWhole ? { streamed: true as const } : {};
    return {
      kind: 'ended',
      attempt,
      run,
      raw_code,
      ambiguous,
      output,
      ...streamed,
      ...spending,
      ...end,
      reason,
    };
  }
  const isBehind = seen.repeats !== undefined && waitedMs < BEHIND_MS;
  if (isBehind && Date.now() < input.until_ms) return null;
  if (isBehind) return { kind: 'deadline', unknown_status: null };
  const slim = { attempt, run: withoutBulk(run), raw_code, ambiguous, ...spending };
  if (seen.unsupported_action !== null) {
    return { kind: 'unsupported_action', action: seen.unsupported_action, ...slim };
  }
  if (seen.calls.length > MOST_CALLS) {
    return { kind: 'unsupported_action', action: `${seen.calls.length} tool calls at once`, ...slim };
  }
  if (seen.calls.length > 0) {
    const planned = planCalls({
      calls: seen.calls,
      allowed: allowedNames(resolved, seen),
      registry: deps.config.registry,
      context: resolved.request.context ?? null,
    });
    const again = seen.repeats === 'last' ? { again: true as const } : {};
    return { kind: 'requires_action', calls: planned, ...again, ...slim };
  }
  if (Date.now() < input.until_ms) return null;
  return { kind: 'deadline', unknown_status: isKnownStatus(run.status) ? null : run.status };
}
