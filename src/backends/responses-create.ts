/** Beginning an attempt: anew, after the last good response of the one before, or where a lost try left off. */
import { createHash } from 'node:crypto';
import type { AttemptRef } from '../steps.ts';
import { BackendError, isBackendError } from './backend.ts';
import type { Created, CreateSpec } from './backend.ts';
import { ERROR_CODES } from './provider-errors.ts';
import { makeStep } from './responses-make.ts';
import { firstState, observeNothing } from './responses-run.ts';
import { readState } from './responses-state.ts';
import type { ChainState } from './responses-state.ts';
import {
  canResume,
  inheritedUsage,
  nowSeconds,
  planChain,
  planConversation,
  readAnchor,
} from './responses-steps.ts';
import type { Adapter, Entry, Plan } from './responses-steps.ts';

/** Until the first answer an attempt has no id of the provider's. */
const pendingId = (key: string): string =>
  `pending_${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;

function entryOf(spec: CreateSpec): Entry {
  return {
    run: spec.run,
    outputs: spec.resume_outputs,
    resumes: canResume(spec.previous, spec.resume_outputs),
    includeInput: spec.include_input,
    suspect: spec.find_since_ms !== null,
    fresh: spec.previous === null,
  };
}

/** The state to begin with: what the attempt before left that this one goes on from. */
function stateFor(spec: CreateSpec, resumes: boolean): ChainState {
  const first = firstState(spec.run);
  if (spec.previous === null) return first;
  const before = readState(spec.previous);
  const { anchor, after, items } = before;
  return resumes
    ? { ...first, anchor, after, items, inherited: inheritedUsage(before) }
    : { ...first, anchor };
}

/** Creates the attempt: in the background its first response, in the foreground the plan to make it. */
export async function createChain(adapter: Adapter, spec: CreateSpec, signal: AbortSignal): Promise<Created> {
  const { run, thread_id: conversation } = spec;
  const { mode, store } = adapter.settings;
  if (conversation !== null && !store) {
    throw new BackendError(
      'rejected',
      `Backend ${adapter.name}: run ${run.run_id} names conversation ${conversation}, which needs \`store: true\`.`,
    );
  }
  const entry = entryOf(spec);
  const state = stateFor(spec, entry.resumes);
  const attempt: AttemptRef = {
    id: pendingId(run.key),
    thread_id: conversation,
    key: run.key,
    provider_ids: [],
    state: null,
  };
  if (mode === 'foreground') return await prepareFirst(adapter, attempt, entry, state, signal);
  return await makeFirst(adapter, attempt, entry, state, signal);
}

async function prepareFirst(
  adapter: Adapter,
  attempt: AttemptRef,
  entry: Entry,
  state: ChainState,
  signal: AbortSignal,
): Promise<Created> {
  const { outputs, resumes, fresh } = entry;
  const anchor =
    attempt.thread_id === null || state.anchor !== null
      ? state.anchor
      : await readAnchor(adapter, attempt.thread_id, signal);
  const pending = { kind: 'first' as const, outputs: resumes ? outputs : [], resumes, fresh };
  const observation = observeNothing(attempt, { ...state, anchor, pending }, 'queued', nowSeconds());
  return { observation, adopted: false, resumed: resumes };
}

/** Makes an attempt's first step. A response to go on from that is gone means starting over. */
export async function makeFirst(
  adapter: Adapter,
  attempt: AttemptRef,
  entry: Entry,
  state: ChainState,
  signal: AbortSignal,
): Promise<Created> {
  const { run } = entry;
  const what = `creating a response for run ${run.run_id}`;
  const make = async (plan: Plan): Promise<Created> => ({
    observation: await makeStep(adapter, attempt, run, plan, what, signal),
    adopted: 'adopted' in plan,
    resumed: 'step' in plan ? plan.step.later : plan.later,
  });
  if (attempt.thread_id !== null) {
    const conversation = attempt.thread_id;
    const plan = (): Promise<Plan> => planConversation(adapter, entry, conversation, state, signal);
    try {
      return await make(await plan());
    } catch (error) {
      if (!isBackendError(error) || error.code !== ERROR_CODES.outputMissing) throw error;
      // Between the look and the request a response ended there, and left calls.
      return await make(await plan());
    }
  }
  try {
    return await make(planChain(entry, state, adapter.settings));
  } catch (error) {
    if (!entry.resumes || !isBackendError(error) || error.kind !== 'not_found') throw error;
    const anew = { ...state, inherited: null };
    return await make(planChain({ ...entry, resumes: false }, anew, adapter.settings));
  }
}
