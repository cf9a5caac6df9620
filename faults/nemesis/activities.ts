/** Pause and unpause, and reset, of an activity that runs: as somebody may do in Temporal's UI. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';
import type { AtWork, Working } from './working.ts';

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

/** A tool hears of a pause by its heartbeat, every 2.5 s: so long it is paused, and unpaused while it works. */
const HEARD_MS = [2_600, 2_900] as const;
/** From seeing it at work to its pause, and from its unpausing to its answer. */
const MARGIN_MS = 300;
/** How long a `once` tool that works is waited for. */
const PATIENCE_MS = 15_000;

const isAimed = (target: Target, aimed: AtWork | null): boolean =>
  aimed !== null && target.run === aimed.run && target.type === aimed.tool;

/**
 * One activity of one of these runs; half of the time that of a `once` tool in the middle of its work, where one is. Does
 * nothing where none is pending, or Temporal does not answer.
 */
export async function disturbActivity(
  stage: Stage,
  runs: readonly string[],
  { random, working }: { readonly random: Random; readonly working: Working },
): Promise<void> {
  const { client } = stage;
  const aimed = random.chance(0.5) ? await working.next(HEARD_MS[1] + MARGIN_MS, PATIENCE_MS) : null;
  if (aimed === null && runs.length === 0) return;
  const found = await pendingOf(client, aimed?.run ?? random.pick(runs)).catch((error: unknown) => {
    stage.log(String(error));
    return [];
  });
  const hit = found.filter((target) => isAimed(target, aimed));
  const targets = hit.length > 0 ? hit : found;
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
  await sleep(hit.length > 0 ? random.int(...HEARD_MS) : random.int(300, 3_000));
  await unpause(stage, target, random);
}
