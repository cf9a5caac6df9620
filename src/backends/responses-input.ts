/** Messages and tool outputs as input items of this wire, and the other way: what of it stands in a conversation. Pure. */
import type { InputMessage, InputPart } from '../contract.ts';
import type { PendingCall, JsonObject } from '../run.ts';
import type { ToolOutput } from '../steps.ts';
import { isObject, objectsOf, textOf } from './responses-wire.ts';

function toPart(part: InputPart, role: InputMessage['role']): JsonObject {
  switch (part.type) {
    case 'text':
      return role === 'assistant'
        ? { type: 'output_text', text: part.text, annotations: [] }
        : { type: 'input_text', text: part.text };
    case 'image_url':
      return {
        type: 'input_image',
        image_url: part.image_url.url,
        detail: part.image_url.detail ?? 'auto',
      };
    case 'image_file':
      return {
        type: 'input_image',
        file_id: part.image_file.file_id,
        detail: part.image_file.detail ?? 'auto',
      };
    case 'file': {
      const { file_id, url, filename } = part.file;
      if (file_id !== undefined) return { type: 'input_file', file_id };
      const named = filename === undefined ? {} : { filename };
      return url?.startsWith('data:') === true
        ? { type: 'input_file', file_data: url, ...named }
        : { type: 'input_file', file_url: url ?? '', ...named };
    }
    default:
      return part satisfies never;
  }
}

/** Content is always a list of parts: a string of an assistant would be read as input text by some servers. */
export function toInputItem(message: InputMessage): JsonObject {
  const parts: readonly InputPart[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  return {
    type: 'message',
    role: message.role,
    content: parts.map((part) => toPart(part, message.role)),
  };
}

/** All messages as input items, in their order. */
export const toInputItems = (messages: readonly InputMessage[]): readonly JsonObject[] =>
  messages.map(toInputItem);

/** The output of a call as an input item. */
export function toOutputItem({ tool_call_id: id, output, approval }: ToolOutput): JsonObject {
  if (approval === undefined) return { type: 'function_call_output', call_id: id, output };
  const { approve, reason } = approval;
  return {
    type: 'mcp_approval_response',
    approval_request_id: id,
    approve,
    ...(reason === null ? {} : { reason }),
  };
}

/** What a call is told that nobody will answer any more. */
export const ABANDONED_OUTPUT = JSON.stringify({
  error: 'not_executed',
  message: 'The run that made this call has ended. The call was not executed for it.',
});

/** {@link ABANDONED_OUTPUT} as the output of this call. */
export const toAbandonedItem = ({ id, server_label }: PendingCall): JsonObject =>
  toOutputItem({
    tool_call_id: id,
    output: ABANDONED_OUTPUT,
    ...(server_label === undefined ? {} : { approval: { approve: false, reason: null } }),
  });

const isText = (part: JsonObject): boolean =>
  ['input_text', 'output_text', 'text'].includes(textOf(part['type']) ?? '');

const partsOf = (item: JsonObject): readonly JsonObject[] =>
  typeof item['content'] === 'string'
    ? [{ type: 'input_text', text: item['content'] }]
    : objectsOf(item['content']);

/** A server shows files and images its own way: there the kind counts, and the file's id where both say one. */
function isSamePart(ours: JsonObject, theirs: JsonObject): boolean {
  if (isText(ours) || isText(theirs)) {
    return isText(ours) && isText(theirs) && ours['text'] === theirs['text'];
  }
  const [mine, other] = [textOf(ours['file_id']), textOf(theirs['file_id'])];
  return ours['type'] === theirs['type'] && (mine === null || other === null || mine === other);
}

/** Whether an item of a conversation is this input item. */
export function isSameMessage(ours: JsonObject, theirs: JsonObject): boolean {
  if ((textOf(theirs['type']) ?? 'message') !== 'message' || ours['role'] !== theirs['role']) return false;
  const [mine, other] = [partsOf(ours), partsOf(theirs)];
  return (
    mine.length === other.length &&
    mine.every((part, index) => {
      const twin = other[index];
      return isObject(twin) && isSamePart(part, twin);
    })
  );
}
