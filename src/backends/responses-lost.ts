/** What became of a step whose answer was lost and which nobody will make again. */
import type { LostLook, LostStep, ResolvedRun } from './backend.ts';
import {
  isInput,
  markedAnchor,
  matchInput,
  matchOutputs,
  matchTail,
  surveyConversation,
} from './responses-conversation.ts';
import type { Survey } from './responses-conversation.ts';
import { toInputItems } from './responses-input.ts';
import { isOutput } from './responses-items.ts';
import type { Adapter } from './responses-steps.ts';

/** True where what the step brought does not stand in the conversation. */
function isMissing(lost: LostStep, run: ResolvedRun, survey: Survey): boolean {
  if (lost.call_ids !== null) return matchOutputs(lost.call_ids, survey.items).missing.length > 0;
  const input = toInputItems(run.messages);
  const { missing } = survey.complete ? matchInput(input, survey.items) : matchTail(input, survey.items);
  return missing.length > 0;
}

/**
 * What the conversation tells of the step. Pure.
 *
 * What it brought comes to the conversation when its response completes, on some servers when it is made: that it is
 * missing says nothing.
 */
export function readLostStep(lost: LostStep, run: ResolvedRun, survey: Survey): LostLook {
  const { newest } = survey;
  const last = survey.items.at(-1);
  if (last === undefined || isInput(last) || isOutput(last)) return { newest, answer: null };
  if (lost.call_ids === null && !lost.first) return { newest, answer: 'somebodys' };
  return { newest, answer: isMissing(lost, run, survey) ? null : 'its' };
}

/** Looks once. A response that failed has written nothing, and looks like one that works. */
export async function lookForLostStep(
  { calls }: Adapter,
  lost: LostStep,
  run: ResolvedRun,
  signal: AbortSignal,
): Promise<LostLook> {
  const { thread_id: conversation } = lost;
  const anchor = await markedAnchor(calls, conversation, run.key, signal);
  const survey = await surveyConversation((after) => calls.listItems(conversation, after, signal), anchor);
  return readLostStep(lost, run, survey);
}
