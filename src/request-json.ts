/** Takes a value in as JSON and nothing but JSON. */
import type { Issue } from './contract.ts';
import type { Json } from './run.ts';

/** Deeper than any tool schema; a parser on the way may refuse more. */
const MAX_DEPTH = 64;

/** Where something stands in a request. */
export type Path = readonly (string | number)[];

/** `tools.0.function.name`; keys that are no plain words are quoted and shortened. */
export function fieldOf(path: Path): string {
  return path
    .map((step) => {
      const text = String(step);
      if (/^[\w-]{1,64}$/.test(text)) return text;
      return JSON.stringify(text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text.toWellFormed());
    })
    .join('.');
}

/** UTF-8 bytes of a value's JSON. */
export function jsonBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value) ?? '').byteLength;
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return true;
  // A plain object of another realm (a test runner's, a vm's) has that realm's Object.prototype.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

interface Copying {
  readonly issues: Issue[];
  readonly above: Set<object>;
}

/** What stands for a value that was refused; its own issue is already noted. */
const REFUSED = null;

function refuse(copying: Copying, path: Path, message: string): Json {
  copying.issues.push({ field: fieldOf(path), message });
  return REFUSED;
}

function copyText(text: string, path: Path, copying: Copying): Json {
  if (text.isWellFormed()) return text;
  return refuse(copying, path, 'has half a surrogate pair: cut text between characters, not inside one');
}

function copyObject(value: object, path: Path, copying: Copying): Json {
  const copy: Record<string, Json> = {};
  for (const [key, held] of Object.entries(value)) {
    if (held === undefined) continue;
    const at = [...path, key];
    if (key === '__proto__') {
      refuse(copying, at, 'is a key that no request may hold: rename it');
    } else if (key.isWellFormed()) {
      copy[key] = copyValue(held, at, copying);
    } else {
      refuse(copying, at, 'has half a surrogate pair in its key');
    }
  }
  return copy;
}

function copyValue(value: unknown, path: Path, copying: Copying): Json {
  switch (typeof value) {
    case 'string':
      return copyText(value, path, copying);
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      return refuse(copying, path, `is ${value}, which JSON cannot hold`);
    case 'object':
      break;
    default:
      return refuse(copying, path, `is a ${typeof value}, which JSON cannot hold`);
  }
  if (value === null) return null;
  if (copying.above.has(value)) return refuse(copying, path, 'holds itself: break the cycle');
  if (path.length >= MAX_DEPTH) {
    copying.issues.push({ field: fieldOf(path), message: 'is nested too deep', limit: MAX_DEPTH });
    return REFUSED;
  }
  copying.above.add(value);
  try {
    // Array.from visits the holes that map would skip.
    if (Array.isArray(value))
      return Array.from(value, (held, index) => copyValue(held, [...path, index], copying));
    if (isPlainObject(value)) return copyObject(value, path, copying);
    return refuse(copying, path, 'is an instance of a class: pass plain JSON');
  } finally {
    copying.above.delete(value);
  }
}

/**
 * A copy of `value` that is JSON and shares nothing with it, and all that was no JSON in it. Properties
 * that are `undefined` are left out, as in `JSON.stringify`; `toJSON` is not called.
 */
export function copyJson(value: unknown): { readonly json: Json; readonly issues: readonly Issue[] } {
  const copying: Copying = { issues: [], above: new Set() };
  return { json: copyValue(value, [], copying), issues: copying.issues };
}
