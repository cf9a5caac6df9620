/** Canonical JSON text (RFC 8785) in which no two different values look the same. */
import canonicalize from 'canonicalize';

/** Arguments nested deeper than this are refused: checks and handlers recurse. */
export const MAX_NESTING = 128;

/** True where brackets outside of strings are nested deeper than {@link MAX_NESTING}. Reads no JSON. */
export function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index);
    if (quoted) {
      if (char === 0x5c) index += 1;
      else if (char === 0x22) quoted = false;
    } else if (char === 0x22) quoted = true;
    else if (char === 0x5b || char === 0x7b) {
      depth += 1;
      if (depth > MAX_NESTING) return true;
    } else if (char === 0x5d || char === 0x7d) depth -= 1;
  }
  return false;
}

/** Marks what JSON's own values cannot say; doubled where it stands for itself. */
const MARK = '\u0001';
// With the `u` flag a surrogate matches only where it stands alone.
const LONE_SURROGATE = /[\ud800-\udfff]/gu;

/** The same text, well formed: lone surrogates (which RFC 8785 refuses) are spelled out, one to one. */
export function wellFormed(text: string): string {
  return text
    .replaceAll(MARK, MARK + MARK)
    .replaceAll(LONE_SURROGATE, (char) => MARK + char.charCodeAt(0).toString(16));
}

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,15}))?$/;

/** Not by a pattern: from every zero of a quarter of a million, it would look for the end anew. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return digits.slice(0, end);
}

/** A decimal's digits and exponent without superfluous zeros; null where its exponent is absurd. */
function normalise(source: string): string | null {
  const [, sign, whole, fraction = '', exponent = '0'] = DECIMAL.exec(source) ?? [];
  if (whole === undefined) return null;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutTrailingZeros(digits);
  if (significant === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${power}`;
}

/** The number itself, or its exact text where a double would stand for other numbers too. */
function exactNumber(value: number, source: string): number | string {
  const exact = normalise(source);
  if (exact !== null && Number.isFinite(value) && normalise(String(value)) === exact) return value;
  return `${MARK}#${exact ?? source}`;
}

function wellFormedKeys(value: object): object {
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return entries.some(([key]) => wellFormed(key) !== key)
    ? Object.fromEntries(entries.map(([key, held]) => [wellFormed(key), held]))
    : value;
}

// ES2026 "JSON.parse source text access", in Node since 21; the library types lack it.
type SourceReviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown;

const revive: SourceReviver = (_, value, context) => {
  if (typeof value === 'number') return exactNumber(value, context?.source ?? String(value));
  if (typeof value === 'string') return wellFormed(value);
  return typeof value === 'object' && value !== null ? wellFormedKeys(value) : value;
};

/**
 * The canonical form of a JSON text: order of keys, white space and spelling of numbers do not count,
 * every digit of a number does. Of a key that stands twice the last one counts, as in `JSON.parse`.
 *
 * @returns null where the text is no JSON or is nested too deeply.
 */
export function canonicalText(json: string): string | null {
  if (isNestedTooDeeply(json)) return null;
  try {
    return canonicalize(parseWithSource(json, revive)) ?? null;
  } catch {
    return null;
  }
}

/** A key of more values than these names nothing. */
const MAX_KEY_VALUES = 100_000;

/** By its prototype, of whatever realm: a promise, a map or a set would be written as `{}`, whatever it holds. */
function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * JSON can say it without loss: no undefined in a list, no function, no bigint, no number out of range, no
 * instance of a class but one that says itself what it is as JSON, as a date does.
 */
function isSayable(value: unknown, depth: number, left: { values: number }): boolean {
  left.values -= 1;
  if (depth > MAX_NESTING || left.values < 0) return false;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (Array.isArray(value)) {
    // A list may say it is longer than all memory.
    return value.length <= left.values && Array.from(value).every((held) => isSayable(held, depth + 1, left));
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const said: unknown = value.toJSON();
    return said !== null && isSayable(said, depth + 1, left);
  }
  if (!isPlainObject(value)) return false;
  return Object.values(value).every((held) => held === undefined || isSayable(held, depth + 1, left));
}

/** The canonical form of a value that code computed; null where JSON cannot say it. Never throws. */
export function canonicalValue(value: unknown): string | null {
  try {
    return isSayable(value, 0, { values: MAX_KEY_VALUES }) ? canonicalText(JSON.stringify(value)) : null;
  } catch {
    return null;
  }
}
