/** Takes secrets out of what is logged: by the name of the field that holds them, and by their shape. */

const MASK = '[redacted]';

/** Fields deeper than this are left out. */
const MAX_DEPTH = 6;
/** Of a list, this many entries are shown. */
const MAX_ENTRIES = 50;

/** Compared in lower case and without `_` and `-`. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'accesstoken',
  'apikey',
  'authorization',
  'authtoken',
  'bearertoken',
  'clientsecret',
  'cookie',
  'credentials',
  'ocpapimsubscriptionkey',
  'passwd',
  'password',
  'privatekey',
  'proxyauthorization',
  'refreshtoken',
  'secret',
  'secretkey',
  'secrets',
  'setcookie',
  'token',
  'xapikey',
]);

const isSecretName = (name: string): boolean => SECRET_NAMES.has(name.toLowerCase().replaceAll(/[_-]/g, ''));

/** A field of JSON that is named like a secret and holds text: what a child logger was bound to comes only here. */
const SECRET_FIELD = new RegExp(String.raw`"([\w-]{4,40})":"(?:[^"\\]|\\.)*"`, 'g');

/** Tokens as they turn up in other people's messages. None can match across a JSON string's end. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${MASK}`],
  [/\b(?:sk|pk|rk|sess|ghp|gho|ghs|github_pat|xox[abprs]|hf)[-_][\w*-]{8,}/g, MASK],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, MASK],
  [/\b(?:AKIA|ASIA|AIza)[\w-]{12,}/g, MASK],
  [/(:\/\/)[^\s/?#@"\\:]*:[^\s/?#@"\\]+@/g, `$1${MASK}@`],
];

/** Masks secrets in a finished line of JSON, by the name of their field and by their shape. */
export function redactLine(line: string): string {
  let clean = line.replaceAll(SECRET_FIELD, (field, name: string) =>
    isSecretName(name) ? `"${name}":"${MASK}"` : field,
  );
  for (const [shape, mask] of SHAPES) clean = clean.replaceAll(shape, mask);
  return clean;
}

/**
 * A copy of `fields` that can be logged: secrets masked at every depth, errors as data, foreign objects
 * (codecs, connections, clients) by the name of their class alone, since they may hold keys.
 */
export function redactFields(fields: object): Record<string, unknown> {
  return copyFields(fields, 0, new Set());
}

type Seen = ReadonlySet<unknown>;

function copyFields(fields: object, depth: number, seen: Seen): Record<string, unknown> {
  const inner = new Set([...seen, fields]);
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]: [string, unknown]) => {
      if (value === undefined || typeof value === 'function') return [];
      if (isSecretName(name) && value !== null) return [[name, MASK]];
      return [[name, copy(value, depth + 1, inner)]];
    }),
  );
}

function copy(value: unknown, depth: number, seen: Seen): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return '[circular]';
  if (value instanceof Error) return copyError(value, depth, seen);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth > MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) {
    const shown = value.slice(0, MAX_ENTRIES).map((one) => copy(one, depth + 1, new Set([...seen, value])));
    return value.length > MAX_ENTRIES ? [...shown, `[${value.length - MAX_ENTRIES} more]`] : shown;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return copyFields(value, depth, seen);
  return `[${value.constructor?.name ?? 'object'}]`;
}

const ERROR_FIELDS: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause']);

function copyError(error: Error, depth: number, seen: Seen): unknown {
  if (depth > MAX_DEPTH) return '[deep]';
  const inner = new Set([...seen, error]);
  // A failure's details may hold a run's whole result: they are for the history, not for logs.
  const { details: _details, failure: _failure, ...rest } = copyFields(error, depth, seen);
  const extra = Object.entries(rest).filter(([name]) => !ERROR_FIELDS.has(name));
  return {
    type: error.name,
    message: error.message,
    ...Object.fromEntries(extra),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: copy(error.cause, depth + 1, inner) }),
  };
}
