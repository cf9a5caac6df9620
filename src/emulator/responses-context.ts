/** What a new response goes on from: its chain or conversation, its items, and its place in the script. */
import type { InputItem, ResponseBody } from './body-responses.ts';
import { hasStepsLeft, withOutputs } from './engine.ts';
import type { Position } from './engine.ts';
import * as errors from './errors.ts';
import { WireError } from './errors.ts';
import { makeItem } from './responses-objects.ts';
import { hasEnded, logicalKey, nameOutputs, nextAttempt } from './world.ts';
import type { Conversation, Item, Metadata, StoredResponse, World } from './world.ts';

const MAX_CALL_ID = 64;

export interface Context {
  readonly previous: StoredResponse | null;
  readonly conversation: Conversation | null;
  /** What the model saw before. */
  readonly before: readonly Item[];
  readonly input: readonly Item[];
}

type ContextBody = Pick<ResponseBody, 'previous_response_id' | 'conversation'> & {
  readonly input?: ResponseBody['input'] | null;
};

function findPrevious(world: World, id: string | null | undefined): StoredResponse | null {
  if (id === null || id === undefined) return null;
  const previous = world.responses.get(id);
  if (previous === undefined) throw errors.previousNotFound(id);
  if (!hasEnded(previous.object.status))
    throw new WireError(400, `Previous response with id '${id}' has not ended yet.`, {
      param: 'previous_response_id',
    });
  return previous;
}

export function findConversation(world: World, id: string): Conversation {
  const found = world.conversations.get(id);
  if (found === undefined) throw errors.conversationNotFound(id);
  return found;
}

/** @throws {WireError} conversation_locked while a response writes it. */
export function checkUnlocked(world: World, conversation: Conversation | null): void {
  if (conversation !== null && conversation.active !== null && !world.quirks.has('no_thread_lock'))
    throw errors.conversationLocked();
}

function resolveItem(world: World, before: readonly Item[], given: InputItem): Item {
  if ('role' in given) return makeItem(world, given);
  const isKept = given.type === 'reasoning' && typeof given.encrypted_content !== 'string';
  if (given.type !== 'item_reference' && !isKept) return makeItem(world, given);
  const held = before.find((item) => item.id === given.id) ?? findStoredItem(world, given.id ?? '');
  if (held === undefined)
    throw new WireError(
      404,
      `Item with id '${given.id}' not found. Items are not persisted when \`store\` is set to false.`,
      { param: 'input' },
    );
  return given.type === 'item_reference' ? held : makeItem(world, given);
}

