/** What this wire cannot carry of a run, all mistakes at once. Pure. */
import type { InputMessage, Issue } from '../contract.ts';
import type { JsonObject } from '../run.ts';
import type { ResolvedRun } from './backend.ts';
import { toWireTool } from './responses-tools.ts';
import { isObject, textOf } from './responses-wire.ts';

/** Fields of a create's body by which a server knows the model without `model`. */
const MODEL_FIELDS = ['model', 'agent_reference', 'agent', 'prompt'] as const;

function checkMessage(message: InputMessage, field: string): Issue[] {
  const issues: Issue[] = [];
  if ((message.attachments?.length ?? 0) > 0) {
    issues.push({
      field: `${field}.attachments`,
      message: 'The Responses wire has no attachments: use a `file` part, or a tool with `vector_store_ids`.',
    });
  }
  if (typeof message.content === 'string') return issues;
  message.content.forEach((part, index) => {
    const place = `${field}.content.${index}`;
    if (message.role === 'assistant' && part.type !== 'text') {
      issues.push({ field: place, message: 'On the Responses wire an assistant message holds text only.' });
    }
    if (part.type === 'file' && (part.file.file_id === undefined) === (part.file.url === undefined)) {
      issues.push({ field: `${place}.file`, message: 'Give a `file_id` or a `url`, one of the two.' });
    }
  });
  return issues;
}

function checkTool(tool: JsonObject, field: string): Issue[] {
  if (tool['type'] === 'file_search' && !Array.isArray(toWireTool(tool)['vector_store_ids'])) {
    return [
      {
        field: `${field}.file_search.vector_store_ids`,
        message: 'The Responses wire has no tool resources: name the vector stores in the tool itself.',
      },
    ];
  }
  const wire = tool['type'] === 'function' ? toWireTool(tool) : null;
  return wire !== null && textOf(wire['name']) === null
    ? [{ field: `${field}.function.name`, message: 'A function needs a name.' }]
    : [];
}

function checkTruncation(run: ResolvedRun): Issue[] {
  const strategy = run.truncation_strategy;
  if (strategy === undefined || strategy.type === 'auto' || strategy.type === 'disabled') return [];
  return [
    {
      field: 'truncation_strategy',
      message: 'The Responses wire cannot cut a thread to its last messages: use `auto`.',
      value: strategy.type,
    },
  ];
}

/** Pairs that the wire allows (OpenAPI description, `Metadata`). */
const METADATA_PAIRS = 16;

function checkMetadata(run: ResolvedRun, body: JsonObject): Issue[] {
  const configured = isObject(body['metadata']) ? body['metadata'] : {};
  const pairs = Object.keys({ ...configured, ...run.metadata }).length;
  if (pairs <= METADATA_PAIRS) return [];
  const added = pairs - Object.keys(run.metadata).length;
  return [
    {
      field: 'metadata',
      message: `The wire takes ${METADATA_PAIRS} pairs, and the backend's \`body\` adds ${added} to the run's own: leave out ${pairs - METADATA_PAIRS}.`,
      limit: METADATA_PAIRS,
    },
  ];
}

/**
 * Issues of a run on this wire. `max_prompt_tokens` is none: the adapter counts it itself, between steps. A
 * message's `metadata` has no place here and is left out.
 *
 * @param body the configured fields of every create.
 */
export function checkRun(run: ResolvedRun, body: JsonObject): readonly Issue[] {
  const named =
    run.model !== undefined ||
    MODEL_FIELDS.some((field) => textOf(body[field]) !== null || isObject(body[field]));
  return [
    ...(named
      ? []
      : [
          {
            field: 'model',
            message:
              'The Responses wire has no assistants of its own: name a model here, in `assistants`, or in the backend’s `body`.',
          },
        ]),
    ...checkTruncation(run),
    ...checkMetadata(run, body),
    ...run.messages.flatMap((message, index) => checkMessage(message, `messages.${index}`)),
    ...(run.tools ?? []).flatMap((tool, index) => checkTool(tool, `tools.${index}`)),
  ];
}
