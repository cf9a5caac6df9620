/** What operators see of a run from outside: search attributes and current details. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SEARCH_ATTRIBUTES } from '../search-attributes.ts';
import type { RoundContext } from './round-context.ts';
import { currentDetails, searchable } from './run-details.ts';
import { waitingCalls } from './waiting-room.ts';

/** Makes the attempt findable by its id. Skipped where the namespace lacks the attributes: one would stick the workflow. */
export function publishAttempt({ state, request }: RoundContext): void {
  if (!state.search_attributes) return;
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.threadId, value: searchable(state.thread_id) },
    { key: SEARCH_ATTRIBUTES.assistantId, value: searchable(request.assistant_id) },
    { key: SEARCH_ATTRIBUTES.backend, value: searchable(state.backend) },
    { key: SEARCH_ATTRIBUTES.attemptId, value: searchable(state.attempts.at(-1)?.id ?? null) },
  ]);
}

/** The status of a run that did not complete. Temporal's own status says it of one that did, and costs no event. */
export function publishUnfinished({ state }: RoundContext, status: string): void {
  if (!state.search_attributes) return;
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.status, value: searchable(status) }]);
}

/** Adds no event: details are read by a query. */
export function publishPhase({ state, room, runId }: RoundContext, phase: string): void {
  setCurrentDetails(currentDetails(state, phase, { runId, calls: waitingCalls(room) }));
}

/** Makes a run that waits on people findable, from the first call that waits until none does. */
export function publishWaiting(context: RoundContext): void {
  const { state, room } = context;
  const [first] = waitingCalls(room);
  publishPhase(context, first === undefined ? 'running tools' : 'waiting for people');
  const shown = first?.kind ?? null;
  if (state.waiting_attribute !== true || (room.shown === null) === (shown === null)) return;
  room.shown = shown;
  upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.waiting, value: shown }]);
}
