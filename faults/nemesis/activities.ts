/** Pause and unpause, and reset, of an activity that runs: as somebody may do in Temporal's UI. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';

const NOT_FOUND = 5;
/** `PENDING_ACTIVITY_STATE_STARTED` of Temporal's API. */
const STARTED = 2;

interface Target {
  readonly run: string;
  readonly activity: string;
  readonly type: string;
}

/** Those that run, if any does; else those that wait for their next try. */
async function pendingOf(client: Client, run: string): Promise<readonly Target[]> {
  const { raw } = await client.workflow.getHandle(run).describe();
  const pending = raw.pendingActivities ?? [];
  const running = pending.filter(({ state }) => Number(state) === STARTED);
  return (running.length > 0 ? running : pending).map(({ activityId, activityType }) => ({
    run,
    activity: activityId ?? '',
    type: activityType?.name ?? '',
  }));
}

const requestFor = (client: Client, { run, activity }: Target) => ({
  namespace: client.options.namespace,
  execution: { workflowId: run },
  id: activity,
});

/** Until it is done, or there is nothing left to unpause. */
async function unpause(stage: Stage, target: Target, random: Random): Promise<void> {
  const { client } = stage;
  for (;;) {
    try {
      await client.workflowService.unpauseActivity({
        ...requestFor(client, target),
        resetAttempts: random.chance(0.3),
        resetHeartbeat: random.chance(0.3),
      });
      stage.note({ kind: 'activity_unpaused', ...target });
      return;
    } catch (error) {
      if (isGrpcServiceError(error) && (error.code as number) === NOT_FOUND) return;
      await sleep(500);
    }
  }
}

/** One activity of one of these runs. Does nothing where none is pending, or Temporal does not answer. */
export async function disturbActivity(stage: Stage, runs: readonly string[], random: Random): Promise<void> {
  if (runs.length === 0) return;
  const { client } = stage;
  const targets = await pendingOf(client, random.pick(runs)).catch((error: unknown) => {
    stage.log(String(error));
    return [];
  });
  if (targets.length === 0) return;
  const target = random.pick(targets);
  if (random.chance(0.4)) {
    await client.workflowService.resetActivity({
      ...requestFor(client, target),
      resetHeartbeat: random.chance(0.5),
    });
    stage.note({ kind: 'activity_reset', ...target });
    return;
  }
  await client.workflowService.pauseActivity(requestFor(client, target));
  stage.note({ kind: 'activity_paused', ...target });
  await sleep(random.int(300, 3_000));
  await unpause(stage, target, random);
}
