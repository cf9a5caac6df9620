/** From the model's text to a handler's arguments. */
import type { z } from 'zod';
import { LIMITS } from '../contract.ts';
import type { JsonObject } from '../run.ts';
import { dropNulls } from './drop-nulls.ts';
import { blankAsObject } from './effect-digest.ts';
import { isNestedTooDeeply, MAX_NESTING } from './exact-json.ts';
import { isJsonObject } from './json-schema.ts';
import type { ParameterSchema } from './schema.ts';
import { shorten } from './tool-output.ts';

/** The message is for the model: it says what to mend. */
export type Reading<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const bad = (message: string): { readonly ok: false; readonly message: string } => ({ ok: false, message });

/** The arguments as JSON, nulls that mean "left out" dropped. Blank text is no arguments. */
export function parseArguments(text: string, schema: ParameterSchema): Reading<JsonObject> {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.argumentsBytes) {
    return bad(`The arguments have ${bytes} bytes, the limit is ${LIMITS.argumentsBytes}.`);
  }
  if (isNestedTooDeeply(text)) return bad(`The arguments are nested deeper than ${MAX_NESTING} levels.`);
  let value: unknown;
  try {
    value = JSON.parse(blankAsObject(text));
  } catch (error) {
    const reason = error instanceof SyntaxError ? shorten(error.message, 200) : 'unreadable';
    return bad(`The arguments are not valid JSON: ${reason}. Send one complete JSON object.`);
  }
  if (!isJsonObject(value)) return bad('The arguments have to be one JSON object.');
  return { ok: true, value: schema.dropsNulls ? dropNulls(value, schema.base) : value };
}

const SHOWN_ISSUES = 5;

type ZodIssue = z.core.$ZodIssue;

/** The issues of the branch of a union that came nearest, instead of "Invalid input". */
function flatten(issue: ZodIssue): readonly ZodIssue[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const nearest = issue.errors.reduce((best, branch) => (branch.length < best.length ? branch : best));
  return nearest.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** Where and what, for at most five issues. */
export function describeIssues(issues: readonly ZodIssue[]): string {
  const flat = issues.flatMap(flatten);
  const lines = flat.slice(0, SHOWN_ISSUES).map(({ path, message }) => {
    const place = shorten(path.map(String).join('.'), 100);
    return place === '' ? shorten(message, 200) : `${place}: ${shorten(message, 200)}`;
  });
  const rest = flat.length - lines.length;
  return `${lines.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}.`;
}

export const misfit = (issues: readonly ZodIssue[]): { readonly ok: false; readonly message: string } =>
  bad(`The arguments do not fit the tool's schema. ${describeIssues(issues)}`);

/**
 * Checks the shape without waiting. What only an asynchronous check can tell, or a check that breaks, is
 * left to the handler's own worker.
 */
export function checkShape(raw: JsonObject, schema: ParameterSchema): Reading<JsonObject> {
  try {
    const parsed = schema.check.safeParse(raw);
    return parsed.success ? { ok: true, value: raw } : misfit(parsed.error.issues);
  } catch {
    return { ok: true, value: raw };
  }
}

/** The arguments as the handler gets them: checked, with the schema's defaults and transforms. */
export async function readArguments(text: string, schema: ParameterSchema): Promise<Reading<unknown>> {
  const parsed = parseArguments(text, schema);
  if (!parsed.ok) return parsed;
  const checked = await schema.check.safeParseAsync(parsed.value);
  return checked.success ? { ok: true, value: checked.data } : misfit(checked.error.issues);
}
