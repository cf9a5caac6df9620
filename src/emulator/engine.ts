/** Plays scripts: pure, so that both wires tell the same story. */
import type { Script, ScriptApproval, ScriptAttempt, ScriptCall, ScriptUsage, Step } from './script.ts';

/** An output that the model was given, in the order in which it came. */
export interface NamedOutput {
  readonly name: string;
  readonly output: string;
}

/** Where in its script a run stands. A value: two continuations of one response do not disturb each other. */
export interface Position {
  readonly attempt: ScriptAttempt;
  readonly attemptIndex: number;
  readonly step: number;
  readonly turn: number;
  readonly outputs: readonly NamedOutput[];
}

/** Something that takes time before the turn ends. `status` null: `in_progress`. */
export interface Phase {
  readonly status: string | null;
  readonly ms: number;
}

export type Outcome =
  | { readonly kind: 'calls'; readonly calls: readonly ScriptCall[] }
  | { readonly kind: 'approvals'; readonly approvals: readonly ScriptApproval[] }
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string }
  | { readonly kind: 'incomplete'; readonly reason: string; readonly text: string | null }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'vanished' }
  | { readonly kind: 'hang'; readonly status: string | null };

export interface Turn {
  readonly phases: readonly Phase[];
  /** What it said and thought before the turn's end. */
  readonly said: readonly { readonly kind: 'say' | 'reason'; readonly text: string }[];
  readonly outcome: Outcome;
  readonly usage: Required<ScriptUsage>;
  readonly next: Position;
}

export type Rejection = Extract<Step, { reject: unknown }>['reject'];

/** The start of the nth (from 0) attempt; the last attempt of the script repeats. */
export function startPosition(script: Script, attemptIndex: number): Position {
  const attempt = script.attempts[Math.min(attemptIndex, script.attempts.length - 1)] ?? { steps: [] };
  return { attempt, attemptIndex, step: 0, turn: 0, outputs: [] };
}

export function withOutputs(position: Position, outputs: readonly NamedOutput[]): Position {
  return { ...position, outputs: [...position.outputs, ...outputs] };
}

/** True where the attempt has steps that were not played yet. */
export function hasStepsLeft(position: Position): boolean {
  return position.step < position.attempt.steps.length;
}

function isSkipped(step: Step, budget: number | null): boolean {
  if (!('incomplete' in step) || step.unless_budget_at_least === undefined) return false;
  return budget === null || budget >= step.unless_budget_at_least;
}

/** A `reject` step that is due now, and the position after it. */
export function takeRejection(
  position: Position,
  budget: number | null,
): { readonly rejection: Rejection; readonly next: Position } | null {
  for (let at = position.step; at < position.attempt.steps.length; at += 1) {
    const step = position.attempt.steps[at];
    if (step === undefined || isSkipped(step, budget)) continue;
    return 'reject' in step ? { rejection: step.reject, next: { ...position, step: at + 1 } } : null;
  }
  return null;
}

/** Fills `{{outputs}}`, `{{output.NAME}}` and `{{output.0}}`; what is not there becomes an empty text. */
export function fillTemplate(text: string, outputs: readonly NamedOutput[]): string {
  return text.replaceAll(/\{\{\s*(outputs|output\.([^}\s]+))\s*\}\}/g, (_all, what: string, key: unknown) => {
    if (what === 'outputs') return outputs.map((held) => held.output).join('\n');
    const name = String(key);
    const found = /^\d+$/.test(name) ? outputs[Number(name)] : outputs.findLast((held) => held.name === name);
    return found?.output ?? '';
  });
}

/** Tokens of the nth turn (from 0): they grow from turn to turn, as the history that is sent again does. */
function defaultUsage(turn: number): Required<ScriptUsage> {
  return {
    prompt_tokens: 64 + 32 * turn,
    completion_tokens: 16 + 8 * turn,
    cached_tokens: 0,
    reasoning_tokens: 0,
  };
}

function endOf(step: Step, outputs: readonly NamedOutput[]): Outcome | null {
  if ('call' in step) return { kind: 'calls', calls: step.call };
  if ('approve' in step) return { kind: 'approvals', approvals: step.approve };
  if ('answer' in step) return { kind: 'answer', text: fillTemplate(step.answer, outputs) };
  if ('refuse' in step) return { kind: 'refusal', text: step.refuse };
  if ('incomplete' in step) return { kind: 'incomplete', reason: step.incomplete, text: step.text ?? null };
  if ('fail' in step) return { kind: 'failed', ...step.fail };
  if ('expire' in step) return { kind: 'expired' };
  if ('cancel' in step) return { kind: 'cancelled' };
  if ('vanish' in step) return { kind: 'vanished' };
  if ('hang' in step) return { kind: 'hang', status: null };
  if ('status' in step && step.for_ms === undefined) return { kind: 'hang', status: step.status };
  return null;
}

/**
 * Plays one turn: from `position` to the next step that ends one. A script that has no steps left answers "Done.".
 *
 * @param budget the request's completion token budget; null where it set none.
 */
export function playTurn(position: Position, budget: number | null): Turn {
  const phases: Phase[] = [];
  const said: { kind: 'say' | 'reason'; text: string }[] = [];
  let usage = defaultUsage(position.turn);
  let at = position.step;
  let outcome: Outcome | null = null;
  while (outcome === null && at < position.attempt.steps.length) {
    const step = position.attempt.steps[at];
    at += 1;
    if (step === undefined || isSkipped(step, budget)) continue;
    outcome = endOf(step, position.outputs);
    if ('think_ms' in step) phases.push({ status: null, ms: step.think_ms });
    else if ('status' in step && step.for_ms !== undefined)
      phases.push({ status: step.status, ms: step.for_ms });
    else if ('say' in step) said.push({ kind: 'say', text: fillTemplate(step.say, position.outputs) });
    else if ('reason' in step) said.push({ kind: 'reason', text: step.reason });
    else if ('usage' in step) usage = { cached_tokens: 0, reasoning_tokens: 0, ...step.usage };
  }
  return {
    phases,
    said,
    outcome: outcome ?? { kind: 'answer', text: 'Done.' },
    usage,
    next: { ...position, step: at, turn: position.turn + 1 },
  };
}

/** The arguments as the model sends them: text. */
export function argumentsText(given: ScriptCall['arguments']): string {
  return typeof given === 'string' ? given : JSON.stringify(given);
}
