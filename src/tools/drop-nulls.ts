/** A `null` on an optional field means "left out": it is dropped before the arguments are checked. */
import type { Json, JsonObject } from '../run.ts';
import { acceptsNull, isJsonObject, resolve, schemasOf, typesOf } from './json-schema.ts';

const propertiesOf = (schema: JsonObject): JsonObject =>
  isJsonObject(schema['properties']) ? schema['properties'] : {};

const isRequired = (schema: JsonObject, key: string): boolean => schemasOf(schema['required']).includes(key);

const declares = (schema: JsonObject, key: string): boolean => Object.hasOwn(propertiesOf(schema), key);

function allows(types: readonly string[] | null, value: Json): boolean {
  if (types === null) return true;
  return types.includes(Array.isArray(value) ? 'array' : isJsonObject(value) ? 'object' : 'other');
}

/** False where a field of the value tells that another branch of the union is meant. */
function fits(branch: JsonObject, value: Json, root: JsonObject): boolean {
  if (!allows(typesOf(branch), value)) return false;
  if (!isJsonObject(value)) return true;
  return Object.entries(propertiesOf(branch)).every(([key, held]) => {
    const property = resolve(held, root);
    if (property === null) return true;
    const given = value[key];
    if (given === undefined) return !isRequired(branch, key);
    const { const: constant, enum: values } = property;
    if (constant !== undefined) return constant === given;
    return given === null || !Array.isArray(values) || values.includes(given);
  });
}

/** Every part of the schema that speaks of this value: itself, what it is made of, the branches that fit. */
function partsOf(schema: Json | undefined, value: Json, root: JsonObject, depth = 0): readonly JsonObject[] {
  const node = resolve(schema, root);
  if (node === null || depth > 16) return [];
  const branches = [...schemasOf(node['anyOf']), ...schemasOf(node['oneOf'])].filter((branch) => {
    const resolved = resolve(branch, root);
    return resolved !== null && fits(resolved, value, root);
  });
  const inner = [...schemasOf(node['allOf']), ...branches];
  return [node, ...inner.flatMap((part) => partsOf(part, value, root, depth + 1))];
}

/** The schema of an array's element: of its place in a tuple, or of all of them. */
function elementSchema(part: JsonObject, index: number): Json | undefined {
  const { items, prefixItems, additionalItems } = part;
  const tuple = Array.isArray(items) ? items : Array.isArray(prefixItems) ? prefixItems : [];
  if (index < tuple.length) return tuple[index] as Json;
  return Array.isArray(items) ? additionalItems : items;
}

function isLeftOut(key: string, parts: readonly JsonObject[], root: JsonObject): boolean {
  const speaking = parts.filter((part) => declares(part, key));
  return (
    speaking.length > 0 &&
    speaking.every((part) => !isRequired(part, key) && !acceptsNull(propertiesOf(part)[key], root))
  );
}

function fieldSchemas(key: string, parts: readonly JsonObject[]): readonly (Json | undefined)[] {
  const speaking = parts.filter((part) => declares(part, key));
  return speaking.length > 0
    ? speaking.map((part) => propertiesOf(part)[key])
    : parts.map((part) => part['additionalProperties']);
}

function walk(value: Json, schemas: readonly (Json | undefined)[], root: JsonObject): Json {
  if (typeof value !== 'object' || value === null) return value;
  const parts = schemas.flatMap((schema) => partsOf(schema, value, root));
  if (parts.length === 0) return value;
  if (!isJsonObject(value)) {
    return value.map((element, index) =>
      walk(
        element,
        parts.map((part) => elementSchema(part, index)),
        root,
      ),
    );
  }
  const kept = Object.entries(value).filter(([key, held]) => held !== null || !isLeftOut(key, parts, root));
  return Object.fromEntries(kept.map(([key, held]) => [key, walk(held, fieldSchemas(key, parts), root)]));
}

/** The arguments without the nulls that stand for "left out"; a null that the schema takes stays. */
export function dropNulls(value: JsonObject, schema: JsonObject): JsonObject {
  return walk(value, [schema], schema) as JsonObject;
}
