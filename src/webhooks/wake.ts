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

/** gRPC's code of a server that has no such call. */
const UNIMPLEMENTED = 12;

/**
 * Resets the activity `drover.awaitRun`: that hands it out at once and stands in no history. A server before
 * 1.28 has no such call; there the signal `wake` does it, for a few events.
 *
 * @throws Temporal's errors where the server cannot be asked
 */
export async function wakeRun(client: Client, id: string, attemptId: string): Promise<Woken> {
  try {
    await client.workflowService.resetActivity({
      namespace: client.options.namespace,
      identity: client.options.identity,
      execution: { workflowId: id },
      type: NAMES.activities.awaitRun,
    });
    return 'woken';
  } catch (error) {
    if (isMissing(error)) return 'not_waiting';
    const code: number | null = isGrpcServiceError(error) ? error.code : null;
    if (code !== UNIMPLEMENTED) throw error;
  }
  try {
    await client.workflow.getHandle(id).signal(NAMES.signals.wake, attemptId);
    return 'woken';
  } catch (error) {
    if (isMissing(error)) return 'not_waiting';
    throw error;
  }
}
