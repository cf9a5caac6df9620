/**
 * Local activities, one at a time, and each after all else that came with its end. A replay may have at hand in one
 * activation what came in several the first time: the ends of two local activities, or such an end and other news. What
 * follows them would then be done in another order, and nobody could replay the run (decision 024).
 */
import { patched, scheduleLocalActivity } from '@temporalio/workflow';
import { ownState } from './own-state.ts';
import { quiet } from './quiet.ts';

type Options = Parameters<typeof scheduleLocalActivity>[2];

interface Steps {
  /** The end of the one that was begun last; null where none is under way. */
  last: Promise<void> | null;
}

/** Schedules a local activity once no other one is under way. */
export function localStep<O>(activity: string, args: readonly unknown[], options: Options): Promise<O> {
  const steps = ownState('steps', (): Steps => ({ last: null }));
  const begin = async (): Promise<O> => {
    try {
      return await scheduleLocalActivity<O>(activity, [...args], options);
    } finally {
      await quiet();
    }
  };
  // Whoever began two at once before this rule goes on with that.
  const mine = steps.last !== null && patched('one-local-step') ? steps.last.then(begin) : begin();
  const settled = (): void => {
    if (steps.last === ended) steps.last = null;
  };
  // Before anything that follows the step: a step of it begins at once.
  const ended: Promise<void> = mine.then(settled, settled);
  steps.last = ended;
  return mine;
}
