import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dropNulls } from '../../src/tools/drop-nulls.ts';
import { readParameters } from '../../src/tools/schema.ts';
import type { ParameterSchema } from '../../src/tools/schema.ts';

const read = (parameters: unknown, strict?: boolean, verbatim = false) =>
  readParameters(parameters, { field: 'tools.t.parameters', strict, verbatim, lenient: false });

function schemaOf(parameters: unknown, strict?: boolean, verbatim = false): ParameterSchema {
  const reading = read(parameters, strict, verbatim);
  if (!reading.ok) throw new Error(JSON.stringify(reading.issues));
  return reading.schema;
}

function issuesOf(parameters: unknown, strict?: boolean, verbatim = false) {
  const reading = read(parameters, strict, verbatim);
  return reading.ok ? [] : reading.issues;
}

describe('the schema that goes to the provider', () => {
  test('sends optional fields as required and nullable, and says so by strict', () => {
    const schema = schemaOf(
      z.object({
        order_id: z.string().describe('The order.'),
        note: z.string().optional(),
        size: z.enum(['s', 'm']).optional(),
        kind: z.literal('a').optional(),
        cents: z.int().min(1).max(9).default(5),
      }),
    );
    expect(schema.strict).toBe(true);
    expect(schema.wire).toEqual({
      type: 'object',
      properties: {
        order_id: { type: 'string', description: 'The order.' },
        note: { type: ['string', 'null'] },
        size: { type: ['string', 'null'], enum: ['s', 'm', null] },
        kind: { type: ['string', 'null'], enum: ['a', null] },
        cents: { type: ['integer', 'null'], description: 'Default: 5.', minimum: 1, maximum: 9 },
      },
      required: ['order_id', 'note', 'size', 'kind', 'cents'],
      additionalProperties: false,
    });
  });

  test('closes nested objects, in lists, unions and definitions too', () => {
    const node = z.object({
      name: z.string(),
      get children() {
        return z.array(node).optional();
      },
    });
    const { wire, strict } = schemaOf(
      z.object({
        root: node,
        pay: z.discriminatedUnion('by', [
          z.object({ by: z.literal('card'), number: z.string() }),
          z.object({ by: z.literal('cash'), tip: z.number().optional() }),
        ]),
      }),
    );
    expect(strict).toBe(true);
    const text = JSON.stringify(wire);
    expect(text).not.toContain('oneOf');
    expect(text.match(/"additionalProperties":false/g)).toHaveLength(4);
    expect(text).toContain('"tip":{"type":["number","null"]}');
    expect(text).toContain('"children":{"type":["array","null"],"items":{"$ref":');
  });

  test('wraps an optional reference together with null', () => {
    const leaf = z.object({ name: z.string() }).meta({ id: 'Leaf' });
    const { wire, strict } = schemaOf(z.object({ leaf: leaf.optional(), said: leaf.describe('This one.') }));
    expect(strict).toBe(true);
    expect(wire['properties']).toEqual({
      leaf: { anyOf: [{ $ref: '#/definitions/Leaf' }, { type: 'null' }] },
      said: { description: 'This one.', anyOf: [{ $ref: '#/definitions/Leaf' }] },
    });
  });

  test.each([
    ['a record', z.object({ tags: z.record(z.string(), z.string()) })],
    ['a loose object', z.looseObject({ a: z.string() })],
    ['a length', z.object({ a: z.string().min(1) })],
    ['a tuple', z.object({ a: z.tuple([z.string(), z.number()]) })],
    ['anything', z.object({ a: z.unknown() })],
    ['an unsupported format', z.object({ a: z.url() })],
    ['a pattern with a lookahead', z.object({ a: z.string().regex(/^(?!x)/) })],
    ['too deep a nesting', deep(11)],
  ])('is not strict with %s, and refused where strict was wanted', (_, parameters) => {
    const schema = schemaOf(parameters);
    expect(schema.strict).toBe(false);
    expect(schema.wire).toEqual(schema.base);
    expect(issuesOf(parameters, true)).toEqual([
      expect.objectContaining({ field: 'tools.t.parameters', message: expect.stringContaining('strict') }),
    ]);
  });

  test('is not strict where the tool does not want it', () => {
    const { wire, strict } = schemaOf(z.object({ a: z.string().optional() }), false);
    expect(strict).toBe(false);
    expect(wire).toEqual({ type: 'object', properties: { a: { type: 'string' } } });
  });

  test('keeps a supported format and drops the pattern beside it', () => {
    const { wire } = schemaOf(z.object({ mail: z.email() }));
    expect(wire['properties']).toEqual({ mail: { type: 'string', format: 'email' } });
  });

  test('has the same bytes whatever the order of the keywords', () => {
    const one = schemaOf(
      { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
      false,
      true,
    );
    const two = schemaOf(
      { properties: { a: { type: 'string' } }, required: ['a'], type: 'object' },
      false,
      true,
    );
    expect(JSON.stringify(one.wire)).toBe(JSON.stringify(two.wire));
  });

  test('sends what a transform takes, not what it gives', () => {
    const { wire } = schemaOf(z.object({ at: z.string().transform((text) => new Date(text)) }));
    expect(wire['properties']).toEqual({ at: { type: 'string' } });
  });

  test('names every place that JSON Schema cannot hold', () => {
    const issues = issuesOf(
      z.object({
        big: z.bigint(),
        list: z.array(z.object({ on: z.date() })),
        own: z.custom(() => true),
        call: z.function(),
        upload: z.file(),
        made: z.transform((value) => value),
        pairs: z.map(z.string(), z.string()),
      }),
    );
    expect(issues.map(({ field }) => field).sort()).toEqual(
      ['big', 'call', 'list[].on', 'made', 'own', 'pairs', 'upload'].map(
        (name) => `tools.t.parameters.${name}`,
      ),
    );
  });

  test.each([
    ['a string', z.string()],
    ['nothing', undefined],
    ['a plain object', { type: 'object' }],
  ])('refuses %s as parameters of a local tool', (_, parameters) => {
    expect(issuesOf(parameters)).toHaveLength(1);
  });
});

function deep(levels: number): z.ZodObject {
  return z.object(levels === 1 ? { end: z.string() } : { next: deep(levels - 1) });
}

describe('a JSON Schema document of a remote tool', () => {
  const closed = {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { type: ['string', 'null'], enum: ['C', 'F', null] } },
    required: ['city', 'unit'],
    additionalProperties: false,
  };

  test('goes out as it stands, strict where it qualifies so', () => {
    expect(schemaOf(closed, undefined, true)).toMatchObject({ strict: true, wire: closed });
    const open = { ...closed, required: ['city'] };
    expect(schemaOf(open, undefined, true)).toMatchObject({ strict: false, wire: open });
  });

  test('is what the arguments are checked against', () => {
    const { check } = schemaOf(closed, undefined, true);
    expect(check.safeParse({ city: 'Bern', unit: null }).success).toBe(true);
    expect(check.safeParse({ city: 'Bern', unit: 'K' }).success).toBe(false);
    expect(check.safeParse({ city: 'Bern', unit: 'C', more: 1 }).success).toBe(false);
  });

  test.each([
    ['is no object', { type: 'array' }],
    ['has keywords that cannot be checked', { type: 'object', not: { required: ['a'] } }],
    ['refers to another document', { type: 'object', properties: { a: { $ref: 'https://example.com/a' } } }],
  ])('is refused where it %s', (_, document) => {
    expect(issuesOf(document, undefined, true)).toHaveLength(1);
  });
});

