/**
 * The form of a schema that a provider can hold the model to (OpenAI, "Structured outputs", supported
 * schemas): every object closed, every field required, nothing but the supported keywords.
 */
import type { Json, JsonObject } from '../run.ts';
import { acceptsNull, isJsonObject, schemasOf, typesOf } from './json-schema.ts';

const MAX_PROPERTIES = 5_000;
const MAX_DEPTH = 10;
const MAX_ENUM_VALUES = 1_000;
const MAX_NAME_CHARS = 120_000;
const MAX_LONG_ENUM_CHARS = 15_000;
const LONG_ENUM_VALUES = 250;

const KEPT = new Set([
  '$ref',
  'type',
  'description',
  'title',
  'enum',
  'const',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
]);
/** Says nothing about which values are right. */
const DROPPED = new Set(['$schema', '$id', '$comment', 'readOnly', 'writeOnly', 'examples', 'deprecated']);
const FORMATS = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
]);
const isSupportedFormat = (held: Json | undefined): held is string =>
  typeof held === 'string' && FORMATS.has(held);
const LOOKAROUND = /\(\?<?[=!]/;

interface Walk {
  readonly root: JsonObject;
  readonly problems: string[];
  properties: number;
  enumValues: number;
  nameChars: number;
}

const at = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

const describeDefault = (description: Json | undefined, value: Json): string =>
  [description, `Default: ${JSON.stringify(value)}.`].filter((text) => typeof text === 'string').join(' ');

/** The schema widened by null, which stands for "left out". */
function nullable(schema: JsonObject, root: JsonObject): JsonObject {
  if (acceptsNull(schema, root)) return schema;
  const types = typesOf(schema);
  const { const: constant, enum: values, anyOf, description, ...rest } = schema;
  const said = description === undefined ? {} : { description };
  if (types !== null) {
    const taken = constant === undefined ? values : [constant];
    return {
      ...rest,
      ...said,
      ...(anyOf === undefined ? {} : { anyOf: [...schemasOf(anyOf), { type: 'null' }] }),
      ...(Array.isArray(taken) ? { enum: [...(taken as Json[]), null] } : {}),
      type: [...types, 'null'],
    };
  }
  if (Array.isArray(anyOf)) return { ...schema, anyOf: [...(anyOf as Json[]), { type: 'null' }] };
  const { description: _, ...bare } = schema;
  return { ...said, anyOf: [bare, { type: 'null' }] };
}

function strictObject(node: JsonObject, walk: Walk, path: string, depth: number): Record<string, Json> {
  if (depth > MAX_DEPTH) walk.problems.push(`${path}: nested deeper than ${MAX_DEPTH} levels`);
  const open = node['additionalProperties'];
  if (open !== undefined && open !== false) walk.problems.push(`${path || 'the schema'}: takes other fields`);
  const required = schemasOf(node['required']);
  const properties = isJsonObject(node['properties']) ? node['properties'] : {};
  const strict = Object.entries(properties).map(([key, held]): [string, Json] => {
    walk.properties += 1;
    walk.nameChars += key.length;
    const inner = strictNode(held, walk, at(path, key), depth + 1);
    return [key, required.includes(key) ? inner : nullable(inner, walk.root)];
  });
  return {
    properties: Object.fromEntries(strict),
    required: strict.map(([key]) => key),
    additionalProperties: false,
  };
}

function countEnum(values: Json | undefined, walk: Walk, path: string): void {
  if (!Array.isArray(values)) return;
  walk.enumValues += values.length;
  const chars = values.reduce<number>((sum, value) => sum + String(value).length, 0);
  walk.nameChars += chars;
  if (values.length > LONG_ENUM_VALUES && chars > MAX_LONG_ENUM_CHARS) {
    walk.problems.push(`${path}: the enum's values are too long`);
  }
}

function strictKeyword(keyword: string, held: Json, node: JsonObject, walk: Walk, path: string): JsonObject {
  switch (keyword) {
    case 'format':
      if (isSupportedFormat(held)) return { format: held };
      break;
    case 'pattern':
      // A supported format says the same, without a pattern that the provider may not read.
      if (isSupportedFormat(node['format'])) return {};
      if (typeof held === 'string' && !LOOKAROUND.test(held)) return { pattern: held };
      break;
    default:
      if (KEPT.has(keyword)) return { [keyword]: held };
      if (DROPPED.has(keyword)) return {};
  }
  walk.problems.push(`${path || 'the schema'}: \`${keyword}\` is not supported`);
  return {};
}

/** `allOf` with one member says what the member says. */
function unwrap(schema: Json): Json {
  if (!isJsonObject(schema)) return schema;
  const { allOf, ...rest } = schema;
  const [only, ...others] = schemasOf(allOf);
  return isJsonObject(only) && others.length === 0 ? { ...only, ...rest } : schema;
}

/** A reference takes no keyword beside it. */
function aloneReference(node: JsonObject): JsonObject {
  const { $ref, ...rest } = node;
  return $ref === undefined || Object.keys(rest).length === 0 ? node : { ...rest, anyOf: [{ $ref }] };
}

function strictNode(given: Json, walk: Walk, path: string, depth: number): JsonObject {
  const schema = unwrap(given);
  if (!isJsonObject(schema)) {
    walk.problems.push(`${path || 'the schema'}: takes anything or nothing`);
    return {};
  }
  const node: Record<string, Json> = {};
  const types = typesOf(schema);
  for (const [keyword, held] of Object.entries(schema)) {
    switch (keyword) {
      case 'properties':
      case 'required':
      case 'additionalProperties':
        if (types?.includes('object') !== true)
          walk.problems.push(`${path}: \`${keyword}\` without type object`);
        break;
      case 'items':
        if (isJsonObject(held)) node['items'] = strictNode(held, walk, `${path}[]`, depth);
        else walk.problems.push(`${path}: tuples are not supported`);
        break;
      // The branches are told apart by the schema's own check; a provider knows `anyOf` only.
      case 'anyOf':
      case 'oneOf':
        node['anyOf'] = schemasOf(held).map((branch, index) =>
          strictNode(branch, walk, `${path}|${index + 1}`, depth),
        );
        break;
      case 'definitions':
      case '$defs':
        node[keyword] = Object.fromEntries(
          Object.entries(isJsonObject(held) ? held : {}).map(([name, part]) => [
            name,
            strictNode(part, walk, name, 1),
          ]),
        );
        break;
      case 'default':
        node['description'] = describeDefault(schema['description'], held);
        break;
      case 'description':
        node['description'] ??= held;
        break;
      default:
        Object.assign(node, strictKeyword(keyword, held, schema, walk, path));
    }
  }
  countEnum(schema['enum'], walk, path);
  if (types?.includes('object') === true) Object.assign(node, strictObject(schema, walk, path, depth));
  if (types === null && node['$ref'] === undefined && node['anyOf'] === undefined) {
    walk.problems.push(`${path || 'the schema'}: names no type`);
  }
  if (types?.includes('array') === true && node['items'] === undefined) {
    walk.problems.push(`${path}: an array without items`);
  }
  return aloneReference(node);
}

export interface StrictForm {
  readonly schema: JsonObject;
  /** Why it does not qualify; empty where it does. */
  readonly problems: readonly string[];
}

/** The strict form of a schema: optional fields become required ones that may be null. */
export function toStrictForm(root: JsonObject): StrictForm {
  const walk: Walk = { root, problems: [], properties: 0, enumValues: 0, nameChars: 0 };
  const schema = strictNode(root, walk, '', 1);
  if (walk.properties > MAX_PROPERTIES) walk.problems.push(`more than ${MAX_PROPERTIES} fields`);
  if (walk.enumValues > MAX_ENUM_VALUES) walk.problems.push(`more than ${MAX_ENUM_VALUES} enum values`);
  if (walk.nameChars > MAX_NAME_CHARS) walk.problems.push('its names and enum values are too long in all');
  return { schema, problems: walk.problems };
}
