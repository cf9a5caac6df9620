/** The official OpenAPI description as a contract. It is not in this repository: a variable names its folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { describeFaults } from './emulator-schemas.ts';

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Folder with `openai-openapi.yaml`, or undefined. */
export const DESCRIPTION_DIR = process.env['DROVER_OPENAPI_DIR'];

export interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  /** Names of the body's fields at the top; null where it has none. */
  readonly bodyFields: readonly string[] | null;
  requestFaults(body: unknown): readonly string[];
  answerFaults(answer: unknown): readonly string[];
}

const DROPPED: ReadonlySet<string> = new Set([
  '$recursiveRef',
  '$recursiveAnchor',
  'discriminator',
  'nullable',
  'example',
  'examples',
]);

/**
 * A schema of the description as strict JSON Schema. `nullable` becomes a null type; `oneOf` becomes `anyOf`,
 * because branches overlap that the description tells apart by a discriminator which some of them lack.
 */
export function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema);
  if (!isNode(value)) return value;
  const isNullOnly = (part: unknown): boolean =>
    isNode(part) && part['nullable'] === true && Object.keys(part).length === 1;
  const allOf = Array.isArray(value['allOf']) ? value['allOf'] : [];
  const isNullable = value['nullable'] === true || allOf.some(isNullOnly);
  const schema: Node = {};
  for (const [key, held] of Object.entries(value)) {
    if (DROPPED.has(key) && !isProperty(value, key)) continue;
    const given = key === 'allOf' ? allOf.filter((part) => !isNullOnly(part)) : held;
    schema[key === 'oneOf' ? 'anyOf' : key] =
      key === 'properties' ? toProperties(given) : toJsonSchema(given);
  }
  return isNullable ? { anyOf: [schema, { type: 'null' }] } : schema;
}

/** `nullable: true` is a keyword, and a property called `example` is none. */
const isProperty = (value: Node, key: string): boolean => key === 'nullable' && value[key] !== true;

const toProperties = (value: unknown): unknown =>
  isNode(value)
    ? Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, toJsonSchema(schema)]))
    : value;

const pointer = (...keys: readonly string[]): string =>
  `description#/${keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

function jsonSchemaAt(document: Node, ...keys: readonly string[]): Node | null {
  const found = keys.reduce<unknown>((held, key) => (isNode(held) ? held[key] : undefined), document);
  return isNode(found) ? found : null;
}

function fieldsOf(document: Node, schema: Node): readonly string[] {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const target = jsonSchemaAt(document, ...reference.replace(/^#\//, '').split('/'));
    return target === null ? [] : fieldsOf(document, target);
  }
  const parts = Array.isArray(schema['allOf']) ? schema['allOf'].filter(isNode) : [];
  const own = isNode(schema['properties']) ? Object.keys(schema['properties']) : [];
  return [...own, ...parts.flatMap((part) => fieldsOf(document, part))];
}

export interface Description {
  /** Null where the description has no such endpoint. */
  operation(method: string, path: string): Operation | null;
}

/** Takes some seconds: call it once. */
export function readDescription(folder: string): Description {
  const document = parse(readFileSync(join(folder, 'openai-openapi.yaml'), 'utf8')) as Node;
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false, validateFormats: false });
  const schemas: Node = {};
  const paths = isNode(document['paths']) ? document['paths'] : {};
  ajv.addSchema({
    $id: 'description',
    ...(toJsonSchema({ paths, components: document['components'] }) as Node),
  });

  const faults = (keys: readonly string[], value: unknown): readonly string[] => {
    const reference = pointer(...keys);
    const check = ajv.getSchema(reference) ?? ajv.compile({ $ref: reference });
    schemas[reference] = check;
    return check(value) === true ? [] : describeFaults(check.errors);
  };
  return {
    operation: (method, path) => {
      const verb = method.toLowerCase();
      const found = jsonSchemaAt(document, 'paths', path, verb);
      if (found === null) return null;
      const body = ['requestBody', 'content', 'application/json', 'schema'];
      const answer = ['responses', '200', 'content', 'application/json', 'schema'];
      const bodySchema = jsonSchemaAt(found, ...body);
      const hasAnswer = jsonSchemaAt(found, ...answer) !== null;
      return {
        parameters: (found['parameters'] ?? []) as Operation['parameters'],
        bodyFields: bodySchema === null ? null : fieldsOf(document, bodySchema),
        requestFaults: (value) => faults(['paths', path, verb, ...body], value),
        answerFaults: (value) => (hasAnswer ? faults(['paths', path, verb, ...answer], value) : []),
      };
    },
  };
}