describe('a JSON Schema document of a stranger', () => {
  const lenient = (document: object): ParameterSchema => {
    const reading = readParameters(document, {
      field: 'tools.t.parameters',
      strict: undefined,
      verbatim: true,
      lenient: true,
    });
    if (!reading.ok) throw new Error(JSON.stringify(reading.issues));
    return reading.schema;
  };
  const object = (properties: object, rest: object = {}): object => ({ type: 'object', properties, ...rest });
  const takes = (document: object, value: object): boolean =>
    lenient(document).check.safeParse(value).success;

  test('has its patterns sent, and not run over what a model says', () => {
    const document = object({ a: { type: 'string', pattern: '^(a+)+$', maxLength: 40 } });
    expect(lenient(document).wire).toMatchObject(document);
    expect(takes(document, { a: `${'a'.repeat(30)}!` })).toBe(true);
    expect(takes(document, { a: 'a'.repeat(41) })).toBe(false);
    expect(takes(document, { a: 1 })).toBe(false);
  });

  test('is left without them wherever a schema stands, and nowhere else', () => {
    const pattern = { type: 'string', pattern: '^x$' };
    const properties = {
      pattern: { type: 'number' },
      patternProperties: { type: 'string' },
      list: { type: 'array', items: pattern },
      pair: { type: 'array', prefixItems: [pattern] },
      more: { type: 'object', additionalProperties: pattern, propertyNames: pattern },
      referred: { $ref: '#/$defs/pattern' },
      given: { type: 'object', default: { pattern: '^x$' } },
    };
    const document = object(properties, { $defs: { pattern } });
    const others = { list: ['y'], pair: ['y'], more: { y: 'y' }, referred: 'y' };
    expect(lenient(document).check.parse(others)).toEqual({ ...others, given: { pattern: '^x$' } });
    expect(takes(document, { pattern: 'y' })).toBe(false);
    expect(takes(document, { patternProperties: 1 })).toBe(false);
    expect(takes(document, { list: [1] })).toBe(false);
  });

  const starts = (by: string): object => ({ type: 'string', pattern: `^${by}` });
  test.each([
    [
      'patterns of names',
      { type: 'object', patternProperties: { '^x-': { type: 'number' } }, additionalProperties: false },
      { 'x-a': 1 },
    ],
    ['a choice by patterns', { oneOf: [starts('a'), starts('b')] }, 'a1'],
    ['a choice by references', { oneOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] }, 'a1'],
    ['a pattern that must not be', { type: 'string', not: { pattern: '^b' } }, 'a1'],
    ['a pattern that few may have', { type: 'array', contains: starts('a'), maxContains: 1 }, ['a1', 'b1']],
  ])('with %s refuses nothing that it takes', (_, held, value) => {
    const document = object({ held }, { $defs: { a: starts('a'), b: starts('b') } });
    expect(takes(document, { held: value })).toBe(true);
  });

  test('is checked as it stands where it has none', () => {
    const one = { oneOf: [{ type: 'number' }, { type: 'integer' }] };
    expect(takes(object({ one }), { one: 1 })).toBe(false);
    expect(takes(object({ one, also: { type: 'string', pattern: 'a' } }), { one: 1 })).toBe(true);
  });

  test('keeps them where the tool is its own', () => {
    const { check } = schemaOf(object({ a: { type: 'string', pattern: '^a$' } }), undefined, true);
    expect(check.safeParse({ a: 'b' }).success).toBe(false);
  });
});

