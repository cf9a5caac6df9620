/** An operator who pauses a tool that has started, and gives it back when no worker is there to take it. */
import type { RunHandle } from '../../src/client.ts';
import type { Drive } from './drive-harness.ts';
import { until } from './until.ts';

/** Until its time in the queue is over; then a worker is there again. */
export async function pauseAndLeave(
  drive: Drive,
  handle: RunHandle,
  then: 'unpause' | 'reset' = 'unpause',
): Promise<void> {
  const pending = async () => (await handle.workflow.describe()).raw.pendingActivities ?? [];
  const id = await until(async () => {
    const [started] = (await pending()).filter(({ heartbeatDetails }) => heartbeatDetails?.payloads?.length);
    return started?.activityId ?? undefined;
  });
  const { workflowService, options } = drive.client;
  const activity = { namespace: options.namespace, execution: { workflowId: handle.id }, id };
  await workflowService.pauseActivity(activity);
  await until(async () => (await pending())[0]?.attempt === 2 || undefined);
  await drive.stopWorkers();
  if (then === 'unpause') await workflowService.unpauseActivity(activity);
  else await workflowService.resetActivity(activity);
  await until(async () => (await pending()).length === 0 || undefined);
  await drive.startWorker();
}
