/** The life of a response: every change of its status is made here. */
import type { ResponseBody } from './body-responses.ts';
import { playTurn, takeRejection } from './engine.ts';
import type { Outcome, Phase, Turn } from './engine.ts';
import * as errors from './errors.ts';
import { WireError } from './errors.ts';
import { makeId, nowSeconds } from './ids.ts';
import { checkCalls, checkUnlocked, findPosition, readContext } from './responses-context.ts';
import { deltasOf, ResponseStream } from './responses-stream.ts';
import { makeOutput, makeResponseObject, makeUsage } from './responses-objects.ts';
import { hasEnded, recordStatus } from './world.ts';
import type { StoredResponse, Wire, World } from './world.ts';

/** A stream has an event for each of these; one that was cancelled just ends. */
const STREAMED: ReadonlySet<string> = new Set(['queued', 'in_progress', 'completed', 'failed', 'incomplete']);

/** "Input items and output items … are automatically added to this conversation after this response completes." */
const ENTERING: ReadonlySet<string> = new Set(['completed', 'incomplete']);

function tell(response: StoredResponse, type: string): void {
  response.stream?.push(type, { response: structuredClone(response.object) });
}

function change(world: World, response: StoredResponse, status: string, fields: Wire = {}): void {
  const from = response.object.status;
  Object.assign(response.object, fields);
  response.object.status = status;
  if (status !== from && STREAMED.has(status)) tell(response, `response.${status}`);
  const thread = response.conversation?.object.id ?? null;
  recordStatus(world, 'responses', response, from, thread, response.start.attemptIndex);
}

function end(world: World, response: StoredResponse, status: string, fields: Wire = {}): void {
  world.timers.clear(response.id);
  world.liveResponses.delete(response);
  change(world, response, status, {
    ...fields,
    ...(status === 'completed' ? { completed_at: nowSeconds() } : {}),
  });
  const { conversation } = response;
  if (conversation !== null) {
    const enters = ENTERING.has(status) && !world.quirks.has('input_enters_at_create');
    conversation.items.push(...(enters ? response.input : []), ...response.object.output);
    if (conversation.active === response) conversation.active = null;
  }
  for (const call of response.object.output) {
    if (call.type === 'function_call') world.callMakers.set(String(call['call_id']), response);
    if (call.type === 'mcp_approval_request') world.callMakers.set(call.id, response);
  }
  if (response.background) world.webhooks.announce(`response.${status}`, response.id);
  response.stream?.end();
  for (const waiter of response.waiters) waiter();
  response.waiters.clear();
}

/** The Responses wire's word for a budget that ran out. */
function reasonOf(outcome: Extract<Outcome, { kind: 'incomplete' }>): string {
  return outcome.reason === 'max_completion_tokens' ? 'max_output_tokens' : outcome.reason;
}

function finishTurn(
  world: World,
  response: StoredResponse,
  turn: Turn,
  output: StoredResponse['object']['output'],
): void {
  const { outcome } = turn;
  response.end = turn.next;
  const usage = makeUsage(turn);
  switch (outcome.kind) {
    case 'calls':
    case 'approvals':
    case 'answer':
    case 'refusal':
      return end(world, response, 'completed', { output, usage });
    case 'incomplete':
      return end(world, response, 'incomplete', {
        output,
        usage,
        incomplete_details: { reason: reasonOf(outcome) },
      });
    case 'failed':
      return end(world, response, 'failed', {
        error: { code: outcome.code, message: outcome.message },
      });
    case 'cancelled':
      return end(world, response, 'cancelled');
    case 'vanished':
      end(world, response, 'failed');
      world.responses.delete(response.id);
      return;
    case 'expired':
      return;
    case 'hang':
      return outcome.status === null ? undefined : change(world, response, outcome.status);
    default:
      return outcome satisfies never;
  }
}

function playPhases(
  world: World,
  response: StoredResponse,
  phases: readonly Phase[],
  then: () => void,
): void {
  const [phase, ...rest] = phases;
  if (phase === undefined) {
    then();
    return;
  }
  change(world, response, phase.status ?? 'in_progress');
  world.timers.set(response.id, phase.ms, () => playPhases(world, response, rest, then));
}

/** Says what it says word by word, where somebody may listen. */
function playDeltas(
  world: World,
  response: StoredResponse,
  deltas: ReturnType<typeof deltasOf>,
  then: () => void,
): void {
  const [delta, ...rest] = response.stream === null ? [] : deltas;
  if (delta === undefined) {
    then();
    return;
  }
  response.stream?.push(delta.type, delta.fields);
  world.timers.set(response.id, world.pace.deltaMs, () => playDeltas(world, response, rest, then));
}

