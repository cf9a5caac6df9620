import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { structured } from '../../src/client-structured.ts';
import type { RunResult } from '../../src/contract.ts';
import { InvalidOutputError } from '../../src/client-errors.ts';

const weather = structured(
  'weather',
  z.object({
    city: z.string(),
    celsius: z.int().optional(),
    at: z.iso.date().transform((day) => new Date(day)),
  }),
);
const result = (output_parsed?: unknown): RunResult =>
  ({
    run: { id: 'run-1' },
    ...(output_parsed === undefined ? {} : { output_parsed }),
  }) as unknown as RunResult;

describe('structured output by a zod schema', () => {
  test('asks for the schema as strict mode has it', () => {
    expect(weather.response_format).toMatchObject({
      type: 'json_schema',
      json_schema: {
        name: 'weather',
        strict: true,
        schema: { required: expect.arrayContaining(['city', 'celsius', 'at']), additionalProperties: false },
      },
    });
  });

  test('gives the value with its type: null is what was left out, and transforms are made', () => {
    const value = weather.parse(result({ city: 'Oslo', celsius: null, at: '2026-11-28' }));
    expect(value).toEqual({ city: 'Oslo', at: new Date('2026-11-28') });
    expect(value.celsius).toBeUndefined();
  });

  test('names the run and the fields where there is no value, or one that does not fit; never the value', () => {
    expect(() => weather.parse(result())).toThrow(InvalidOutputError);
    expect(() => weather.parse(result())).toThrow('The output of the run run-1 cannot be read by its schema');
    expect(() => weather.parse(result({ city: 'marked', celsius: 1, at: 'soon' }))).toThrow(
      /^(?!.*marked).*these do not fit: at\./,
    );
  });

  test('refuses a schema that JSON cannot hold, with its place', () => {
    expect(() => structured('when', z.object({ when: z.date() }))).toThrow(/when\.when/);
  });
});
