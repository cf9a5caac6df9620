/** Turns what the schema finds into issues: field, what to do, limit, and a value that gives nothing away. */
import type { z } from 'zod';
import type { Issue } from './contract.ts';
import { fieldOf } from './request-json.ts';
import type { Path } from './request-json.ts';
import { KNOWN_FIELDS } from './request-schema.ts';
import { looksSecret } from './request-secrets.ts';
import type { Json } from './run.ts';

type ZodIssue = z.core.$ZodIssue;

const SHOWN_CHARS = 60;

/** Fields whose text is a name or a choice and never content, so that it may stand in a message. */
const SHOWN_FIELDS: ReadonlySet<string> = new Set([
  'assistant_id',
  'backend',
  'thread_id',
  'model',
  'reasoning_effort',
  'truncation_strategy',
  'tool_choice',
  'on_unfinished',
  'retry',
  'limits',
]);
const SHOWN_KEYS: ReadonlySet<string> = new Set(['role', 'type', 'detail', 'name']);

/** Names that people know from neighbouring APIs. */
const ALIASES: Readonly<Record<string, string>> = {
  assistant: 'assistant_id',
  conversation: 'thread_id',
  max_output_tokens: 'max_completion_tokens',
  max_tokens: 'max_completion_tokens',
  messages: 'input',
  previous_response_id: 'thread_id',
  prompt: 'input',
  reasoning: 'reasoning_effort',
  system: 'instructions',
  text: 'response_format',
  thread: 'thread_id',
  timeout: 'limits.deadline_seconds',
  truncation: 'truncation_strategy',
};

