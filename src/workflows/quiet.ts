/** Waiting until everything else that an activation brought has done what it leads to. No event, no command. */
import { CancellationScope, condition } from '@temporalio/workflow';
import { ownState } from './own-state.ts';

interface Conditions {
  /** How many have come true. */
  count: number;
  /** One has, and what follows it has not run yet: the SDK runs that once it has looked at all conditions. */
  isMoving: boolean;
}

const conditions = (): Conditions => ownState('conditions', () => ({ count: 0, isMoving: false }));

async function moved(): Promise<void> {
  const own = conditions();
  own.count += 1;
  own.isMoving = true;
  await Promise.resolve();
  own.isMoving = false;
}

const watched =
  (holds: () => boolean): (() => boolean) =>
  () => {
    const isTrue = holds();
    if (isTrue) void moved();
    return isTrue;
  };

/** `condition` of the SDK, for all of `driveRun`: {@link quiet} has to know of them. */
export function until(holds: () => boolean): Promise<void>;
export function until(holds: () => boolean, timeoutMs: number): Promise<boolean>;
export function until(holds: () => boolean, timeoutMs?: number): Promise<boolean | void> {
  return timeoutMs === undefined ? condition(watched(holds)) : condition(watched(holds), timeoutMs);
}

/** Until the SDK looks at its conditions the next time and finds no other one true. */
function nextLook(): Promise<void> {
  const own = conditions();
  let looks = 0;
  // It looks once when a condition is made, in the middle of whatever goes on.
  return CancellationScope.nonCancellable(() =>
    condition(() => {
      looks += 1;
      return looks > 1 && !own.isMoving;
    }),
  );
}

export async function quiet(): Promise<void> {
  const own = conditions();
  let before: number;
  do {
    before = own.count;
    await nextLook();
  } while (own.count !== before);
}
