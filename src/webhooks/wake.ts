/** Ends the pause between two looks of a run's wait, so that it looks now. */
import { isGrpcServiceError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { isMissing } from '../client-missing.ts';
import { NAMES } from '../contract.ts';

export type Woken =
  /** Its wait looks at once. */
  | 'woken'
  /** It waits for no attempt just now: its next wait begins with a look. */
  | 'not_waiting';

/**
 * - `reset` resets the activity `drover.awaitRun`, which stands in no history. Temporal's server hands out what was reset
 *   up to its dynamic setting `history.timerProcessorMaxTimeShift` later, a second by default. A server before 1.28 has no
 *   such call; there the signal does it.
 * - `signal` signals the workflow, which begins its wait anew: at once on any server, for some events a time.
 */
export type Wake = 'reset' | 'signal';

/** gRPC's code of a server that has no such call. */
const UNIMPLEMENTED = 12;

export interface WakeOptions {
  /** The run's. */
  readonly id: string;
  readonly attemptId: string;
  readonly wake: Wake;
}

/** @throws Temporal's errors where the server cannot be asked */
export async function wakeRun(client: Client, { id, attemptId, wake }: WakeOptions): Promise<Woken> {
  try {
    if (wake === 'signal' || !(await resetWait(client, id)))
      await client.workflow.getHandle(id).signal(NAMES.signals.wake, attemptId);
    return 'woken';
  } catch (error) {
    if (isMissing(error)) return 'not_waiting';
    throw error;
  }
}

/** False where the server has no such call. */
async function resetWait(client: Client, id: string): Promise<boolean> {
  try {
    await client.workflowService.resetActivity({
      namespace: client.options.namespace,
      identity: client.options.identity,
      execution: { workflowId: id },
      type: NAMES.activities.awaitRun,
    });
    return true;
  } catch (error) {
    const code: number | null = isGrpcServiceError(error) ? error.code : null;
    if (code !== UNIMPLEMENTED) throw error;
    return false;
  }
}
