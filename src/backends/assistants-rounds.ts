/**
 * Which calls an attempt asks for, and which it has been given outputs for. A look may be answered by a copy of the
 * provider's that has not heard of a submit yet: it then shows calls that were run already, and nothing but that
 * tells them from new ones.
 */
import { createHash } from 'node:crypto';
import type { Json, PendingCall } from '../run.ts';
import type { Observation } from './backend.ts';
import { isRecord } from './error-body.ts';

/** Digests of rounds of calls; null where there is none. */
interface Rounds {
  readonly asked: string | null;
  readonly given: string | null;
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function readRounds(state: Json): Rounds {
  const held = isRecord(state) ? state : {};
  return { asked: textOrNull(held['asked']), given: textOrNull(held['given']) };
}

/** Ids alone do not tell: some servers give the same ones in each round. */
function digestOf(calls: readonly PendingCall[]): string | null {
  if (calls.length === 0) return null;
  const told = calls.map(({ id, function: asked }) => [id, asked.name, asked.arguments]);
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 24);
}

const withRounds = (seen: Observation, { asked, given }: Rounds): Observation =>
  asked === null && given === null
    ? seen
    : { ...seen, attempt: { ...seen.attempt, state: { asked, given } } };

/** What a look shows, beside what the attempt has been given before. */
export function atLook(seen: Observation, before: Json): Observation {
  const { given } = readRounds(before);
  const asked = digestOf(seen.calls);
  const now = withRounds(seen, { asked, given });
  return asked !== null && asked === given ? { ...now, repeats: true } : now;
}

/** What a submit leaves: the attempt has been given outputs for what it asked. */
export function afterSubmit(seen: Observation, before: Json): Observation {
  const { asked, given } = readRounds(before);
  return withRounds(seen, { asked: null, given: asked ?? given });
}
