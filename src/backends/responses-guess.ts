/**
 * A step made where an earlier try at it may still have worked. The conversation refuses a second response while the
 * first one works, but a try that ends after the look and before the request leaves it free again: the model then
 * goes on after its own answer, and asks anew for what is done already. One more look tells, and the earlier answer
 * is the one that counts.
 */
import type { JsonObject } from '../run.ts';
import type { AttemptRef } from '../steps.ts';
import { unlessGone } from './backend.ts';
import type { Observation, ResolvedRun } from './backend.ts';
import type { Answered } from './responses-calls.ts';
import { requestCancel } from './responses-cancel.ts';
import { isInput, openCalls, responseOf } from './responses-conversation.ts';
import { isSameMessage, toAbandonedItem, toInputItems } from './responses-input.ts';
import { isOutput } from './responses-items.ts';
import { isLive, takeUp } from './responses-make.ts';
import { carriedAnswer, observeNothing, observeResponse } from './responses-run.ts';
import { readState } from './responses-state.ts';
import { nowSeconds, readBack } from './responses-steps.ts';
import type { Adapter } from './responses-steps.ts';
import { readResponse } from './responses-wire.ts';
import type { WireResponse } from './responses-wire.ts';

/**
 * What the first response spoke of these items. Pure.
 *
 * @param items all that came after the look, oldest first.
 * @param input the run's own messages: another's words end the search.
 */
export function spokenFirst(
  items: readonly JsonObject[],
  input: readonly JsonObject[],
): readonly JsonObject[] {
  const isSaid = (item: JsonObject): boolean => isInput(item) || isOutput(item);
  const begin = items.findIndex((item) => !isSaid(item));
  if (begin < 0) return [];
  const ours = (item: JsonObject): boolean =>
    isOutput(item) || input.some((wanted) => isSameMessage(wanted, item));
  if (!items.slice(0, begin).every(ours)) return [];
  const rest = items.slice(begin);
  const end = rest.findIndex(isSaid);
  return end < 0 ? rest : rest.slice(0, end);
}

/** The answer of an earlier try among what was spoken, or null where all of it is this response's own. Pure. */
export function earlierAnswer(spoken: readonly JsonObject[], own: WireResponse): WireResponse | null {
  const ids = new Set(own.output.map((item) => item['id']));
  return readResponse(responseOf(spoken.filter((item) => !ids.has(item['id']))));
}

async function readOwn(adapter: Adapter, attempt: AttemptRef, signal: AbortSignal): Promise<Answered> {
  const answer = carriedAnswer(readState(attempt));
  if (answer !== null) return { response: answer, lookAfterMs: null };
  return await adapter.calls.retrieve(attempt.id, signal);
}

/**
 * Reads the last response, once it is clear whether it is needed. Where an earlier try has answered, the response is
 * cancelled, the calls that it left in the conversation are answered as abandoned, and the earlier answer is taken up.
 */
export async function judgeGuess(
  adapter: Adapter,
  attempt: AttemptRef,
  run: ResolvedRun,
  signal: AbortSignal,
): Promise<Observation> {
  const state = readState(attempt);
  const { unsure_after: after } = state;
  const { thread_id: conversation } = attempt;
  // Where it was deleted nothing tells of an earlier try, and the response works on all the same.
  const survey =
    conversation === null ? null : await unlessGone(readBack(adapter, conversation, after, signal));
  const spoken = survey?.complete === true ? spokenFirst(survey.items, toInputItems(run.messages)) : [];
  const own = await readOwn(adapter, attempt, signal);
  const earlier = earlierAnswer(spoken, own.response);
  if (conversation === null || earlier === null) {
    const sure = { ...state, unsure_after: null };
    return observeResponse(attempt, sure, own.response, nowSeconds(), own.lookAfterMs);
  }
  const { response } = isLive(own.response) ? await requestCancel(adapter, attempt.id, signal) : own;
  if (isLive(response)) return observeNothing(attempt, state, 'in_progress', nowSeconds());
  await adapter.calls.addItems(conversation, openCalls(response.output).map(toAbandonedItem), signal);
  const { attempt: ended } = observeResponse(attempt, state, response, nowSeconds());
  return takeUp(ended, { ...readState(ended), ended: null }, earlier);
}
