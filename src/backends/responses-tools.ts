/** Tools, tool choice and response format: from the run object's shape to this wire's, and back. Pure. */
import type { Json, JsonObject } from '../run.ts';
import { isObject, textOf } from './responses-wire.ts';

/** A function without parameters, as this wire wants it said. */
const NO_PARAMETERS: JsonObject = { type: 'object', properties: {} };

const without = (object: JsonObject, ...keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));

/**
 * One tool for a request. Functions and file search are flattened by a level; `parameters` and `strict` are
 * always said, because this wire's default for `strict` is the other one. What is neither passes as it is.
 */
export function toWireTool(tool: JsonObject): JsonObject {
  switch (tool['type']) {
    case 'function': {
      const given = isObject(tool['function']) ? tool['function'] : without(tool, 'type');
      return {
        type: 'function',
        ...given,
        parameters: isObject(given['parameters']) ? given['parameters'] : NO_PARAMETERS,
        strict: given['strict'] === true,
      };
    }
    case 'file_search': {
      const nested = isObject(tool['file_search']) ? tool['file_search'] : {};
      return { ...without(tool, 'file_search'), ...nested };
    }
    case 'code_interpreter': {
      const nested = isObject(tool['code_interpreter']) ? tool['code_interpreter'] : {};
      return { container: { type: 'auto' }, ...without(tool, 'code_interpreter'), ...nested };
    }
    default:
      return tool;
  }
}

/** One tool of an answer, in the run object's shape. */
export function fromWireTool(tool: JsonObject): JsonObject {
  switch (tool['type']) {
    case 'function': {
      if (isObject(tool['function'])) return tool;
      const given = Object.entries(without(tool, 'type')).filter(([, held]) => held !== null);
      return { type: 'function', function: Object.fromEntries(given) };
    }
    case 'file_search':
      return { type: 'file_search', file_search: without(tool, 'type') };
    default:
      return tool;
  }
}

/** `{type: 'function', function: {name}}` loses a level; modes and other tools pass as they are. */
export function toWireToolChoice(choice: string | JsonObject): string | JsonObject {
  if (typeof choice === 'string' || choice['type'] !== 'function' || !isObject(choice['function'])) {
    return choice;
  }
  return { type: 'function', name: textOf(choice['function']['name']) ?? '' };
}

/** The way back of {@link toWireToolChoice}. */
export function fromWireToolChoice(choice: Json): Json {
  if (!isObject(choice) || choice['type'] !== 'function' || isObject(choice['function'])) return choice;
  return { type: 'function', function: { name: textOf(choice['name']) ?? '' } };
}

/**
 * A forced choice holds until the run's first round of calls. Said again on the steps after it, the model could
 * never answer: a run would go in circles.
 */
export function relaxToolChoice(choice: string | JsonObject): string | JsonObject {
  if (typeof choice === 'string') return choice === 'required' ? 'auto' : choice;
  if (choice['type'] === 'allowed_tools') return { ...choice, mode: 'auto' };
  return 'auto';
}

/** `text.format`, or null for `auto`, which is this wire's silence. `json_schema` loses a level. */
export function toTextFormat(format: string | JsonObject): JsonObject | null {
  if (typeof format === 'string') return format === 'auto' ? null : { type: format };
  if (format['type'] !== 'json_schema' || !isObject(format['json_schema'])) return format;
  return { type: 'json_schema', schema: {}, ...format['json_schema'] };
}

/** The way back of {@link toTextFormat}; `auto` comes back as `text`. */
export function fromTextFormat(format: Json): Json {
  if (!isObject(format) || format['type'] !== 'json_schema' || isObject(format['json_schema'])) return format;
  const given = Object.entries(without(format, 'type')).filter(([, held]) => held !== null);
  return { type: 'json_schema', json_schema: Object.fromEntries(given) };
}
