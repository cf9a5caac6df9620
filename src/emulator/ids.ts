/** Ids that look like the real ones. */
import { randomBytes } from 'node:crypto';
import type { Quirk } from './quirks.ts';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const HEX_PREFIXES: ReadonlySet<string> = new Set(['resp', 'conv', 'fc', 'rs', 'mcpr', 'fco']);

/** `run_…`, `thread_…` with 24 letters; `resp_…`, `conv_…` with 50 hex digits. */
export function makeId(prefix: string, quirks: ReadonlySet<Quirk> = new Set()): string {
  if (quirks.has('bare_ids')) return randomBytes(16).toString('hex');
  if (quirks.has('long_ids')) return `${prefix}_${randomBytes(100).toString('hex')}`.slice(0, 200);
  if (HEX_PREFIXES.has(prefix)) return `${prefix}_${randomBytes(25).toString('hex')}`;
  return `${prefix}_${Array.from(randomBytes(24), (byte) => LETTERS[byte % LETTERS.length]).join('')}`;
}

/** Unix seconds. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
