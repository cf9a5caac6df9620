/** The steps of a chain: where the next one goes on, and what it has to say. */
import type { PendingCall, JsonObject } from '../run.ts';
import type { AttemptRef, ToolOutput } from '../steps.ts';
import { BackendError, isBackendError } from './backend.ts';
import type { ResolvedRun } from './backend.ts';
import type { ResponsesCalls } from './responses-calls.ts';
import {
  markConversation,
  markedAnchor,
  matchInput,
  matchOutputs,
  matchTail,
  openCalls,
  responseOf,
  surveyConversation,
} from './responses-conversation.ts';
import type { Landing, Survey } from './responses-conversation.ts';
import { toAbandonedItem, toInputItems, toOutputItem } from './responses-input.ts';
import { answeredId } from './responses-items.ts';
import type { RequestSettings, Step } from './responses-request.ts';
import { readState } from './responses-state.ts';
import type { ChainState } from './responses-state.ts';
import { addUsage, isObject, objectsOf, readResponse } from './responses-wire.ts';
import type { WireResponse } from './responses-wire.ts';

/** What the functions of one backend share. */
export interface Adapter {
  readonly name: string;
  readonly calls: ResponsesCalls;
  readonly settings: RequestSettings;
  /** How long the one call of a foreground step may take, in milliseconds. */
  readonly foregroundTimeoutMs: number;
}

/** Unix seconds, for times that this wire does not tell. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** A failure before anything was sent that acts: whatever its kind, no answer is lost by it. */
class NothingSentError extends BackendError {
  override get answerLost(): boolean {
    return false;
  }
}

async function beforeSending<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!isBackendError(error)) throw error;
    throw new NothingSentError(error.kind, error.message, error);
  }
}

/** What stands in the conversation after the anchor. */
export const readBack = (
  adapter: Adapter,
  conversation: string,
  anchor: string | null,
  signal: AbortSignal,
): Promise<Survey> =>
  beforeSending(surveyConversation((after) => adapter.calls.listItems(conversation, after, signal), anchor));

/** A step to make, or what an earlier try at it led to. */
export type Plan =
  | { readonly step: Step; readonly state: ChainState }
  /** `later`: it goes on from an earlier step. */
  | { readonly adopted: WireResponse; readonly state: ChainState; readonly later: boolean };

/** True where `previous` failed at the provider on a later step, and these outputs are what that step took. */
export function canResume(previous: AttemptRef | null, outputs: readonly ToolOutput[]): boolean {
  if (previous === null || outputs.length === 0) return false;
  const { last, sent } = readState(previous);
  const passing = last?.error_code === 'server_error' || last?.error_code === 'rate_limit_exceeded';
  const given = new Set(outputs.map((output) => output.tool_call_id));
  return passing && sent.length > 0 && sent.length === given.size && sent.every((id) => given.has(id));
}

/** Where an attempt begins. */
export interface Entry {
  readonly run: ResolvedRun;
  /** Outputs of the round that the attempt before failed to take. */
  readonly outputs: readonly ToolOutput[];
  /** It goes on from there. */
  readonly resumes: boolean;
  /** The messages have to be said; else an attempt was made before, which may have brought them. */
  readonly includeInput: boolean;
  /** An earlier try at this step may have acted. */
  readonly suspect: boolean;
  /** No attempt came before: what follows the input is what a lost try led to. */
  readonly fresh: boolean;
}

/** The first step of an attempt without a conversation: the failed step again, or the whole input. */
export function planChain(entry: Entry, state: ChainState, settings: RequestSettings): Plan {
  const { run, outputs } = entry;
  const messages = toInputItems(run.messages);
  if (!entry.resumes) {
    return {
      step: { previous: null, conversation: null, input: messages, later: false },
      state: { ...state, after: null, sent: [], items: [] },
    };
  }
  const sent = outputs.map((output) => output.tool_call_id);
  const input = settings.store ? outputs.map(toOutputItem) : [...messages, ...state.items];
  const previous = settings.store ? state.after : null;
  return { step: { previous, conversation: null, input, later: true }, state: { ...state, sent } };
}

/** Calls that stand open are answered first: with what is known of them, else as abandoned. */
const answersTo = (open: readonly PendingCall[], outputs: readonly ToolOutput[]): readonly JsonObject[] =>
  open.map((call) => {
    const known = outputs.find((output) => output.tool_call_id === call.id);
    return known === undefined ? toAbandonedItem(call) : toOutputItem(known);
  });

function landing(entry: Entry, survey: Survey, anchor: string | null): Landing {
  const input = toInputItems(entry.run.messages);
  if (anchor !== null && survey.complete) return matchInput(input, survey.items);
  // A step that failed has not brought it, although its attempt was made.
  const mayStand = entry.suspect || !entry.includeInput;
  return mayStand ? matchTail(input, survey.items) : { missing: input, followed: [] };
}

