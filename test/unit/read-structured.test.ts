import { describe, expect, test } from 'vitest';
import { readStructure } from '../../src/activities/read-structured.ts';

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, celsius: { type: 'integer' } },
  required: ['city', 'celsius'],
  additionalProperties: false,
};
const format = { type: 'json_schema', json_schema: { name: 'weather', schema } };
const said = (text: string, refusal: string | null = null) => ({ text, refusal });

describe('an answer in a format', () => {
  test.each([
    ['fits its schema', format, said('{"city":"Oslo","celsius":-3}'), 'fits'],
    ['is no JSON', format, said('It is cold in Oslo.'), 'misfit'],
    ['is JSON in a fence', format, said('```json\n{"city":"Oslo","celsius":-3}\n```'), 'misfit'],
    ['is empty', format, said(''), 'misfit'],
    ['lacks a property', format, said('{"city":"Oslo"}'), 'misfit'],
    ['has a property of another type', format, said('{"city":"Oslo","celsius":"cold"}'), 'misfit'],
    ['has a property too many', format, said('{"city":"Oslo","celsius":1,"wind":2}'), 'misfit'],
    ['is a refusal', format, said('', 'I will not.'), 'none'],
    ['is an object', { type: 'json_object' }, said('{}'), 'fits'],
    ['is a list and no object', { type: 'json_object' }, said('[]'), 'misfit'],
    ['has no format', undefined, said('Hello.'), 'none'],
    ['has the format of text', { type: 'text' }, said('Hello.'), 'none'],
    ['has the format auto', 'auto', said('Hello.'), 'none'],
    [
      'has a schema that cannot be read, and is JSON',
      { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'nothing' } } },
      said('1'),
      'fits',
    ],
    ['has no schema, and is JSON', { type: 'json_schema', json_schema: { name: 'x' } }, said('1'), 'fits'],
    ['has no schema, and is none', { type: 'json_schema', json_schema: { name: 'x' } }, said('x'), 'misfit'],
  ] as const)('%s', (_what, given, output, expected) => {
    expect(readStructure(given, output)).toBe(expected);
  });
});
