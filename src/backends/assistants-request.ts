/** The request of this wire: what of a run it cannot carry, and the body that creates one. */
import { METADATA_KEYS } from '../contract.ts';
import type { InputMessage, InputPart, Issue } from '../contract.ts';
import type { Json, JsonObject } from '../run.ts';
import type { ResolvedRun } from './backend.ts';

/** Limits of the wire itself (OpenAPI description, `CreateRunRequest`). */
export const ASSISTANTS_LIMITS = { tools: 20 } as const;

/** What this wire cannot carry of a run, all of it at once. */
export function checkRun(run: ResolvedRun): readonly Issue[] {
  const issues: Issue[] = [];
  if ((run.tools?.length ?? 0) > ASSISTANTS_LIMITS.tools) {
    issues.push({
      field: 'tools',
      message: 'The assistants wire takes fewer tools for a run; leave the others to the assistant.',
      limit: ASSISTANTS_LIMITS.tools,
      value: run.tools?.length ?? 0,
    });
  }
  run.messages.forEach((message, index) => issues.push(...checkMessage(message, `messages[${index}]`)));
  return issues;
}

function checkMessage(message: InputMessage, field: string): readonly Issue[] {
  const { content } = message;
  if (typeof content === 'string') {
    return content === '' ? [{ field: `${field}.content`, message: 'A message needs text or parts.' }] : [];
  }
  const issues = content.flatMap((part, index) => checkPart(part, `${field}.content[${index}]`));
  if (issues.length === 0 && content.every((part) => part.type === 'file')) {
    issues.push({
      field: `${field}.content`,
      message: 'On the assistants wire a file is attached to a message: put a text or image part beside it.',
    });
  }
  return issues;
}

function checkPart(part: InputPart, field: string): readonly Issue[] {
  switch (part.type) {
    case 'text':
    case 'image_file':
      return [];
    case 'image_url':
      return /^data:/i.test(part.image_url.url)
        ? [
            {
              field: `${field}.image_url.url`,
              message:
                'The assistants wire takes no data URL: pass an http(s) URL, or upload the image and pass image_file.',
            },
          ]
        : [];
    case 'file':
      return part.file.file_id === undefined || part.file.file_id === ''
        ? [
            {
              field: `${field}.file`,
              message: 'The assistants wire takes files by id only: upload the file and pass its file_id.',
            },
          ]
        : [];
    default:
      return [{ field, message: 'The assistants wire does not know this kind of part.' }];
  }
}

/** A message as `additional_messages` takes it; a `file` part becomes an attachment for `file_search`. */
export function mapMessage(message: InputMessage): JsonObject {
  const parts = typeof message.content === 'string' ? [] : message.content;
  const files = parts.flatMap((part) =>
    part.type === 'file' && part.file.file_id !== undefined
      ? [{ file_id: part.file.file_id, tools: [{ type: 'file_search' }] }]
      : [],
  );
  const attachments: readonly Json[] = [...(message.attachments ?? []), ...files];
  const content =
    typeof message.content === 'string'
      ? message.content
      : (parts.filter((part) => part.type !== 'file') as unknown as Json);
  return {
    role: message.role,
    content,
    ...(attachments.length > 0 ? { attachments } : {}),
    ...(message.metadata ? { metadata: message.metadata } : {}),
  };
}

/** The fields that have the same name and meaning on this wire. */
const SAME = [
  'assistant_id',
  'model',
  'reasoning_effort',
  'instructions',
  'additional_instructions',
  'tools',
  'metadata',
  'temperature',
  'top_p',
  'max_prompt_tokens',
  'max_completion_tokens',
  'truncation_strategy',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
] as const satisfies readonly (keyof ResolvedRun)[];

/** The body of create-run. What the request does not say is not sent: the assistant's own value holds. */
export function createBody(
  run: ResolvedRun,
  includeInput: boolean,
  passThrough: JsonObject = {},
): JsonObject {
  const body: Record<string, Json> = { ...passThrough };
  for (const field of SAME) {
    const value = run[field];
    if (value !== undefined) body[field] = value as Json;
  }
  if (includeInput && run.messages.length > 0) body['additional_messages'] = run.messages.map(mapMessage);
  return body;
}

/** A thread bears Drover's own two pairs, so that a sweep can tell whose it is; a service's pairs are the run's. */
export function threadBody(run: ResolvedRun): JsonObject {
  const ours = Object.values(METADATA_KEYS).flatMap((key) => {
    const value = run.metadata[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  return { metadata: Object.fromEntries(ours) };
}
