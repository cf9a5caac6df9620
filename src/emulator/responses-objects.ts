/** The objects of the Responses wire, as they are made. */
import type { InputItem, ResponseBody } from './body-responses.ts';
import { argumentsText } from './engine.ts';
import type { Turn } from './engine.ts';
import { makeId, nowSeconds } from './ids.ts';
import type { Conversation, Item, Metadata, StoredResponse, Wire, World } from './world.ts';

const outputText = (text: string): Wire => ({ type: 'output_text', text, annotations: [], logprobs: [] });

function shownMessage(world: World, given: Extract<InputItem, { role: string }>): Item {
  const parts =
    typeof given.content === 'string'
      ? [given.role === 'assistant' ? outputText(given.content) : { type: 'input_text', text: given.content }]
      : given.content.map((part) => (part.type === 'output_text' ? { ...outputText(''), ...part } : part));
  return {
    id: makeId('msg', world.quirks),
    type: 'message',
    status: 'completed',
    role: given.role,
    content: parts,
  };
}

const ITEM_PREFIXES: Readonly<Record<string, string>> = {
  function_call: 'fc',
  function_call_output: 'fco',
  mcp_approval_response: 'mcpr',
};

/** An item of a request as the server shows it: with an id and a status. */
export function makeItem(world: World, given: Exclude<InputItem, { type: 'item_reference' }>): Item {
  if ('role' in given) return shownMessage(world, given);
  const id = given.id ?? makeId(ITEM_PREFIXES[given.type] ?? 'item', world.quirks);
  switch (given.type) {
    case 'function_call':
    case 'function_call_output':
      return { ...given, id, status: 'completed' };
    default:
      return { ...given, id };
  }
}

/** What a turn said, as items. */
export function makeOutput(world: World, turn: Turn, encrypts: boolean): Item[] {
  const message = (content: Wire, status = 'completed'): Item => ({
    id: makeId('msg', world.quirks),
    type: 'message',
    status,
    role: 'assistant',
    content: [content],
  });
  const items: Item[] = turn.said.map((said) =>
    said.kind === 'say'
      ? message(outputText(said.text))
      : {
          id: makeId('rs', world.quirks),
          type: 'reasoning',
          summary: [{ type: 'summary_text', text: said.text }],
          ...(encrypts ? { encrypted_content: Buffer.from(said.text).toString('base64') } : {}),
        },
  );
  const { outcome } = turn;
  if (outcome.kind === 'answer') items.push(message(outputText(outcome.text)));
  if (outcome.kind === 'refusal') items.push(message({ type: 'refusal', refusal: outcome.text }));
  if (outcome.kind === 'incomplete' && outcome.text !== null)
    items.push(message(outputText(outcome.text), 'incomplete'));
  if (outcome.kind === 'calls')
    for (const call of outcome.calls)
      items.push({
        id: makeId('fc', world.quirks),
        type: 'function_call',
        status: 'completed',
        call_id: call.id ?? makeId('call', world.quirks),
        name: call.name,
        arguments: argumentsText(call.arguments),
      });
  if (outcome.kind === 'approvals')
    for (const approval of outcome.approvals)
      items.push({
        id: makeId('mcpr', world.quirks),
        type: 'mcp_approval_request',
        server_label: approval.server_label,
        name: approval.name,
        arguments: argumentsText(approval.arguments),
      });
  return items;
}

export function makeUsage(turn: Turn): Wire {
  const { prompt_tokens: input, completion_tokens: output, cached_tokens, reasoning_tokens } = turn.usage;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens, cache_write_tokens: 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens },
    total_tokens: input + output,
  };
}

/** The response object of a create. */
export function makeResponseObject(
  body: ResponseBody,
  facts: {
    readonly id: string;
    readonly model: string;
    readonly status: string;
    readonly conversation: string | null;
  },
): StoredResponse['object'] {
  return {
    id: facts.id,
    object: 'response',
    created_at: nowSeconds(),
    status: facts.status,
    background: body.background ?? false,
    completed_at: null,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    max_tool_calls: body.max_tool_calls ?? null,
    model: facts.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: body.previous_response_id ?? null,
    conversation: facts.conversation === null ? null : { id: facts.conversation },
    prompt_cache_key: body.prompt_cache_key ?? null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.summary ?? null },
    safety_identifier: body.safety_identifier ?? null,
    service_tier: body.service_tier ?? 'default',
    temperature: body.temperature ?? 1,
    text: { format: { type: 'text' }, ...body.text },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? 'disabled',
    usage: null,
    metadata: body.metadata ?? {},
    access_programs: null,
    ...(body.user === undefined ? {} : { user: body.user }),
  };
}

export function makeConversation(world: World, metadata: Metadata): Conversation {
  const conversation: Conversation = {
    object: {
      id: makeId('conv', world.quirks),
      object: 'conversation',
      created_at: nowSeconds(),
      metadata,
    },
    items: [],
    active: null,
    last: null,
  };
  world.conversations.set(conversation.object.id, conversation);
  return conversation;
}