describe('a null on an optional field', () => {
  const drop = (parameters: z.ZodObject, value: Record<string, unknown>) =>
    dropNulls(value as never, schemaOf(parameters).base);

  test('is dropped where the field takes none, and kept where it does', () => {
    const parameters = z.object({
      a: z.string().optional(),
      b: z.string().nullish(),
      c: z.string().nullable(),
      d: z.number().default(1),
      e: z.string(),
      f: z.coerce.number().optional(),
      g: z.unknown().optional(),
    });
    const given = { a: null, b: null, c: null, d: null, e: null, f: null, g: null, other: null };
    expect(drop(parameters, given)).toEqual({ b: null, c: null, e: null, g: null, other: null });
  });

  test('is dropped within lists, objects, records, tuples and definitions', () => {
    const item = z.object({ note: z.string().optional() });
    const tree = z.object({
      note: z.string().optional(),
      get next() {
        return tree.optional();
      },
    });
    const parameters = z.object({
      list: z.array(item),
      one: item,
      map: z.record(z.string(), item),
      pair: z.tuple([item, z.null()]),
      tree,
    });
    const note = { note: null };
    expect(
      drop(parameters, {
        list: [note, { note: 'x' }],
        one: note,
        map: { k: note },
        pair: [note, null],
        tree: { next: { note: null, next: null } },
      }),
    ).toEqual({ list: [{}, { note: 'x' }], one: {}, map: { k: {} }, pair: [{}, null], tree: { next: {} } });
  });

  test('goes by the branch of a union that the value is of', () => {
    const parameters = z.object({
      pay: z.discriminatedUnion('by', [
        z.object({ by: z.literal('card'), tip: z.number().optional() }),
        z.object({ by: z.literal('cash'), tip: z.number().nullable() }),
      ]),
    });
    expect(drop(parameters, { pay: { by: 'card', tip: null } })).toEqual({ pay: { by: 'card' } });
    expect(drop(parameters, { pay: { by: 'cash', tip: null } })).toEqual({ pay: { by: 'cash', tip: null } });
  });

  test('leaves own keys named like inherited ones alone', () => {
    const value = JSON.parse('{"__proto__":null,"constructor":null}') as Record<string, unknown>;
    expect(Object.keys(drop(z.object({}), value))).toEqual(['__proto__', 'constructor']);
  });
});