function work(world: World, response: StoredResponse): void {
  change(world, response, 'in_progress');
  const turn = playTurn(response.start, response.budget);
  playPhases(world, response, turn.phases, () => {
    if (response.object.status !== 'in_progress' && turn.outcome.kind !== 'hang')
      change(world, response, 'in_progress');
    const output = makeOutput(world, turn, response.encrypts);
    playDeltas(world, response, deltasOf(output), () => finishTurn(world, response, turn, output));
  });
}

function checkBody(world: World, body: ResponseBody): string {
  if (body.stream === true && body.background !== true) throw errors.noStreaming();
  if (body.background === true && body.store === false) throw errors.backgroundNeedsStore();
  const { model } = body;
  if (model !== undefined) return model;
  // Servers with agents of their own take the model from elsewhere in the body.
  if (world.quirks.has('accepts_unknown_fields')) return 'default';
  throw new WireError(400, "Missing required parameter: 'model'.", {
    param: 'model',
    code: 'missing_required_parameter',
  });
}

function checkInput(body: ResponseBody): void {
  if (body.input !== undefined || body.previous_response_id || body.conversation) return;
  throw new WireError(400, 'One of "input" or "previous_response_id" or "conversation" must be provided.', {
    param: 'input',
    code: 'missing_required_parameter',
  });
}

/** @throws {WireError} where the wire refuses it, or the script rejects it. */
export function createResponse(world: World, body: ResponseBody): StoredResponse {
  const model = checkBody(world, body);
  checkInput(body);
  const context = readContext(world, body);
  const { conversation } = context;
  checkUnlocked(world, conversation);
  checkCalls(world, context);
  const metadata = body.metadata ?? {};
  const budget = body.max_output_tokens ?? null;
  const { position, maker } = findPosition(world, context, model, metadata);
  const rejected = takeRejection(position, budget);
  if (rejected !== null) {
    const holder = maker?.successor ?? maker;
    if (holder !== null) holder.end = { ...holder.end, step: rejected.next.step };
    throw errors.rejected(rejected.rejection);
  }
  const id = makeId('resp', world.quirks);
  const isQueued = body.background === true && !world.quirks.has('never_queued');
  const object = makeResponseObject(body, {
    id,
    model,
    status: isQueued ? 'queued' : 'in_progress',
    conversation: conversation?.object.id ?? null,
  });
  const response: StoredResponse = {
    id,
    object,
    stored: body.store !== false,
    background: body.background === true,
    conversation,
    input: context.input,
    context: [...context.before, ...context.input],
    budget,
    encrypts: body.include?.includes('reasoning.encrypted_content') === true,
    start: position,
    end: position,
    maker,
    successor: null,
    stream: body.stream === true ? new ResponseStream() : null,
    waiters: new Set(),
  };
  tell(response, 'response.created');
  if (maker !== null) maker.successor = response;
  world.liveResponses.add(response);
  if (response.stored) world.responses.set(id, response);
  if (conversation !== null) {
    conversation.active = response;
    conversation.last = response;
    if (world.quirks.has('input_enters_at_create')) conversation.items.push(...context.input);
  }
  recordStatus(world, 'responses', response, null, conversation?.object.id ?? null, position.attemptIndex);
  if (isQueued) world.timers.set(id, world.pace.queuedMs, () => work(world, response));
  else work(world, response);
  return response;
}

/** Resolves when the response has ended. A connection that closes before cancels it. */
export function untilEnded(world: World, response: StoredResponse, signal: AbortSignal): Promise<void> {
  if (hasEnded(response.object.status)) return Promise.resolve();
  return new Promise((resolve) => {
    const giveUp = (): void => stop(world, response, 'cancelled');
    response.waiters.add(() => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    });
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
}

function stop(world: World, response: StoredResponse, status: string): void {
  const failed = { error: { code: 'server_error', message: 'It failed meanwhile.' } };
  if (!hasEnded(response.object.status)) end(world, response, status, status === 'failed' ? failed : {});
}

/** @throws {WireError} where it is not in the background. Twice is no error. */
export function cancelResponse(world: World, response: StoredResponse): StoredResponse {
  const { status } = response.object;
  if (!response.background) throw errors.cannotCancelForeground();
  if (world.quirks.has('cancel_400'))
    throw new WireError(400, `Cannot cancel response with status '${status}'.`);
  if (status === 'completed' && world.quirks.has('cancel_flips_completed'))
    change(world, response, 'cancelled', { completed_at: null });
  if (hasEnded(status)) return response;
  if (world.quirks.has('cancel_sticks')) {
    world.timers.clear(response.id);
    return response;
  }
  const endsAs = response.start.attempt.on_cancel ?? 'cancelled';
  stop(world, response, endsAs === 'expired' ? 'cancelled' : endsAs);
  return response;
}

/** Takes a response out of the store, and stops it. */
export function deleteResponse(world: World, response: StoredResponse): void {
  stop(world, response, 'cancelled');
  world.responses.delete(response.id);
}
