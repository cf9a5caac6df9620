/**
 * Local activities, one at a time, and each after all else that came with its end. A replay may have at hand in one
 * activation what came in several the first time: the ends of two local activities, or such an end and other news. What
 * follows them would then be done in another order, and nobody could replay the run (decision 024).
 */
import { patched, scheduleLocalActivity } from '@temporalio/workflow';
import { quiet } from './quiet.ts';

type Options = Parameters<typeof scheduleLocalActivity>[2];

/** Each workflow has a copy of this module for itself. */
let last: Promise<void> | null = null;

/** Schedules a local activity once no other one is under way. */
export function localStep<O>(activity: string, args: readonly unknown[], options: Options): Promise<O> {
  const begin = async (): Promise<O> => {
    try {
      return await scheduleLocalActivity<O>(activity, [...args], options);
    } finally {
      await quiet();
    }
  };
  // Whoever began two at once before this rule goes on with that.
  const mine = last !== null && patched('one-local-step') ? last.then(begin) : begin();
  const settled = (): void => {
    if (last === ended) last = null;
  };
  // Before anything that follows the step: a step of it begins at once.
  const ended: Promise<void> = mine.then(settled, settled);
  last = ended;
  return mine;
}
