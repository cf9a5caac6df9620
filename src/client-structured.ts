/** Structured output by a zod schema: the format that a request asks for, and its value with its type. */
import type { z } from 'zod';
import type { RunResult } from './contract.ts';
import { InvalidOutputError } from './client-errors.ts';
import type { JsonObject } from './run.ts';
import { dropNulls } from './tools/drop-nulls.ts';
import { readParameters } from './tools/schema.ts';

export interface Structured<T> {
  /** For the request. */
  readonly response_format: JsonObject;
  /**
   * The value of a completed run.
   *
   * @throws InvalidOutputError where the result has none (the model refused, the run did not complete), or the schema asks
   *   for more than JSON Schema can say
   */
  parse(result: RunResult): T;
}

/**
 * @param name what the provider is told the format is called: 1 to 64 of `a-z A-Z 0-9 _ -`
 * @param schema of the answer; fields that may be missing are sent as ones that may be null, where the provider holds the
 *   model to it
 * @throws TypeError where JSON Schema cannot hold it, with every place
 */
export function structured<S extends z.ZodObject>(name: string, schema: S): Structured<z.output<S>> {
  const read = readParameters(schema, { field: name, strict: undefined, verbatim: false, lenient: false });
  if (!read.ok) {
    const places = read.issues.map(({ field, message }) => `${field}: ${message}`);
    throw new TypeError(`The schema of the output cannot be sent:\n  ${places.join('\n  ')}`);
  }
  const { wire, base, strict } = read.schema;
  return {
    response_format: { type: 'json_schema', json_schema: { name, schema: wire, strict } },
    parse: (result) => {
      const { output_parsed: value, run } = result;
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new InvalidOutputError(run.id, 'the result has no such value');
      }
      const parsed = schema.safeParse(dropNulls(value as JsonObject, base));
      if (parsed.success) return parsed.data;
      const fields = parsed.error.issues.map(({ path }) => path.join('.') || 'the value itself');
      throw new InvalidOutputError(
        run.id,
        `these do not fit: ${[...new Set(fields)].join(', ')}`,
        parsed.error,
      );
    },
  };
}
