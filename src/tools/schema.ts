/** From a tool's parameters to the schema that the provider is sent. */
import { z } from 'zod';
import type { Issue } from '../contract.ts';
import type { JsonObject } from '../run.ts';
import { isJsonObject, orderKeywords } from './json-schema.ts';
import { toStrictForm } from './strict-schema.ts';
import { reasonOf } from './tool-output.ts';
import { withoutPatterns } from './without-patterns.ts';

/** A tool's parameters as they go out, and what they are checked against. */
export interface ParameterSchema {
  /** What the provider is sent. */
  readonly wire: JsonObject;
  /** Before optional fields were made nullable. */
  readonly base: JsonObject;
  readonly strict: boolean;
  readonly check: z.ZodType;
  /** A null on an optional field is dropped before the check. */
  readonly dropsNulls: boolean;
}

export type ParameterReading =
  | { readonly ok: true; readonly schema: ParameterSchema }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** By zod's own traits: true for the schemas of another copy of zod 4 too. */
export const isZodType = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

const isZodObject = (value: unknown): value is z.ZodObject => value instanceof z.ZodObject;

/** `properties.a.items.properties.b` as `a[].b`. */
function readablePath(path: readonly (string | number)[]): string {
  let text = '';
  for (let index = 0; index < path.length; index++) {
    const part = String(path[index]);
    if (part === 'properties') text += `${text === '' ? '' : '.'}${String(path[++index])}`;
    else if (part === 'items') text += '[]';
    else text += `${text === '' ? '' : '.'}${part}`;
  }
  return text;
}

/** The JSON Schema of what the model may send, or every place that JSON Schema cannot hold. */
function fromZod(parameters: z.ZodObject, field: string): { base: JsonObject; issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const refuse = (path: readonly (string | number)[], message: string): void => {
    issues.push({ field: [field, readablePath(path)].filter((part) => part !== '').join('.'), message });
  };
  try {
    const { $schema: _, ...base } = z.toJSONSchema(parameters, {
      target: 'draft-07',
      io: 'input',
      unrepresentable: ({ path, message }) => {
        refuse(path, `${message}. Take a JSON type and transform it in the handler.`);
        return {};
      },
      override: ({ zodSchema, path }) => {
        if (zodSchema instanceof z.core.$ZodFile) refuse(path, 'A file cannot be sent as JSON.');
      },
    });
    // Through JSON once: whatever the library hung on the object besides JSON is gone.
    return { base: JSON.parse(JSON.stringify(base)) as JsonObject, issues };
  } catch (error) {
    refuse([], `JSON Schema cannot hold it: ${reasonOf(error)}.`);
    return { base: {}, issues };
  }
}

function fromDocument(
  document: JsonObject,
  { field, lenient }: Pick<ParameterOptions, 'field' | 'lenient'>,
): { check: z.ZodType; issues: readonly Issue[] } {
  try {
    const copy = JSON.parse(JSON.stringify(document)) as JsonObject;
    if (copy['type'] !== 'object') {
      return { check: z.never(), issues: [{ field, message: 'The schema has to be of type object.' }] };
    }
    const checked = (lenient ? withoutPatterns(copy) : copy) as z.core.JSONSchema.JSONSchema;
    return { check: z.fromJSONSchema(checked), issues: [] };
  } catch (error) {
    if (lenient) return { check: z.looseObject({}), issues: [] };
    return {
      check: z.never(),
      issues: [{ field, message: `Drover cannot check this schema: ${reasonOf(error)}.` }],
    };
  }
}

export interface ParameterOptions {
  /** Where the parameters stand, for messages. */
  readonly field: string;
  readonly strict: boolean | undefined;
  /** Send the schema as it stands: whoever runs the tool reads the model's own text. */
  readonly verbatim: boolean;
  /**
   * A document of a stranger: where Drover cannot check it, it is left to whoever runs the tool, and so are its regular
   * expressions.
   */
  readonly lenient: boolean;
}

/** Reads parameters given as a zod object or as a JSON Schema document. Never throws. */
export function readParameters(parameters: unknown, options: ParameterOptions): ParameterReading {
  const { field, strict, verbatim, lenient } = options;
  const zod = isZodObject(parameters) ? parameters : null;
  if (zod === null && (isZodType(parameters) || !isJsonObject(parameters) || !verbatim)) {
    const also = verbatim ? ' or a JSON Schema of type object' : '';
    return { ok: false, issues: [{ field, message: `The parameters have to be a zod object${also}.` }] };
  }
  const read =
    zod === null
      ? { base: parameters as JsonObject, ...fromDocument(parameters as JsonObject, { field, lenient }) }
      : { check: zod, ...fromZod(zod, field) };
  if (read.issues.length > 0) return { ok: false, issues: read.issues };

  const base = orderKeywords(read.base) as JsonObject;
  const form = toStrictForm(base);
  const strictWire = orderKeywords(form.schema) as JsonObject;
  const changed = verbatim && JSON.stringify(strictWire) !== JSON.stringify(base);
  const problems =
    changed && form.problems.length === 0
      ? ['it would have to be rewritten: close its objects and require every field']
      : form.problems;
  if (strict === true && problems.length > 0) {
    const message = `It does not qualify for \`strict\`: ${problems.slice(0, 5).join('; ')}.`;
    return { ok: false, issues: [{ field, message }] };
  }
  const isStrict = strict !== false && problems.length === 0;
  return {
    ok: true,
    schema: {
      wire: isStrict ? strictWire : base,
      base,
      strict: isStrict,
      check: read.check,
      dropsNulls: !verbatim,
    },
  };
}
