/** What became of a step whose answer was lost and which nobody will make again. */
import type { LostStep, ResolvedRun } from './backend.ts';
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

/** True where what the step says has not come to the conversation: then it was never made. */
function neverCame(lost: LostStep, run: ResolvedRun, survey: Survey): boolean {
  if (lost.call_ids !== null) return matchOutputs(lost.call_ids, survey.items).missing.length > 0;
  if (!lost.first) return false;
  const input = toInputItems(run.messages);
  const { missing } = survey.complete ? matchInput(input, survey.items) : matchTail(input, survey.items);
  return missing.length > 0;
}

/** True where the step was made, as far as can be told, and nothing follows what it was given. Pure. */
export function mayWork(lost: LostStep, run: ResolvedRun, survey: Survey): boolean {
  const newest = survey.items.at(-1);
  if (newest === undefined || neverCame(lost, run, survey)) return false;
  return isInput(newest) || isOutput(newest);
}

/** Looks once. A response that failed has written nothing, and looks like one that works. */
export async function lostStepMayWork(
  { calls }: Adapter,
  lost: LostStep,
  run: ResolvedRun,
  signal: AbortSignal,
): Promise<boolean> {
  const { thread_id: conversation } = lost;
  const anchor = await markedAnchor(calls, conversation, run.key, signal);
  const survey = await surveyConversation((after) => calls.listItems(conversation, after, signal), anchor);
  return mayWork(lost, run, survey);
}
