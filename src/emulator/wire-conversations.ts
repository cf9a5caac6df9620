/** Responses wire: conversations and their items. */
import * as bodies from './body-responses.ts';
import { WireError } from './errors.ts';
import { pageOf } from './paging.ts';
import { checkUnlocked, findConversation, readItems } from './responses-context.ts';
import { makeConversation } from './responses-objects.ts';
import { route } from './route.ts';
import type { Call, Route } from './route.ts';
import type { Conversation, Item } from './world.ts';

const wire = 'responses';

const conversationOf = ({ world, params }: Call<unknown>): Conversation =>
  findConversation(world, params['conversation_id'] ?? '');

function findItem(call: Call<unknown>): Item {
  const id = call.params['item_id'] ?? '';
  const found = conversationOf(call).items.find((item) => item.id === id);
  if (found === undefined) throw new WireError(404, `Item with id '${id}' not found.`);
  return found;
}

const LIST = ['limit', 'order', 'after'] as const;

export const CONVERSATION_ROUTES: readonly Route[] = [
  route<bodies.ConversationBody>(
    'POST /conversations',
    { wire, body: bodies.CONVERSATION_BODY },
    ({ world, body }) => {
      const items = readItems(world, [], body.items);
      const conversation = makeConversation(world, body.metadata ?? {});
      conversation.items.push(...items);
      return conversation.object;
    },
  ),
  route('GET /conversations/{conversation_id}', { wire }, (call) => conversationOf(call).object),
  route<bodies.UpdateConversationBody>(
    'POST /conversations/{conversation_id}',
    { wire, body: bodies.UPDATE_CONVERSATION_BODY },
    (call) => {
      const { object } = conversationOf(call);
      object.metadata = call.body.metadata ?? {};
      return object;
    },
  ),
  route('DELETE /conversations/{conversation_id}', { wire }, (call) => {
    const { id } = conversationOf(call).object;
    call.world.conversations.delete(id);
    return { id, object: 'conversation.deleted', deleted: true };
  }),
  route<bodies.ItemsBody>(
    'POST /conversations/{conversation_id}/items',
    { wire, body: bodies.ITEMS_BODY },
    (call) => {
      const conversation = conversationOf(call);
      checkUnlocked(call.world, conversation);
      const items = readItems(call.world, conversation.items, call.body.items);
      conversation.items.push(...items);
      return pageOf(items, { limit: 100, order: 'asc' });
    },
  ),
  route('GET /conversations/{conversation_id}/items', { wire, query: LIST }, (call) =>
    pageOf(conversationOf(call).items, call.query),
  ),
  route('GET /conversations/{conversation_id}/items/{item_id}', { wire }, findItem),
  route('DELETE /conversations/{conversation_id}/items/{item_id}', { wire }, (call) => {
    const { id } = findItem(call);
    const conversation = conversationOf(call);
    conversation.items.splice(
      conversation.items.findIndex((item) => item.id === id),
      1,
    );
    return conversation.object;
  }),
];