/**
 * What followed the outputs that the failed step was handed. A lost try at making it again may have ended, well or
 * half way; where there is something and it is no whole answer, nobody can tell whose it is.
 */
function afterFailedStep(
  entry: Entry,
  survey: Survey,
): { readonly adopted: WireResponse | null; readonly unclear: boolean } {
  if (!entry.resumes || !entry.suspect) return { adopted: null, unclear: false };
  const ids = entry.outputs.map((output) => output.tool_call_id);
  const { followed } = matchOutputs(ids, survey.items);
  const found = readResponse(responseOf(followed));
  const adopted = found?.status === 'completed' ? found : null;
  return { adopted, unclear: adopted === null && followed.length > 0 };
}

/**
 * The first step of an attempt in a conversation: says only what does not stand in it yet, and answers the calls
 * that stand open in it, whoever left them.
 */
export async function planConversation(
  adapter: Adapter,
  entry: Entry,
  conversation: string,
  state: ChainState,
  signal: AbortSignal,
): Promise<Plan> {
  const { calls } = adapter;
  const { key } = entry.run;
  const known =
    state.anchor === null && entry.suspect
      ? await beforeSending(markedAnchor(calls, conversation, key, signal))
      : state.anchor;
  const survey = await readBack(adapter, conversation, known, signal);
  const { missing, followed } = landing(entry, survey, known);
  // What an earlier try may have made comes after this place, whether it has come yet or not.
  const first = known === null && entry.includeInput && (!entry.suspect || missing.length > 0);
  const anchor = first ? survey.newest : known;
  const planned: ChainState = { ...state, anchor };
  if (known !== null && entry.fresh) {
    const adopted = readResponse(responseOf(followed));
    if (adopted !== null) return { adopted, state: planned, later: false };
  }
  const { adopted, unclear } = afterFailedStep(entry, survey);
  if (adopted !== null) {
    const sent = entry.outputs.map((output) => output.tool_call_id);
    return { adopted, state: { ...planned, sent }, later: true };
  }
  if (first) {
    await beforeSending(markConversation(calls, conversation, { key, anchor: survey.newest }, signal));
  }
  const input = [...answersTo(openCalls(survey.seen), entry.outputs), ...missing];
  // A model that saw a lost try's words may ask anew for what it asked for before: then it is a new attempt.
  const later = entry.resumes && missing.length === 0 && !unclear;
  const sent = later ? entry.outputs.map((output) => output.tool_call_id) : [];
  const unsure_after = entry.suspect ? survey.newest : null;
  return { step: { previous: null, conversation, input, later }, state: { ...planned, sent, unsure_after } };
}

/** The item after which a run in this conversation begins, for a step that is made later. */
export async function readAnchor(
  adapter: Adapter,
  conversation: string,
  signal: AbortSignal,
): Promise<string> {
  return (await readBack(adapter, conversation, null, signal)).newest;
}

/**
 * The step that hands in a round's outputs. In a conversation a suspect one is looked for first; in a chain
 * nothing can be looked for, and it is made again.
 */
export async function planOutputs(
  adapter: Adapter,
  attempt: AttemptRef,
  run: ResolvedRun,
  outputs: readonly ToolOutput[],
  suspect: boolean,
  signal: AbortSignal,
): Promise<Plan> {
  const before = readState(attempt);
  const sent = outputs.map((output) => output.tool_call_id);
  const items = outputs.map(toOutputItem);
  const conversation = attempt.thread_id;
  if (conversation !== null) {
    const state = { ...before, sent, unsure_after: null };
    if (!suspect) return { step: { previous: null, conversation, input: items, later: true }, state };
    const survey = await readBack(adapter, conversation, before.anchor, signal);
    const { missing, followed } = matchOutputs(sent, survey.items);
    const adopted = readResponse(responseOf(followed));
    if (adopted !== null) return { adopted, state, later: true };
    const input = items.filter((item) => missing.includes(answeredId(item) ?? ''));
    return {
      step: { previous: null, conversation, input, later: true },
      state: { ...state, unsure_after: survey.newest },
    };
  }
  if (adapter.settings.store) {
    return {
      step: { previous: attempt.id, conversation: null, input: items, later: true },
      state: { ...before, sent, after: attempt.id },
    };
  }
  const said = isObject(before.answer) ? objectsOf(before.answer['output']) : [];
  const history = [...before.items, ...said, ...items];
  const input = [...toInputItems(run.messages), ...history];
  return {
    step: { previous: null, conversation: null, input, later: true },
    state: { ...before, sent, items: history },
  };
}

/** What an attempt spent, for the budget of the one that goes on from it. */
export const inheritedUsage = (state: ChainState): ChainState['inherited'] =>
  addUsage(addUsage(state.inherited, state.used), state.last?.usage ?? null);
