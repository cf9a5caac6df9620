/** Cancelling a chain, and leaving its conversation usable. */
import { isTerminal } from '../run.ts';
import type { AttemptRef } from '../steps.ts';
import { isBackendError, unlessGone } from './backend.ts';
import type { Observation } from './backend.ts';
import type { Answered } from './responses-calls.ts';
import { openCalls, surveyConversation } from './responses-conversation.ts';
import { toAbandonedItem } from './responses-input.ts';
import { carriedAnswer, observeNothing, observeResponse } from './responses-run.ts';
import { readState } from './responses-state.ts';
import type { ChainState } from './responses-state.ts';
import { nowSeconds } from './responses-steps.ts';
import type { Adapter } from './responses-steps.ts';
import type { WireResponse } from './responses-wire.ts';

/** A chain that waits for outputs has nothing alive at the provider: it ends by our saying so. */
function settle(
  attempt: AttemptRef,
  state: ChainState,
  response: WireResponse,
  lookAfterMs: number | null,
): Observation {
  const seen = observeResponse(attempt, state, response, nowSeconds(), lookAfterMs);
  if (seen.run.status !== 'requires_action') return seen;
  return observeResponse(attempt, { ...state, ended: 'cancelled' }, response, nowSeconds());
}

/** What became of a cancel that failed is found out by reading: only that read tells that the response is gone. */
export async function requestCancel(adapter: Adapter, id: string, signal: AbortSignal): Promise<Answered> {
  try {
    return await adapter.calls.cancel(id, signal);
  } catch (error) {
    if (!isBackendError(error) || signal.aborted || !error.cancelUnclear) throw error;
    return await adapter.calls.retrieve(id, signal);
  }
}

/**
 * Cancels the last response of the chain, where it may be alive, and says what became of it. Between two
 * responses, and in the foreground, no object at the provider can say "cancelled": the observation does.
 */
export async function cancelChain(
  adapter: Adapter,
  attempt: AttemptRef,
  signal: AbortSignal,
): Promise<Observation> {
  const state = readState(attempt);
  const { settings, calls } = adapter;
  const answer = carriedAnswer(state);
  if (state.pending === null && answer !== null) return settle(attempt, state, answer, null);
  const last = state.last?.status ?? '';
  const unreadable = settings.mode === 'foreground' && !(settings.store && isTerminal(last));
  if (state.pending !== null || state.ended === 'cancelled' || unreadable) {
    const over = state.pending === null && isTerminal(last) && state.last?.calls.length === 0;
    return observeNothing(attempt, state, over ? last : 'cancelled', nowSeconds());
  }
  if (isTerminal(last)) {
    const read = await calls.retrieve(attempt.id, signal);
    if (isTerminal(read.response.status)) return settle(attempt, state, read.response, read.lookAfterMs);
  }
  const { response, lookAfterMs } = await requestCancel(adapter, attempt.id, signal);
  return settle(attempt, state, response, lookAfterMs);
}

/**
 * Answers, as abandoned, the calls that this attempt left open in its conversation: the next response there
 * would be refused. Without a conversation, or in one that was deleted, nothing is left open: no run goes on there.
 */
export async function releaseConversation(
  adapter: Adapter,
  attempt: AttemptRef,
  signal: AbortSignal,
  { ownOnly = false }: { readonly ownOnly?: boolean } = {},
): Promise<void> {
  const conversation = attempt.thread_id;
  const { anchor, last, sent } = readState(attempt);
  // A step that failed has not brought the outputs that it was given.
  const own = [...(last?.calls ?? []), ...sent];
  if (conversation === null || (ownOnly && own.length === 0)) return;
  const survey = await unlessGone(
    surveyConversation((after) => adapter.calls.listItems(conversation, after, signal), anchor),
  );
  if (survey === null) return;
  const open = openCalls(survey.items).filter(({ id }) => !ownOnly || own.includes(id));
  await adapter.calls.addItems(conversation, open.map(toAbandonedItem), signal);
}
