/** Makes a run's thread, and where that is safe in the same step the attempt on it. */
import { Context } from '@temporalio/activity';
import { actAtProvider, AGAIN_MS, type Acting } from './act-at-provider.ts';
import { announceThread } from './announce-thread.ts';
import { isTooLarge } from './bound-answer.ts';
import type { MadeThread, NotOurs, TryAgain } from '../steps.ts';

/**
 * A step that has taken longer by then leaves the attempt to a plain activity: its workflow task may be given up soon,
 * and with it the word of what was made (decision 012).
 */
const LONGEST_MS = 1_000;

export interface NewThread<T> {
  readonly makeThread: (signal: AbortSignal) => Promise<string>;
  readonly create: (threadId: string, signal: AbortSignal) => Promise<T>;
}

/**
 * @returns what `create` gave; or the thread alone, where it could not be written down first, or the create failed:
 *   a run that ended with this very task would not hear of its own signal
 * @throws as {@link actAtProvider}, where no thread was made
 */
export async function createOnNewThread<T extends object>(
  acting: Pick<Acting<T>, 'backend' | 'told'>,
  { makeThread, create }: NewThread<T>,
): Promise<T | MadeThread | TryAgain | NotOurs> {
  let made: MadeThread | null = null;
  const begunMs = performance.now();
  return actAtProvider<T | MadeThread>({
    ...acting,
    act: async (_suspect, signal) => {
      const threadId = await makeThread(signal);
      made = { kind: 'thread', thread_id: threadId };
      if (!Context.current().info.isLocal || !(await announceThread(threadId))) return made;
      if (performance.now() - begunMs > LONGEST_MS) return made;
      const created = await create(threadId, signal);
      // An answer that cannot be handed back would take the thread's id with it, and nobody found the attempt again.
      return isTooLarge(created) ? { ...made, suspect: true, not_before_ms: 0 } : created;
    },
    readError: (error) => {
      const nextMs = error.retryable ? Date.now() + (error.retryAfterMs ?? AGAIN_MS) : 0;
      // A wait that outlasts the run is none: the next try is refused at once, and says why.
      const not_before_ms = nextMs < acting.told.deadline_ms ? nextMs : 0;
      return made && { ...made, suspect: error.answerLost, not_before_ms };
    },
  });
}