function findStoredItem(world: World, id: string): Item | undefined {
  for (const response of world.responses.values()) {
    const found = response.object.output.find((item) => item.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Items of a request, as the server keeps them. */
export function readItems(
  world: World,
  before: readonly Item[],
  input: string | readonly InputItem[] | null | undefined,
): Item[] {
  const given: readonly InputItem[] =
    typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? []);
  const isTooLong = (item: InputItem): boolean =>
    'call_id' in item && item.call_id.length > MAX_CALL_ID && !world.quirks.has('long_ids');
  const at = given.findIndex(isTooLong);
  if (at >= 0)
    throw new WireError(400, `Invalid 'input[${at}].call_id': string too long. Expected a maximum of 64.`, {
      param: `input[${at}].call_id`,
      code: 'string_above_max_length',
    });
  return given.map((item) => resolveItem(world, before, item));
}

/** @throws {WireError} for a chain or conversation that is not there, or both at once. */
export function readContext(world: World, body: ContextBody): Context {
  const { previous_response_id: previousId, conversation: place } = body;
  if (typeof previousId === 'string' && place !== null && place !== undefined)
    throw errors.exclusive('previous_response_id', 'conversation');
  const previous = findPrevious(world, previousId);
  const conversation =
    place === null || place === undefined
      ? null
      : findConversation(world, typeof place === 'string' ? place : place.id);
  const before =
    previous === null ? [...(conversation?.items ?? [])] : [...previous.context, ...previous.object.output];
  return { previous, conversation, before, input: readItems(world, before, body.input) };
}

const callIds = (items: readonly Item[], type: string): string[] =>
  items.filter((item) => item.type === type).map((item) => String(item['call_id']));

/** @throws {WireError} for a call without its output, or an output without its call. */
export function checkCalls(world: World, { before, input }: Context): void {
  const all = [...before, ...input];
  const calls = new Set(callIds(all, 'function_call'));
  const answered = new Set(callIds(all, 'function_call_output'));
  const surplus = callIds(input, 'function_call_output').find((id) => !calls.has(id));
  if (surplus !== undefined && world.quirks.has('error_500_for_wrong_call_id'))
    throw new WireError(500, 'The server had an error while processing your request.');
  const open = [...calls].find((id) => !answered.has(id));
  if (open !== undefined && !world.quirks.has('partial_submit_accepted')) throw errors.missingOutput(open);
  if (surplus !== undefined) throw errors.missingCall(surplus);
}

/** The response whose calls or approvals this input answers. */
function findAnswered({ input }: Context, world: World, runMark: string | undefined): StoredResponse | null {
  for (const item of input) {
    if (item.type === 'function_call') continue;
    const maker = world.callMakers.get(String(item['call_id'] ?? item['approval_request_id']));
    if (maker !== undefined && maker.object.metadata['drover_run'] === runMark) return maker;
  }
  return null;
}

/**
 * The response that this one goes on from: the one named, if it is answered or its attempt has more to say; the one
 * whose calls it answers, within one logical run; or, where a later step failed, was cut short or was cancelled in a
 * conversation, that step's maker.
 */
function findMaker(world: World, context: Context, metadata: Metadata): StoredResponse | null {
  const { previous, conversation, input } = context;
  const answered = findAnswered(
    context,
    world,
    previous?.object.metadata['drover_run'] ?? metadata['drover_run'],
  );
  if (answered !== null) return answered;
  if (previous !== null && hasStepsLeft(previous.end)) return previous;
  const last = conversation?.last ?? null;
  if (last === null || input.some((item) => item.type === 'message')) return null;
  const { status, metadata: made } = last.object;
  // An attempt that goes on from a failed one has another key; what was cut short or cancelled is begun anew under another.
  const wasStopped = status === 'incomplete' || status === 'cancelled';
  const isRepeat =
    (status === 'failed' && made['drover_run'] === metadata['drover_run']) ||
    (wasStopped && made['drover_key'] === metadata['drover_key']);
  return isRepeat ? last.maker : null;
}

const WENT_WRONG: ReadonlySet<string> = new Set(['failed', 'incomplete']);

/**
 * Where the script goes on, and which response must remember a step that is rejected. Whoever goes on twice from the
 * same response hears the same turn again, unless that turn failed or was cut short: then the script goes on after it.
 */
export function findPosition(
  world: World,
  context: Context,
  model: string,
  metadata: Metadata,
): { readonly position: Position; readonly maker: StoredResponse | null } {
  const maker = findMaker(world, context, metadata);
  if (maker === null) {
    const key = logicalKey(metadata, context.conversation?.object.id ?? null);
    return { position: nextAttempt(world, model, key), maker: null };
  }
  const { successor } = maker;
  const wentWrong = successor !== null && WENT_WRONG.has(successor.object.status);
  const from = successor === null ? maker.end : wentWrong ? successor.end : successor.start;
  const calls = maker.object.output
    .filter((item) => item.type === 'function_call')
    .map((item) => ({ id: String(item['call_id']), name: String(item['name']) }));
  const outputs = context.input
    .filter((item) => item.type === 'function_call_output')
    .map((item) => ({
      id: String(item['call_id']),
      output: typeof item['output'] === 'string' ? item['output'] : JSON.stringify(item['output']),
    }));
  const given = nameOutputs(calls, outputs);
  // A step that is said again may leave out the outputs that its conversation holds already.
  const known = given.length === 0 ? from.outputs : maker.end.outputs;
  const position = withOutputs({ ...from, outputs: known }, given);
  return { position, maker };
}
