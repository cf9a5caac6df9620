/** Observing by polling: the default of every adapter. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isTerminal } from '../run.ts';
import { BackendError } from './backend.ts';
import type { Observation, ObserveOptions } from './backend.ts';

/** Never faster, whatever `nextLook` says: a wait of nothing would spin. In milliseconds. */
const FLOOR_MS = 10;
/** The longest delay of a timer. In milliseconds. */
const CEILING_MS = 2 ** 31 - 1;

/**
 * Reads an attempt again and again: at once, then after each `nextLook` of the last observation's
 * `look_after_ms`. Yields every observation; ends after one that is terminal or `requires_action`. A status
 * that nobody knows is looked at again like `in_progress`.
 *
 * @throws BackendError `aborted` when the signal fires, between two looks too; else what `read` throws.
 */
export async function* pollObservations(
  read: () => Promise<Observation>,
  options: ObserveOptions,
): AsyncGenerator<Observation, void, undefined> {
  for (;;) {
    if (options.signal.aborted) throw stopped();
    const observation = await read();
    yield observation;
    const { status } = observation.run;
    if (status === 'requires_action' || isTerminal(status)) return;
    const wish = options.nextLook(observation.look_after_ms);
    const wait = Math.min(Math.max(wish, FLOOR_MS), CEILING_MS);
    try {
      await sleep(wait, undefined, { signal: options.signal });
    } catch {
      throw stopped();
    }
  }
}

const stopped = (): BackendError => new BackendError('aborted', 'Observing the attempt was stopped.');

/** The header `openai-poll-after-ms` in milliseconds, or null where it is absent or no positive number. */
export function pollAfterMs(headers: Headers): number | null {
  const value = Number(headers.get('openai-poll-after-ms') ?? Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : null;
}
