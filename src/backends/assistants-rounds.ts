/**
 * Which calls an attempt asks for, and which it has been given outputs for. A look may be answered by a copy of the
 * provider's that has not heard of a submit yet: it then shows calls that were run already, and nothing but that
 * tells them from new ones.
 */
import { createHash } from 'node:crypto';
import type { Json, PendingCall } from '../run.ts';
import type { Observation } from './backend.ts';
import { isRecord } from './error-body.ts';

/** A copy is not further behind than that. */
const MOST_ROUNDS = 8;

/** By the digests of their calls. */
interface Rounds {
  /** What the last look showed; null where it showed no calls. */
  readonly asked: string | null;
  /** What it was given outputs for, the last one at the end. */
  readonly given: readonly string[];
}

const isText = (value: unknown): value is string => typeof value === 'string';

function readRounds(state: Json): Rounds {
  const { asked, given } = isRecord(state) ? state : {};
  return { asked: isText(asked) ? asked : null, given: Array.isArray(given) ? given.filter(isText) : [] };
}

/** Ids alone do not tell: some servers give the same ones in each round. */
function digestOf(calls: readonly PendingCall[]): string | null {
  if (calls.length === 0) return null;
  const told = calls.map(({ id, function: asked }) => [id, asked.name, asked.arguments]);
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 16);
}

const withRounds = (seen: Observation, { asked, given }: Rounds): Observation =>
  asked === null && given.length === 0
    ? seen
    : { ...seen, attempt: { ...seen.attempt, state: { asked, given } } };

/** What a look shows, beside what the attempt has been given before. */
export function atLook(seen: Observation, before: Json): Observation {
  const { given } = readRounds(before);
  const asked = digestOf(seen.calls);
  const now = withRounds(seen, { asked, given });
  if (asked === null || !given.includes(asked)) return now;
  return { ...now, repeats: asked === given.at(-1) ? 'last' : 'earlier' };
}

/** What a submit leaves: the attempt has been given outputs for what it asked. */
export function afterSubmit(seen: Observation, before: Json): Observation {
  const { asked, given } = readRounds(before);
  const now = asked === null || asked === given.at(-1) ? given : [...given, asked].slice(-MOST_ROUNDS);
  return withRounds(seen, { asked: null, given: now });
}
