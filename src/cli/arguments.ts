/** Parsers of option values. */
import { InvalidArgumentError } from 'commander';

export function positive(given: string): number {
  const value = Number(given);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a positive number.');
}

/** As far back as anybody looks, and as a date can say. */
const MAX_HOURS = 100_000;

export function hours(given: string): number {
  const value = positive(given);
  if (value <= MAX_HOURS) return value;
  throw new InvalidArgumentError(`It must be at most ${MAX_HOURS} hours.`);
}

export function port(given: string): number {
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  throw new InvalidArgumentError('It must be a port, 0 to 65535.');
}

export function json(given: string): unknown {
  try {
    return JSON.parse(given) as unknown;
  } catch {
    throw new InvalidArgumentError('It must be JSON.');
  }
}

export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

function split(given: string): readonly [key: string, value: string] {
  const at = given.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is written key=value.');
  return [given.slice(0, at), given.slice(at + 1)];
}

export function collectPair(
  given: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [key, value] = split(given);
  return { ...before, [key]: value };
}

/** `temperature=0`, `retry={"attempts":2}`; what is no JSON is text. */
export function collectField(
  given: string,
  before: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const [key, value] = split(given);
  try {
    return { ...before, [key]: JSON.parse(value) as unknown };
  } catch {
    return { ...before, [key]: value };
  }
}
