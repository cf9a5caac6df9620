/** Whether what a run said fits the format that it was asked for. */
import { z } from 'zod';
import type { AttemptOutput } from '../steps.ts';

/** `fits`: it can be read as the format says. `none`: no format was asked for, or nothing can be checked. */
export type Structure = 'fits' | 'misfit' | 'none';

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Null where the schema is none that can be checked: the provider is left to hold the model to it. */
function checkOf(schema: unknown): z.ZodType | null {
  if (!isObject(schema)) return null;
  try {
    return z.fromJSONSchema(JSON.parse(JSON.stringify(schema)) as z.core.JSONSchema.JSONSchema);
  } catch {
    return null;
  }
}

function parse(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

/** @param format `response_format`, as in the request */
export function readStructure(
  format: unknown,
  { text, refusal }: Pick<AttemptOutput, 'text' | 'refusal'>,
): Structure {
  if (!isObject(format) || refusal !== null) return 'none';
  const { type, json_schema: named } = format;
  if (type !== 'json_schema' && type !== 'json_object') return 'none';
  const parsed = parse(text);
  if (parsed === null) return 'misfit';
  if (type === 'json_object') return isObject(parsed.value) ? 'fits' : 'misfit';
  const check = checkOf(isObject(named) ? named['schema'] : undefined);
  if (check === null) return 'fits';
  try {
    return check.safeParse(parsed.value).success ? 'fits' : 'misfit';
  } catch {
    return 'fits';
  }
}
