/** The rounds of an attempt: looking at it, handing in outputs, reading what it said. */
import type { AttemptOutput, AttemptRef, ToolOutput } from '../steps.ts';
import { BackendError, isBackendError } from './backend.ts';
import type { Observation, ResolvedRun } from './backend.ts';
import { ERROR_CODES } from './provider-errors.ts';
import { makeFirst } from './responses-create.ts';
import { readOutput } from './responses-items.ts';
import { makeStep } from './responses-make.ts';
import { judgeGuess } from './responses-guess.ts';
import { exhaustedBudget } from './responses-request.ts';
import { carriedAnswer, observeNothing, observeResponse } from './responses-run.ts';
import { readState } from './responses-state.ts';
import type { PendingStep } from './responses-state.ts';
import { nowSeconds, planOutputs } from './responses-steps.ts';
import type { Adapter, Entry } from './responses-steps.ts';

/** Makes the step that is prepared, or reads the last response. */
export async function look(
  adapter: Adapter,
  attempt: AttemptRef,
  run: ResolvedRun,
  signal: AbortSignal,
): Promise<Observation> {
  const { pending, unsure_after } = readState(attempt);
  if (pending === null) {
    if (unsure_after !== null) return await judgeGuess(adapter, attempt, run, signal);
    return await readLast(adapter, attempt, signal);
  }
  const made = await makePending(adapter, attempt, pending, run, signal);
  if (readState(made.attempt).unsure_after === null) return made;
  try {
    return await judgeGuess(adapter, made.attempt, run, signal);
  } catch (error) {
    // The next look asks again: an error here would forget the step that was made.
    if (!isBackendError(error)) throw error;
    return made;
  }
}

async function makePending(
  adapter: Adapter,
  attempt: AttemptRef,
  pending: PendingStep,
  run: ResolvedRun,
  signal: AbortSignal,
): Promise<Observation> {
  if (pending.kind === 'outputs') {
    const what = `going on from response ${attempt.id}`;
    return await makeRound(adapter, attempt, run, pending.outputs, { suspect: true, what, signal });
  }
  const { outputs, resumes, fresh } = pending;
  // Whether an earlier look made this step is not known: a conversation is asked.
  const entry: Entry = { run, outputs, resumes, fresh, includeInput: true, suspect: true };
  return (await makeFirst(adapter, attempt, entry, readState(attempt), signal)).observation;
}

async function makeRound(
  adapter: Adapter,
  attempt: AttemptRef,
  run: ResolvedRun,
  outputs: readonly ToolOutput[],
  how: { readonly suspect: boolean; readonly what: string; readonly signal: AbortSignal },
): Promise<Observation> {
  const { suspect, what, signal } = how;
  const make = async (): Promise<Observation> => {
    const plan = await planOutputs(adapter, attempt, run, outputs, suspect, signal);
    return await makeStep(adapter, attempt, run, plan, what, signal);
  };
  try {
    return await make();
  } catch (error) {
    const refused = isBackendError(error) && error.code === ERROR_CODES.outputMissing;
    if (!suspect || !refused || attempt.thread_id === null) throw error;
    // Between the look and the request an earlier try ended there, and left calls: its answer is taken up.
    return await make();
  }
}

async function readLast(adapter: Adapter, attempt: AttemptRef, signal: AbortSignal): Promise<Observation> {
  const state = readState(attempt);
  const answer = carriedAnswer(state);
  if (answer !== null) return observeResponse(attempt, state, answer, nowSeconds());
  if (attempt.provider_ids.length === 0 && state.ended === 'cancelled') {
    return observeNothing(attempt, state, 'cancelled', nowSeconds());
  }
  if (!adapter.settings.store) throw notStored(adapter, attempt);
  const { response, lookAfterMs } = await adapter.calls.retrieve(attempt.id, signal);
  return observeResponse(attempt, state, response, nowSeconds(), lookAfterMs);
}

const notStored = (adapter: Adapter, attempt: AttemptRef): BackendError =>
  new BackendError(
    'not_found',
    `Backend ${adapter.name}: response ${attempt.id} was not stored; its output came with its last observation.`,
  );

/**
 * One output for each open call: what nobody asked for, or a second one, is left out.
 *
 * @throws BackendError `rejected` where one is missing, so that the mistake costs no request.
 */
function pickOutputs(
  attempt: AttemptRef,
  open: readonly string[],
  outputs: readonly ToolOutput[],
): readonly ToolOutput[] {
  const picked = open.flatMap((id) => outputs.find((output) => output.tool_call_id === id) ?? []);
  if (picked.length === open.length) return picked;
  const missing = open.filter((id) => !picked.some((output) => output.tool_call_id === id));
  throw new BackendError(
    'rejected',
    `Response ${attempt.id} waits for outputs that are missing: ${missing.join(', ')}. Hand in one for each open call.`,
    { code: ERROR_CODES.outputMissing },
  );
}

/**
 * Hands in a round: POSTs the next response, or prepares it in the foreground.
 *
 * @throws BackendError `wrong_status` where nothing waits, `rejected` where an output is missing,
 * `not_found` where the chain is gone.
 */
export async function submitOutputs(
  adapter: Adapter,
  given: AttemptRef,
  outputs: readonly ToolOutput[],
  run: ResolvedRun,
  suspect: boolean,
  signal: AbortSignal,
): Promise<Observation> {
  let attempt = given;
  let state = readState(attempt);
  if (state.last === null || state.ended !== null || exhaustedBudget(state) !== null) {
    const seen = await readLast(adapter, attempt, signal);
    if (seen.run.status === 'incomplete') return seen;
    attempt = seen.attempt;
    state = readState(attempt);
  }
  const open = state.last?.calls ?? [];
  if (open.length === 0 || state.ended !== null) {
    throw new BackendError(
      'wrong_status',
      `Backend ${adapter.name}: response ${attempt.id} waits for no outputs, it is ${state.ended ?? state.last?.status ?? 'unknown'}.`,
    );
  }
  const picked = pickOutputs(attempt, open, outputs);
  if (adapter.settings.mode === 'foreground') {
    const prepared = { ...state, pending: { kind: 'outputs' as const, outputs: picked } };
    return observeNothing(attempt, prepared, 'queued', nowSeconds());
  }
  const what = `submitting outputs to response ${attempt.id}`;
  return await makeRound(adapter, attempt, run, picked, { suspect, what, signal });
}

/** What the chain's last response said. */
export async function readChainOutput(
  adapter: Adapter,
  attempt: AttemptRef,
  signal: AbortSignal,
): Promise<AttemptOutput> {
  const state = readState(attempt);
  const answer = carriedAnswer(state);
  if (answer !== null) return readOutput(answer.output);
  if (attempt.provider_ids.length === 0) return readOutput([]);
  if (!adapter.settings.store) throw notStored(adapter, attempt);
  return readOutput((await adapter.calls.retrieve(attempt.id, signal)).response.output);
}
