/** Reads request bodies, and says what is wrong with one in the providers' words. */
import { z } from 'zod';
import { badJson, WireError } from './errors.ts';
import type { Wire } from './world.ts';

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  );
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (held, key) => (typeof held === 'object' && held !== null ? Reflect.get(held, key) : undefined),
    body,
  );
}

/** A value that may stand in an error: numbers, and short words. Texts of a prompt do not. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.length <= 32 ? `'${value}'` : 'the given value';
}

const NUMERIC: ReadonlySet<string> = new Set(['number', 'int', 'integer']);

function boundIssue(
  issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall,
  name: string,
  got: unknown,
): WireError {
  const isTooBig = issue.code === 'too_big';
  const bound = String(isTooBig ? issue.maximum : issue.minimum);
  if (NUMERIC.has(issue.origin)) {
    const kind = Number.isInteger(got) ? 'integer' : 'decimal';
    const words = isTooBig ? 'above maximum' : 'below minimum';
    return new WireError(
      400,
      `Invalid '${name}': ${kind} ${words} value. Expected a value ${isTooBig ? '<=' : '>='} ${bound}, but got ${shown(got)} instead.`,
      { param: name, code: `${kind}_${isTooBig ? 'above_max' : 'below_min'}_value` },
    );
  }
  const unit = issue.origin === 'string' ? 'string' : issue.origin === 'array' ? 'array' : 'object';
  const words = isTooBig ? 'too long. Expected a maximum' : 'too short. Expected a minimum';
  const suffix = unit === 'object' ? 'properties' : 'length';
  return new WireError(400, `Invalid '${name}': ${unit} ${words} of ${bound}.`, {
    param: name,
    code: `${unit}_${isTooBig ? 'above_max' : 'below_min'}_${suffix}`,
  });
}

const KINDS: ReadonlySet<unknown> = new Set(['type', 'role']);

/** How far a branch of a union is from what was meant: another kind is further than any mistake within one. */
function distance(branch: readonly z.core.$ZodIssue[]): number {
  const isOtherKind = branch.some((issue) => issue.path.length === 1 && KINDS.has(issue.path[0]));
  const depth = Math.max(0, ...branch.map((issue) => issue.path.length));
  return (isOtherKind ? 1000 : 0) - depth;
}

function flatten(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const best = issue.errors.toSorted((a, b) => distance(a) - distance(b))[0]?.[0];
  if (best === undefined) return issue;
  const inner = flatten(best);
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function toWireError(raw: z.core.$ZodIssue, body: unknown): WireError {
  const issue = flatten(raw);
  const name = pathText(issue.path);
  const got = valueAt(body, issue.path);
  const invalid = (message: string, code: string, param = name): WireError =>
    new WireError(400, message, { param, code });
  if (got === undefined && issue.path.length > 0)
    return invalid(`Missing required parameter: '${name}'.`, 'missing_required_parameter');
  switch (issue.code) {
    case 'unrecognized_keys': {
      const param = pathText([...issue.path, issue.keys[0] ?? '']);
      return invalid(`Unknown parameter: '${param}'.`, 'unknown_parameter', param);
    }
    case 'too_big':
    case 'too_small':
      return boundIssue(issue, name, got);
    case 'invalid_value': {
      const values = issue.values.map((value) => `'${String(value)}'`).join(', ');
      return invalid(`Invalid value: ${shown(got)}. Supported values are: ${values}.`, 'invalid_value');
    }
    case 'invalid_type':
      return invalid(`Invalid type for '${name}': expected ${issue.expected}.`, 'invalid_type');
    default:
      return invalid(`Invalid '${name}': ${issue.message}.`, 'invalid_value');
  }
}

function withoutUnknown(body: Wire, issues: readonly z.core.$ZodIssue[]): Wire {
  const unknown = new Set(
    issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
    ),
  );
  return Object.fromEntries(Object.entries(body).filter(([key]) => !unknown.has(key)));
}

/**
 * Reads a body by its schema.
 *
 * @param isLenient ignores unknown fields at the top.
 * @throws {WireError} 400 that names the first thing wrong, as the wires do.
 */
export function readBody(schema: z.ZodType<Wire>, body: unknown, isLenient: boolean): Wire {
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body)))
    throw badJson();
  const given = body ?? {};
  let checked = schema.safeParse(given);
  if (!checked.success && isLenient)
    checked = schema.safeParse(withoutUnknown(given as Wire, checked.error.issues));
  if (checked.success) return checked.data;
  const [first] = checked.error.issues;
  throw first === undefined ? badJson() : toWireError(first, given);
}

/** `metadata` of both wires: 16 pairs, keys of 64, values of 512 characters. */
export const METADATA = z
  .record(z.string().max(64), z.string().max(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'too many properties. Expected a maximum of 16')
  .nullish();

export const FUNCTION_NAME = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z0-9_-]+$/, "string does not match pattern '^[a-zA-Z0-9_-]+$'");

export const REASONING_EFFORT = z
  .enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
  .nullish();