/** Text, shortened; null where it has the shape of a credential. */
export function shorten(text: string): string | null {
  if (looksSecret(text)) return null;
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS).toWellFormed()}…` : text;
}

function mayShow(path: Path): boolean {
  const [first] = path;
  const last = path.at(-1);
  if (SHOWN_FIELDS.has(String(first))) return true;
  if (first === 'tools' && path.length === 2) return true;
  if (first === 'response_format' && path.length === 1) return true;
  return first !== 'metadata' && first !== 'context' && SHOWN_KEYS.has(String(last));
}

function at(json: Json, path: Path): Json | undefined {
  let value: unknown = json;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value as Json | undefined;
}

/** What an issue may show of a value: numbers, choices and names; of content only its length. */
function shownValue(json: Json, path: Path): Json | undefined {
  const value = at(json, path);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'string' || !mayShow(path)) return undefined;
  return shorten(value) ?? undefined;
}

function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const swap = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** The known name that `name` most likely stands for; null where none is close. */
export function suggest(name: string, known: readonly string[]): string | null {
  if (name.length > 64) return null;
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z\d]/g, '');
  const ranked = known
    .map((candidate) => ({ candidate, far: distance(plain(name), plain(candidate)) }))
    .toSorted((left, right) => left.far - right.far);
  const [best] = ranked;
  if (best === undefined) return null;
  return best.far <= Math.max(1, Math.floor(best.candidate.length / 4)) ? best.candidate : null;
}

function knownAt(path: Path): readonly string[] {
  const [first] = path;
  if (path.length === 0) return KNOWN_FIELDS.request;
  if (path.length === 1 && (first === 'retry' || first === 'limits')) return KNOWN_FIELDS[first];
  const inMessages = first === 'input' || first === 'additional_messages';
  return path.length === 2 && inMessages ? KNOWN_FIELDS.message : [];
}

function unknownField(name: string, path: Path): Issue {
  const alias =
    path.length === 0 && Object.hasOwn(ALIASES, name) ? ALIASES[name] : suggest(name, knownAt(path));
  const hint = alias === null || alias === undefined ? '' : `; did you mean ${alias}?`;
  return { field: fieldOf([...path, name]), message: `is no field of a request${hint}` };
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** What an issue at the root of a union's branch says that the branch wants. */
function wanted(issue: ZodIssue): string | null {
  if (issue.code === 'invalid_type') return TYPES[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return list(issue.values.map((value) => JSON.stringify(value)));
  return null;
}

const UNITS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
};

function sized(issue: Extract<ZodIssue, { code: 'too_big' | 'too_small' }>, json: Json, path: Path): Issue {
  const big = issue.code === 'too_big';
  const limit = Number(big ? issue.maximum : issue.minimum);
  const unit = UNITS[issue.origin];
  const bound = `${big ? 'at most' : issue.inclusive === false ? 'more than' : 'at least'} ${limit}`;
  const held = at(json, path);
  if (unit === undefined) {
    const value = shownValue(json, path);
    return {
      field: fieldOf(path),
      message: `must be ${bound}`,
      limit,
      ...(value === undefined ? {} : { value }),
    };
  }
  const size = typeof held === 'string' || Array.isArray(held) ? held.length : 0;
  const [one, many] = unit;
  if (!big && limit === 1) return { field: fieldOf(path), message: 'must not be empty' };
  return {
    field: fieldOf(path),
    message: `must have ${bound} ${limit === 1 ? one : many}, has ${size}`,
    limit,
    value: size,
  };
}

function formatHint(path: Path): string {
  const last = path.at(-1);
  if (last === 'url') return 'must be an http or https URL, or a data URL';
  if (last === 'thread_id') return 'must be an id: no spaces, slashes, ? # or %';
  if (path[0] === 'tools' || path[0] === 'tool_choice') {
    return 'must be a tool name: 1 to 64 of a-z, A-Z, 0-9, _ and -';
  }
  return 'must hold no control characters';
}

/** The branch of a union that the value was meant for: the one whose type fits. */
function unionIssues(
  issue: Extract<ZodIssue, { code: 'invalid_union' }>,
  json: Json,
  path: Path,
): readonly Issue[] {
  if (issue.errors.length === 0 && 'options' in issue && Array.isArray(issue.options)) {
    const options = issue.options.map((option) => JSON.stringify(option));
    return [withValue(`must be ${list(options)}`, json, path)];
  }
  const meant = issue.errors.find((branch) =>
    branch.every((one) => one.path.length > 0 || wanted(one) === null),
  );
  if (meant !== undefined) return meant.flatMap((one) => readIssue(one, json, path));
  const options = issue.errors.flatMap((branch) => branch.flatMap((one) => wanted(one) ?? []));
  return [withValue(`must be ${list([...new Set(options)])}`, json, path)];
}

function withValue(message: string, json: Json, path: Path): Issue {
  const value = shownValue(json, path);
  if (at(json, path) === undefined) return { field: fieldOf(path), message: `is missing: it ${message}` };
  return { field: fieldOf(path), message, ...(value === undefined ? {} : { value }) };
}

function readIssue(issue: ZodIssue, json: Json, base: Path): readonly Issue[] {
  const path: Path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownField(key, path));
    case 'invalid_union':
      return unionIssues(issue, json, path);
    case 'invalid_type':
    case 'invalid_value':
      return [withValue(`must be ${wanted(issue) ?? 'of another type'}`, json, path)];
    case 'too_big':
    case 'too_small':
      return [sized(issue, json, path)];
    case 'invalid_format':
      return [withValue(formatHint(path), json, path)];
    case 'invalid_key': {
      const size = String(path.at(-1) ?? '').length;
      const [inner] = issue.issues;
      const limit = inner?.code === 'too_big' ? Number(inner.maximum) : 1;
      return [
        {
          field: fieldOf(path),
          message: `has a key of ${size} characters; allowed are 1 to ${limit}`,
          limit,
          value: size,
        },
      ];
    }
    default:
      return [withValue(issue.message, json, path)];
  }
}

/** Every issue that the schema found in `json`. */
export function readIssues(issues: readonly ZodIssue[], json: Json): readonly Issue[] {
  return issues.flatMap((issue) => readIssue(issue, json, []));
}
