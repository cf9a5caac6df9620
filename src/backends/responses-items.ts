/** What the output items of a response mean for a run: calls to answer, text, refusals. Pure. */
import type { OutputMessage } from '../contract.ts';
import type { PendingCall, JsonObject } from '../run.ts';
import type { AttemptOutput } from '../steps.ts';
import { idOf, objectsOf, textOf } from './responses-wire.ts';

/** What the client of a response has to answer. */
export interface Waiting {
  readonly calls: readonly PendingCall[];
  /** Something that Drover cannot answer, in a few words; null where there is none. */
  readonly unsupported: string | null;
}

/** Items that wait for the client. Built-in tools that the provider runs itself leave no such item open. */
const CLIENT_CALLS: Readonly<Record<string, string>> = {
  custom_tool_call: 'custom_tool_call_output',
  computer_call: 'computer_call_output',
  local_shell_call: 'local_shell_call_output',
  shell_call: 'shell_call_output',
  apply_patch_call: 'apply_patch_call_output',
};

const argumentsOf = (item: JsonObject): string => {
  const given = item['arguments'];
  return typeof given === 'string' ? given : JSON.stringify(given ?? {});
};

/** A server that leaves `call_id` out means its item's id. */
const callIdOf = (item: JsonObject): string | null => idOf(item['call_id'] ?? item['id']);

/** True for what answers a call: an output, or the word on an MCP server's call. */
export function isOutput(item: JsonObject): boolean {
  const type = textOf(item['type']);
  return type?.endsWith('_output') === true || type === 'mcp_approval_response';
}

/** The call that an item answers; null where it answers none. */
export const answeredId = (item: JsonObject): string | null =>
  isOutput(item) ? textOf(item['call_id'] ?? item['approval_request_id']) : null;

/** Call ids that have an output among these items. */
export function answeredIds(items: readonly JsonObject[]): ReadonlySet<string> {
  return new Set(
    items.flatMap((item) => {
      const id = answeredId(item);
      return id === null ? [] : [id];
    }),
  );
}

/**
 * What these items leave open. Two equal calls under one id are one call; two different ones cannot be told
 * apart by any answer, and a call without an id cannot be answered: both are unsupported, so that the run ends
 * by name instead of waiting for ever.
 */
export function waitingFor(items: readonly JsonObject[]): Waiting {
  const answered = answeredIds(items);
  const calls = new Map<string, PendingCall>();
  let unsupported: string | null = null;
  for (const item of items) {
    const type = textOf(item['type']) ?? '';
    const id = callIdOf(item);
    if (type === 'function_call') {
      if (id === null) {
        unsupported ??= 'function_call without an id';
        continue;
      }
      if (answered.has(id)) continue;
      const call: PendingCall = {
        id,
        type: 'function',
        function: { name: textOf(item['name']) ?? '', arguments: argumentsOf(item) },
      };
      const twin = calls.get(id);
      if (twin !== undefined && JSON.stringify(twin) !== JSON.stringify(call)) {
        unsupported ??= 'function_calls that differ under one call_id';
      }
      if (twin === undefined) calls.set(id, call);
    } else if (type === 'mcp_approval_request') {
      if (id === null) unsupported ??= 'mcp_approval_request without an id';
      else if (!answered.has(id)) {
        const name = textOf(item['name']) ?? '';
        const server_label = textOf(item['server_label']) ?? '';
        calls.set(id, {
          id,
          type: 'function',
          function: { name, arguments: argumentsOf(item) },
          server_label,
        });
      }
    } else if (Object.hasOwn(CLIENT_CALLS, type) && (id === null || !answered.has(id))) {
      unsupported ??= type;
    } else if (type === 'tool_search_call' && item['execution'] === 'client') {
      unsupported ??= type;
    }
  }
  return { calls: [...calls.values()], unsupported };
}

const partsOf = (item: JsonObject): readonly JsonObject[] =>
  typeof item['content'] === 'string'
    ? [{ type: 'output_text', text: item['content'], annotations: [] }]
    : objectsOf(item['content']);

const KEPT_OUT: ReadonlySet<string> = new Set([
  'reasoning',
  'function_call',
  'function_call_output',
  'mcp_approval_request',
]);

/**
 * What a response said: the parts of its messages as they came, and the items of built-in tools, each as a
 * message of one part. Reasoning and function calls are no output.
 */
export function readOutput(items: readonly JsonObject[]): AttemptOutput {
  const messages: OutputMessage[] = [];
  let text = '';
  const refusals: string[] = [];
  for (const item of items) {
    const type = textOf(item['type']) ?? 'message';
    if (KEPT_OUT.has(type)) continue;
    const content = type === 'message' ? partsOf(item) : [item];
    messages.push({ id: textOf(item['id']), role: 'assistant', content });
    for (const part of content) {
      if (part['type'] === 'output_text' || part['type'] === 'text') text += textOf(part['text']) ?? '';
      if (part['type'] === 'refusal') refusals.push(textOf(part['refusal']) ?? '');
    }
  }
  return { text, refusal: refusals.length > 0 ? refusals.join('\n') : null, messages };
}
