/** Listening to a response: what its events mean to a wait. */
import type { AttemptRef } from '../steps.ts';
import type { Heard } from './backend.ts';
import type { ResponsesCalls } from './responses-calls.ts';
import { isObject, numberOf, textOf } from './responses-wire.ts';

/** All that is told of an end, or of something to do. */
const NEWS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.failed',
  'response.incomplete',
  'response.cancelled',
]);

/** What one event means; null where it is none of this wire. Pure. */
export function readHeard(event: unknown): Heard | null {
  if (!isObject(event)) return null;
  const type = textOf(event['type']);
  const cursor = numberOf(event['sequence_number']);
  if (type === null || cursor === null) return null;
  const text = type === 'response.output_text.delta' ? textOf(event['delta']) : null;
  return { cursor, text, news: NEWS.has(type) };
}

export async function* listenTo(
  calls: ResponsesCalls,
  attempt: AttemptRef,
  options: { readonly cursor: number | null; readonly signal: AbortSignal },
): AsyncGenerator<Heard, void, undefined> {
  for await (const event of calls.listen(attempt.id, options)) {
    const heard = readHeard(event);
    if (heard !== null) yield heard;
  }
}
