/** The objects of the Assistants wire, as they are made. */
import type { AssistantBody, MessageBody, RunBody } from './body-assistants.ts';
import { makeId, nowSeconds } from './ids.ts';
import type { Assistant, Message, Run, RunStep, Thread, Wire, World } from './world.ts';

export function makeAssistant(world: World, body: AssistantBody, id?: string): Assistant {
  const assistant: Assistant = {
    id: id ?? makeId('asst', world.quirks),
    object: 'assistant',
    created_at: nowSeconds(),
    name: body.name ?? null,
    description: body.description ?? null,
    model: body.model,
    instructions: body.instructions ?? null,
    tools: body.tools ?? [],
    tool_resources: body.tool_resources ?? {},
    metadata: body.metadata ?? {},
    temperature: body.temperature ?? 1,
    top_p: body.top_p ?? 1,
    response_format: body.response_format ?? 'auto',
    ...(body.reasoning_effort === undefined ? {} : { reasoning_effort: body.reasoning_effort }),
  };
  world.assistants.set(assistant.id, assistant);
  return assistant;
}

export function makeThread(world: World, body: { metadata?: unknown; tool_resources?: unknown }): Thread {
  const thread: Thread = {
    object: {
      id: makeId('thread', world.quirks),
      object: 'thread',
      created_at: nowSeconds(),
      metadata: (body.metadata ?? {}) as Record<string, string>,
      tool_resources: body.tool_resources ?? {},
    },
    messages: [],
    runs: [],
  };
  world.threads.set(thread.object.id, thread);
  return thread;
}

const textPart = (value: string): Wire => ({ type: 'text', text: { value, annotations: [] } });

function shownPart(part: Exclude<MessageBody['content'], string>[number]): Wire {
  switch (part.type) {
    case 'text':
      return textPart(part.text);
    case 'image_url':
      return { type: 'image_url', image_url: { detail: 'auto', ...part.image_url } };
    case 'image_file':
      return { type: 'image_file', image_file: { detail: 'auto', ...part.image_file } };
    default:
      return part satisfies never;
  }
}

/** Puts a caller's message into a thread. */
export function addMessage(world: World, thread: Thread, body: MessageBody): Message {
  const now = nowSeconds();
  const message: Message = {
    id: makeId('msg', world.quirks),
    object: 'thread.message',
    created_at: now,
    thread_id: thread.object.id,
    status: 'completed',
    incomplete_details: null,
    completed_at: now,
    incomplete_at: null,
    role: body.role,
    content: typeof body.content === 'string' ? [textPart(body.content)] : body.content.map(shownPart),
    assistant_id: null,
    run_id: null,
    attachments: body.attachments ?? [],
    metadata: body.metadata ?? {},
  };
  thread.messages.push(message);
  return message;
}

export type Said =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'refusal'; readonly text: string };

/**
 * Puts what a run said into its thread, with the step that tells of it.
 *
 * @param cut why the message is incomplete; null where it is whole.
 */
export function addRunMessage(
  world: World,
  thread: Thread,
  run: Run,
  said: Said,
  cut: string | null,
  usage: Wire | null,
): void {
  const now = nowSeconds();
  const message: Message = {
    id: makeId('msg', world.quirks),
    object: 'thread.message',
    created_at: now,
    thread_id: run.threadId,
    status: cut === null ? 'completed' : 'incomplete',
    incomplete_details: cut === null ? null : { reason: cut },
    completed_at: cut === null ? now : null,
    incomplete_at: cut === null ? null : now,
    role: 'assistant',
    content: [said.kind === 'text' ? textPart(said.text) : { type: 'refusal', refusal: said.text }],
    assistant_id: String(run.object['assistant_id']),
    run_id: run.id,
    attachments: [],
    metadata: {},
  };
  thread.messages.push(message);
  const details = { type: 'message_creation', message_creation: { message_id: message.id } };
  run.steps.push({
    ...makeStep(world, run, 'message_creation', details, usage),
    ...stepEnd('completed', now),
  });
}

/** A step in progress. */
export function makeStep(
  world: World,
  run: Run,
  type: RunStep['type'],
  details: Wire,
  usage: Wire | null,
): RunStep {
  return {
    id: makeId('step', world.quirks),
    object: 'thread.run.step',
    created_at: nowSeconds(),
    assistant_id: run.object['assistant_id'],
    thread_id: run.threadId,
    run_id: run.id,
    type,
    status: 'in_progress',
    step_details: details,
    last_error: null,
    expired_at: null,
    cancelled_at: null,
    failed_at: null,
    completed_at: null,
    metadata: {},
    usage,
  };
}

/** The fields of a step that has ended this way. */
export function stepEnd(status: string, now: number): Wire {
  return { status, [`${status}_at`]: now };
}

/** The run object of a create, still queued. */
export function makeRunObject(
  body: RunBody,
  assistant: Assistant,
  facts: { readonly id: string; readonly threadId: string; readonly expiresAfterMs: number },
): Run['object'] {
  const now = nowSeconds();
  const instructions = body.instructions ?? (assistant['instructions'] as string | null) ?? '';
  const added = body.additional_instructions;
  const effort = body.reasoning_effort ?? assistant['reasoning_effort'];
  return {
    id: facts.id,
    object: 'thread.run',
    created_at: now,
    thread_id: facts.threadId,
    assistant_id: assistant.id,
    status: 'queued',
    required_action: null,
    last_error: null,
    expires_at: now + Math.max(1, Math.ceil(facts.expiresAfterMs / 1000)),
    started_at: null,
    cancelled_at: null,
    failed_at: null,
    completed_at: null,
    incomplete_details: null,
    model: body.model ?? assistant.model,
    instructions: added ? [instructions, added].filter(Boolean).join('\n') : instructions,
    tools: body.tools ?? assistant['tools'],
    metadata: body.metadata ?? {},
    usage: null,
    temperature: body.temperature ?? assistant['temperature'] ?? 1,
    top_p: body.top_p ?? assistant['top_p'] ?? 1,
    max_prompt_tokens: body.max_prompt_tokens ?? null,
    max_completion_tokens: body.max_completion_tokens ?? null,
    truncation_strategy:
      body.truncation_strategy === undefined || body.truncation_strategy === null
        ? { type: 'auto', last_messages: null }
        : { last_messages: null, ...body.truncation_strategy },
    tool_choice: body.tool_choice ?? 'auto',
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    response_format: body.response_format ?? assistant['response_format'] ?? 'auto',
    ...(effort === undefined || effort === null ? {} : { reasoning_effort: effort }),
  };
}
