/** Assistants wire: assistants, threads and messages. */
import { activeRunOf, forgetRuns } from './assistants-run.ts';
import { addMessage, makeAssistant, makeThread } from './assistants-objects.ts';
import * as bodies from './body-assistants.ts';
import { malformedId, messageWhileActive, notFound } from './errors.ts';
import { pageOf } from './paging.ts';
import { LIST_QUERY, route } from './route.ts';
import type { Call, Route } from './route.ts';
import type { Assistant, Message, Thread, World } from './world.ts';

function lookUp<T>(world: World, held: T | undefined, param: string, id: string, prefix: string): T {
  if (held !== undefined) return held;
  const isFree = world.quirks.has('bare_ids');
  if (!isFree && !id.startsWith(prefix)) throw malformedId(param, id, prefix);
  throw notFound(param === 'assistant_id' ? 'assistant' : param.replace('_id', ''), id);
}

export function findThread({ world, params }: Call<unknown>): Thread {
  const id = params['thread_id'] ?? '';
  return lookUp(world, world.threads.get(id), 'thread_id', id, 'thread');
}

export function findAssistant(world: World, id: string): Assistant {
  return lookUp(world, world.assistants.get(id), 'assistant_id', id, 'asst');
}

function findMessage(call: Call<unknown>): Message {
  const id = call.params['message_id'] ?? '';
  const found = findThread(call).messages.find((message) => message.id === id);
  return lookUp(call.world, found, 'message_id', id, 'msg');
}

const wire = 'assistants';
const assistantOf = ({ world, params }: Call<unknown>): Assistant =>
  findAssistant(world, params['assistant_id'] ?? '');

/** Sets what the body says, and leaves the rest. */
function modify<T extends object>(held: T, body: object): T {
  for (const [key, value] of Object.entries(body))
    if (value !== undefined) Reflect.set(held, key, value ?? (key === 'metadata' ? {} : null));
  return held;
}

const assistantRoutes: readonly Route[] = [
  route<bodies.AssistantBody>('POST /assistants', { wire, body: bodies.ASSISTANT_BODY }, ({ world, body }) =>
    makeAssistant(world, body),
  ),
  route('GET /assistants', { wire, query: LIST_QUERY }, ({ world, query }) =>
    pageOf([...world.assistants.values()], query),
  ),
  route('GET /assistants/{assistant_id}', { wire }, assistantOf),
  route<bodies.ModifyAssistantBody>(
    'POST /assistants/{assistant_id}',
    { wire, body: bodies.MODIFY_ASSISTANT_BODY },
    (call) => modify(assistantOf(call), call.body),
  ),
  route('DELETE /assistants/{assistant_id}', { wire }, (call) => {
    const { id } = assistantOf(call);
    call.world.assistants.delete(id);
    return { id, object: 'assistant.deleted', deleted: true };
  }),
];

const threadRoutes: readonly Route[] = [
  route<bodies.ThreadBody>('POST /threads', { wire, body: bodies.THREAD_BODY }, ({ world, body }) => {
    const thread = makeThread(world, body);
    for (const message of body.messages ?? []) addMessage(world, thread, message);
    return thread.object;
  }),
  route('GET /threads/{thread_id}', { wire }, (call) => findThread(call).object),
  route<bodies.ModifyThreadBody>(
    'POST /threads/{thread_id}',
    { wire, body: bodies.MODIFY_THREAD_BODY },
    (call) => modify(findThread(call).object, call.body),
  ),
  route('DELETE /threads/{thread_id}', { wire }, (call) => {
    const thread = findThread(call);
    forgetRuns(call.world, thread);
    call.world.threads.delete(thread.object.id);
    return { id: thread.object.id, object: 'thread.deleted', deleted: true };
  }),
];

const messageRoutes: readonly Route[] = [
  route<bodies.MessageBody>(
    'POST /threads/{thread_id}/messages',
    { wire, body: bodies.MESSAGE_BODY },
    (call) => {
      const thread = findThread(call);
      const active = activeRunOf(thread);
      if (active !== null && !call.world.quirks.has('no_thread_lock'))
        throw messageWhileActive(thread.object.id, active.id);
      return addMessage(call.world, thread, call.body);
    },
  ),
  route('GET /threads/{thread_id}/messages', { wire, query: [...LIST_QUERY, 'run_id'] }, (call) => {
    const { messages } = findThread(call);
    const runId = call.query['run_id'];
    return pageOf(
      runId === undefined ? messages : messages.filter((message) => message.run_id === runId),
      call.query,
    );
  }),
  route('GET /threads/{thread_id}/messages/{message_id}', { wire }, findMessage),
  route<bodies.MetadataBody>(
    'POST /threads/{thread_id}/messages/{message_id}',
    { wire, body: bodies.METADATA_BODY },
    (call) => modify(findMessage(call), call.body),
  ),
  route('DELETE /threads/{thread_id}/messages/{message_id}', { wire }, (call) => {
    const { id } = findMessage(call);
    const { messages } = findThread(call);
    messages.splice(
      messages.findIndex((message) => message.id === id),
      1,
    );
    return { id, object: 'thread.message.deleted', deleted: true };
  }),
];

export const ASSISTANTS_ROUTES: readonly Route[] = [...assistantRoutes, ...threadRoutes, ...messageRoutes];
export { lookUp, modify };
