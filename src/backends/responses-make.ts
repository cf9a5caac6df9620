/** Making a planned step, or taking up what an earlier try at it led to. */
import type { JsonObject } from '../run.ts';
import type { AttemptRef } from '../steps.ts';
import type { Observation, ResolvedRun } from './backend.ts';
import { waitingFor } from './responses-items.ts';
import { buildBody } from './responses-request.ts';
import type { RequestSettings } from './responses-request.ts';
import { observeNothing, observeResponse, slimResponse } from './responses-run.ts';
import { MAX_ANSWER_BYTES, readState, sizeOf } from './responses-state.ts';
import type { ChainState } from './responses-state.ts';
import { nowSeconds } from './responses-steps.ts';
import type { Adapter, Plan } from './responses-steps.ts';
import { addUsage } from './responses-wire.ts';
import type { WireResponse } from './responses-wire.ts';

/** The state once a step is made: the response before it counts as used. */
const stepped = (state: ChainState): ChainState => ({
  ...state,
  used: addUsage(state.used, state.last?.usage ?? null),
  last: null,
  answer: null,
  pending: null,
  ended_at: null,
});

/** The attempt with one more response at its end. */
const extended = (attempt: AttemptRef, id: string): AttemptRef => ({
  ...attempt,
  id,
  provider_ids: attempt.provider_ids.includes(id) ? attempt.provider_ids : [...attempt.provider_ids, id],
});

/** The attempt with an answer at its end that nobody has an id of a response for. */
export function takeUp(attempt: AttemptRef, state: ChainState, found: WireResponse): Observation {
  const taken = { ...stepped(state), unsure_after: null, answer: found.raw };
  const seen = observeResponse(extended(attempt, found.id), taken, found, nowSeconds());
  return { ...seen, adopted: true };
}

/** Makes the planned step, or takes up what an earlier try at it led to. */
export async function makeStep(
  adapter: Adapter,
  attempt: AttemptRef,
  run: ResolvedRun,
  plan: Plan,
  what: string,
  signal: AbortSignal,
): Promise<Observation> {
  if ('adopted' in plan) return takeUp(attempt, plan.state, plan.adopted);
  const { settings } = adapter;
  const body = buildBody(run, plan.step, plan.state, settings);
  const foreground = settings.mode === 'foreground';
  const made = await adapter.calls.create(
    body,
    what,
    signal,
    foreground ? adapter.foregroundTimeoutMs : undefined,
  );
  const { response, lookAfterMs } = made;
  const state = { ...stepped(plan.state), answer: carried(response, settings) };
  const seen = observeResponse(extended(attempt, response.id), state, response, nowSeconds(), lookAfterMs);
  // What it says counts once the next look has found that no earlier try spoke before it.
  if (state.unsure_after === null || isLive(response)) return seen;
  return observeNothing(seen.attempt, readState(seen.attempt), 'in_progress', nowSeconds());
}

const LIVE: ReadonlySet<string> = new Set(['queued', 'in_progress']);
export const isLive = (response: WireResponse): boolean => LIVE.has(response.status);

/** An answer that came finished need not be read again; without a store, or on a server that has none, it cannot be. */
function carried(response: WireResponse, settings: RequestSettings): JsonObject | null {
  if (isLive(response)) return null;
  const waits = response.status === 'completed' && waitingFor(response.output).calls.length > 0;
  if (!settings.store && waits) return slimResponse(response);
  if (settings.store && settings.mode === 'foreground' && !waits) return null;
  const kept = settings.store ? response.raw : slimResponse(response);
  return sizeOf(kept) > MAX_ANSWER_BYTES ? null : kept;
}
