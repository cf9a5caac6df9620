/** Keeps known secrets out of what tools say. */

export const MASK = '[redacted]';
/** Shorter values stand in ordinary text too. */
const LEAST_CHARS = 8;

/** Masks every given secret, as it is and as it stands within JSON. */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const long = secrets.filter((secret) => secret.length >= LEAST_CHARS);
  const spellings = new Set(long.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]));
  // The longest first: a secret may hold another.
  const ordered = [...spellings].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((clean, secret) => clean.replaceAll(secret, MASK), text);
}
