/**
 * Keeps the workflow's code from beginning a wait for people ahead of its task. A query may have a worker play the
 * workflow past news that no task has taken up yet; an Update that then comes with that task would be recorded after
 * commands which a replay makes after it: nobody could replay the run (decisions 012 and 019).
 */
import { CancellationScope, sleep, workflowInfo } from '@temporalio/workflow';
import { NAMES } from '../contract.ts';
import type { ConfirmTaskInput, ConfirmTaskOutput } from '../steps.ts';
import { localStep } from './local-step.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** A task that is tried again leaves no trace by which it could be told; the next one does. */
const TRIES = 5;
const BETWEEN_MS = 200;

async function ask(): Promise<ConfirmTaskOutput['turn']> {
  const input: ConfirmTaskInput = { events: workflowInfo().historyLength };
  try {
    const { turn } = await localStep<ConfirmTaskOutput>(NAMES.activities.confirmTask, [input], {
      startToCloseTimeout: '10 seconds',
      retry: { maximumAttempts: 1 },
    });
    return turn;
  } catch {
    return 'unknown';
  }
}

/**
 * @throws Error, which fails the query that ran ahead, and no run
 * @throws CancelledFailure when the run is cancelled between two tries
 */
export async function confirmOwnTask(): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const turn = await CancellationScope.nonCancellable(ask);
    if (turn === 'not_ours') throw new Error('A query ran ahead of its workflow task. Ask again.');
    if (turn === 'ours') return;
    await sleep(BETWEEN_MS);
  }
}

/**
 * The same, before whatever a call's news leads to, where another call of its round waits on people: an Update may come
 * with the task that takes the news up.
 *
 * @throws as {@link confirmOwnTask}
 */
export async function confirmNews({ room }: { readonly room: WaitingRoom }): Promise<void> {
  if ([...room.calls.values()].some(({ guarded }) => guarded)) await confirmOwnTask();
}
