/** Takes a value in as JSON and nothing but JSON. */
import { LIMITS } from './contract.ts';
import type { Issue } from './contract.ts';
import type { Json } from './run.ts';

/** Deeper than any tool schema; a parser on the way may refuse more. */
const MAX_DEPTH = 64;
/** No request within its limit holds more: a value and what parts it from the next take two bytes. */
const MAX_VALUES = LIMITS.requestBytes / 2;
/** Far over the limit, and still short enough to be measured. In UTF-16 units. */
const MAX_TEXT = LIMITS.requestBytes * 16;
/** Whoever makes more mistakes than these makes one, again and again. */
const MAX_ISSUES = 1_000;

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
  /** What may still be copied: an object that stands in many places is copied to each of them. */
  values: number;
  text: number;
}

/** What stands for a value that was refused; its own issue is already noted. */
const REFUSED = null;

function refuse(copying: Copying, path: Path, message: string, limit?: number): Json {
  copying.issues.push({ field: fieldOf(path), message, ...(limit === undefined ? {} : { limit }) });
  if (copying.issues.length >= MAX_ISSUES) copying.values = -1;
  return REFUSED;
}

/** Once too much was met, nothing more is read. */
function stop(copying: Copying, message: string): Json {
  if (copying.values >= 0) copying.issues.push({ field: '', message, limit: LIMITS.requestBytes });
  copying.values = -1;
  return REFUSED;
}

const TOO_LARGE = 'is far too large: keep long histories in a thread, and files at the provider';

/** False where `values` more, with so much text in them, are too many. */
function take(copying: Copying, values: number, text: number): boolean {
  if (copying.values < values || copying.text < text) {
    stop(copying, TOO_LARGE);
    return false;
  }
  copying.values -= values;
  copying.text -= text;
  return true;
}

function copyText(text: string, path: Path, copying: Copying): Json {
  if (!take(copying, 0, text.length)) return REFUSED;
  if (text.isWellFormed()) return text;
  return refuse(copying, path, 'has half a surrogate pair: cut text between characters, not inside one');
}

function copyObject(value: object, path: Path, copying: Copying): Json {
  const copy: Record<string, Json> = {};
  for (const [key, held] of Object.entries(value)) {
    if (held === undefined) continue;
    if (!take(copying, 0, key.length)) break;
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

function copyList(list: readonly unknown[], path: Path, copying: Copying): Json {
  // A list may say it is longer than all memory.
  if (list.length > copying.values) return stop(copying, TOO_LARGE);
  const copy: Json[] = [];
  // By index, which visits the holes that `map` would skip.
  for (let index = 0; index < list.length && copying.values >= 0; index++) {
    copy.push(copyValue(list[index], [...path, index], copying));
  }
  return copy;
}

function copyHeld(value: object, path: Path, copying: Copying): Json {
  try {
    if (Array.isArray(value)) return copyList(value, path, copying);
    if (isPlainObject(value)) return copyObject(value, path, copying);
  } catch {
    return refuse(copying, path, 'cannot be read: a getter or a proxy in it throws');
  }
  return refuse(copying, path, 'is an instance of a class: pass plain JSON');
}

function copyValue(value: unknown, path: Path, copying: Copying): Json {
  if (!take(copying, 1, 0)) return REFUSED;
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
  if (path.length >= MAX_DEPTH) return refuse(copying, path, 'is nested too deep', MAX_DEPTH);
  copying.above.add(value);
  const copy = copyHeld(value, path, copying);
  copying.above.delete(value);
  return copy;
}

export interface Copied {
  readonly json: Json;
  readonly issues: readonly Issue[];
  /** False where it was given up, so that nothing can be said of what is missing. */
  readonly whole: boolean;
}

/**
 * A copy of `value` that is JSON and shares nothing with it, and all that was no JSON in it. Properties
 * that are `undefined` are left out, as in `JSON.stringify`; `toJSON` is not called.
 */
export function copyJson(value: unknown): Copied {
  const copying: Copying = { issues: [], above: new Set(), values: MAX_VALUES, text: MAX_TEXT };
  const json = copyValue(value, [], copying);
  return { json, issues: copying.issues, whole: copying.values >= 0 };
}
