/**
 * What of a run stands in its conversation already. The conversation is the only thing on this wire that can
 * be asked: its items tell whether the input and the outputs of a lost request arrived, and what they led to.
 */
import type { PendingCall, JsonObject } from '../run.ts';
import { isBackendError } from './backend.ts';
import { itemId } from './responses-calls.ts';
import type { ItemPage, ResponsesCalls } from './responses-calls.ts';
import { isSameMessage } from './responses-input.ts';
import { answeredId, answeredIds, isOutput, waitingFor } from './responses-items.ts';
import { textOf } from './responses-wire.ts';

/** How far back an anchor is looked for: pages of a hundred items. */
const MAX_PAGES = 20;

/** What was read of a conversation. */
export interface Survey {
  /** Items after the anchor, oldest first; of a conversation without one, the newest page. */
  readonly items: readonly JsonObject[];
  /** All that was read, what stands before the anchor included. */
  readonly seen: readonly JsonObject[];
  /** Id of the newest item, '' where there is none. */
  readonly newest: string;
  /** The anchor was found, or the conversation began empty: `items` are all that came after it. */
  readonly complete: boolean;
}

/**
 * Reads a conversation back to the anchor.
 *
 * @param list gives a page of its items, newest first.
 * @param anchor '' reads to the beginning; null reads the newest page only.
 */
export async function surveyConversation(
  list: (after: string | null) => Promise<ItemPage>,
  anchor: string | null,
): Promise<Survey> {
  const seen: JsonObject[] = [];
  let found = -1;
  let newest: string | null = null;
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { items, more } = await list(after);
    newest ??= itemId(items[0]);
    const end = anchor === null ? -1 : items.findIndex((item) => itemId(item) === anchor && anchor !== '');
    if (end >= 0) found = seen.length + end;
    seen.push(...items);
    const last = !more || items.length === 0;
    if (end >= 0 || last || anchor === null) {
      return surveyOf(seen, found, newest, end >= 0 || (last && anchor === ''));
    }
    after = itemId(items.at(-1));
  }
  return surveyOf(seen, found, newest ?? '', false);
}

const surveyOf = (
  newestFirst: readonly JsonObject[],
  anchorAt: number,
  newest: string,
  complete: boolean,
): Survey => ({
  items: (anchorAt < 0 ? newestFirst : newestFirst.slice(0, anchorAt)).toReversed(),
  seen: newestFirst.toReversed(),
  newest,
  complete,
});

/** The calls that nothing in these items answers. */
export const openCalls = (items: readonly JsonObject[]): readonly PendingCall[] => waitingFor(items).calls;

/** What of the input has arrived. */
export interface Landing {
  /** Input items that do not stand in the conversation yet. */
  readonly missing: readonly JsonObject[];
  /** What came after the last of those that do; empty where something is missing. */
  readonly followed: readonly JsonObject[];
}

/** A message that is no answer. */
export const isInput = (item: JsonObject): boolean =>
  (textOf(item['type']) ?? 'message') === 'message' && item['role'] !== 'assistant';

/** Which of the input items stand among the items after the anchor, in their order. */
export function matchInput(input: readonly JsonObject[], items: readonly JsonObject[]): Landing {
  let found = 0;
  let last = -1;
  items.forEach((item, index) => {
    const wanted = input[found];
    if (wanted === undefined || !isSameMessage(wanted, item)) return;
    found += 1;
    last = index;
  });
  const missing = input.slice(found);
  return { missing, followed: missing.length === 0 ? items.slice(last + 1) : [] };
}

/**
 * Without an anchor: the input has landed where the newest messages that are no answers are exactly these. A
 * service that says the same thing twice in a row looks alike; the mark exists to keep that from mattering.
 */
export function matchTail(input: readonly JsonObject[], items: readonly JsonObject[]): Landing {
  const end = items.findLastIndex(isInput) + 1;
  const from = end - input.length;
  const landed =
    input.length > 0 &&
    from >= 0 &&
    input.every((wanted, index) => isSameMessage(wanted, items[from + index] ?? {}));
  return landed ? { missing: [], followed: items.slice(end) } : { missing: input, followed: [] };
}

/** Which of these calls the conversation answers already, and what came after the last of those answers. */
export function matchOutputs(
  callIds: readonly string[],
  items: readonly JsonObject[],
): { readonly missing: readonly string[]; readonly followed: readonly JsonObject[] } {
  const answered = answeredIds(items);
  const missing = callIds.filter((id) => !answered.has(id));
  const last = items.findLastIndex((item) => callIds.includes(answeredId(item) ?? ''));
  return { missing, followed: missing.length === 0 ? items.slice(last + 1) : [] };
}

/**
 * What a lost request led to, as the response that nobody can read by id: items after its input, written by one
 * response, because a conversation takes one at a time. Null where it led to nothing, or where somebody else
 * wrote after it.
 */
export function responseOf(followed: readonly JsonObject[]): JsonObject | null {
  const last = followed.at(-1);
  if (last === undefined || followed.some((item) => isInput(item) || isOutput(item))) return null;
  const speaks = followed.some((item) => ['message', 'function_call'].includes(textOf(item['type']) ?? ''));
  const id = itemId(last);
  if (!speaks || id === '') return null;
  const cut = followed.some((item) => item['status'] === 'incomplete');
  return { id, object: 'response', status: cut ? 'incomplete' : 'completed', output: [...followed] };
}

/** Marks the conversation, so that a later try can tell. A server that keeps no such mark is no obstacle. */
export async function markConversation(
  calls: ResponsesCalls,
  conversation: string,
  mark: { readonly key: string; readonly anchor: string },
  signal: AbortSignal,
): Promise<void> {
  try {
    await calls.writeMark(conversation, mark, signal);
  } catch (error) {
    if (!isBackendError(error) || error.retryable || error.kind === 'aborted') throw error;
  }
}

/** The anchor that an earlier try under this key left, or null. */
export async function markedAnchor(
  calls: ResponsesCalls,
  conversation: string,
  key: string,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const mark = await calls.readMark(conversation, signal);
    return mark?.key === key ? mark.anchor : null;
  } catch (error) {
    if (!isBackendError(error) || error.retryable || error.kind === 'aborted') throw error;
    return null;
  }
}
