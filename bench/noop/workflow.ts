/** The floor of the engine: a workflow with one activity that does nothing. */
import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

export async function noopRun(): Promise<void> {
  await nothing();
}
