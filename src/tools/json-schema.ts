/** Reading JSON Schema documents: local references, what takes a null, a stable order of keywords. */
import type { Json, JsonObject } from '../run.ts';

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A chain of references longer than this is a circle. */
const REFERENCE_HOPS = 32;

/** What a local JSON pointer (`#`, `#/$defs/x`) names in the document. */
function follow(pointer: string, root: JsonObject): Json | undefined {
  if (!pointer.startsWith('#')) return undefined;
  let at: Json | undefined = root;
  for (const token of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
    at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return at;
}

/** The schema with its own reference followed; null where there is none or it goes in a circle. */
export function resolve(schema: Json | undefined, root: JsonObject): JsonObject | null {
  let at = schema;
  for (let hops = 0; hops < REFERENCE_HOPS; hops++) {
    if (!isJsonObject(at)) return null;
    const reference = at['$ref'];
    if (typeof reference !== 'string') return at;
    at = follow(reference, root);
  }
  return null;
}

export const schemasOf = (held: Json | undefined): readonly Json[] =>
  Array.isArray(held) ? (held as readonly Json[]) : [];

/** The types a schema names; null where it names none. */
export function typesOf(schema: JsonObject): readonly string[] | null {
  const { type } = schema;
  if (typeof type === 'string') return [type];
  return Array.isArray(type) ? (type as string[]) : null;
}

/** True where null is a value of this schema. */
export function acceptsNull(schema: Json | undefined, root: JsonObject): boolean {
  if (typeof schema === 'boolean') return schema;
  const node = resolve(schema, root);
  if (node === null) return false;
  const { enum: values, anyOf, oneOf, allOf } = node;
  return (
    (typesOf(node)?.includes('null') ?? true) &&
    (!Array.isArray(values) || values.includes(null)) &&
    (!('const' in node) || node['const'] === null) &&
    [anyOf, oneOf].every(
      (union) => !Array.isArray(union) || union.some((branch: Json) => acceptsNull(branch, root)),
    ) &&
    schemasOf(allOf).every((part) => acceptsNull(part, root))
  );
}

const KEYWORDS = [
  '$ref',
  'type',
  'description',
  'enum',
  'const',
  'format',
  'pattern',
  'anyOf',
  'oneOf',
  'allOf',
  'items',
  'properties',
  'required',
  'additionalProperties',
];
const rank = (keyword: string): number => {
  const at = KEYWORDS.indexOf(keyword);
  return at === -1 ? KEYWORDS.length : at;
};

/** Keywords whose members are named by the author: their order is the author's. */
const NAMED = new Set(['properties', 'patternProperties', 'definitions', '$defs']);
/** Keywords that hold plain values and no schemas. */
const PLAIN = new Set(['enum', 'const', 'default', 'examples', 'required']);

const compareKeywords = (a: string, b: string): number => rank(a) - rank(b) || (a === b ? 0 : a < b ? -1 : 1);

/** The same schema with each of its own schemas changed, from the outside in. */
export function mapSchema(schema: Json, change: (node: JsonObject) => JsonObject): Json {
  const map = (part: Json): Json => mapSchema(part, change);
  if (Array.isArray(schema)) return (schema as readonly Json[]).map(map);
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(change(schema)).map(([keyword, held]) => {
      if (PLAIN.has(keyword)) return [keyword, held];
      if (NAMED.has(keyword) && isJsonObject(held)) {
        return [keyword, Object.fromEntries(Object.entries(held).map(([name, part]) => [name, map(part)]))];
      }
      return [keyword, map(held)];
    }),
  );
}

/** The same schema with its keywords in a fixed order and its properties in the author's. */
export const orderKeywords = (schema: Json): Json =>
  mapSchema(schema, (node) => {
    const keywords = Object.keys(node).sort(compareKeywords);
    return Object.fromEntries(keywords.map((keyword) => [keyword, node[keyword] ?? null]));
  });
