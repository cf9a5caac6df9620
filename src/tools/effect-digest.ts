/** The names of effects: equal calls have equal digests, in whatever order or spelling the model writes them. */
import { createHash } from 'node:crypto';
import { canonicalText, canonicalValue, wellFormed } from './exact-json.ts';

/** Bump where the rule changes: ledgers of running runs hold the old names. */
const RULE = 'drover/effect/1';

function digest(kind: 'arguments' | 'text' | 'key', tool: string, content: string): string {
  const parts = [RULE, kind, wellFormed(tool), content];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex');
}

/** Arguments that the model left blank mean none. */
export const blankAsObject = (text: string): string => (text.trim() === '' ? '{}' : text);

/**
 * The digest of a call's raw arguments: sha256 over the tool's name and their canonical form (RFC 8785),
 * before any schema. Arguments that are no JSON count by their text.
 */
export function argumentsDigest(tool: string, text: string): string {
  const canonical = canonicalText(blankAsObject(text));
  return canonical === null ? textDigest(tool, text) : digest('arguments', tool, canonical);
}

/** The digest of arguments that are not read: refused for their size or their number. */
export function textDigest(tool: string, text: string): string {
  return digest('text', tool, wellFormed(text));
}

/** The digest of what `effectKey` gave; null where it gave nothing that JSON can say. */
export function keyDigest(tool: string, key: unknown): string | null {
  const canonical = canonicalValue(key);
  return canonical === null ? null : digest('key', tool, canonical);
}
