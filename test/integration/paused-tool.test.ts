/** A `once` tool that was started, and that no worker takes again after somebody has paused or reset it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive } from '../support/drive-harness.ts';
import { call } from '../support/recording-tools.ts';

const IN_QUEUE_MS = 3_000;

async function play(then: 'unpause' | 'reset') {
  let starts = 0;
  const [started, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const refund = defineTool({
    name: 'refund',
    description: 'Refunds an order.',
    parameters: z.object({}),
    effect: 'once',
    activity: { scheduleToStartTimeout: IN_QUEUE_MS },
    execute: async (_args, { signal }) => {
      starts += 1;
      started.resolve();
      await sleep(20_000, undefined, { signal }).catch((error: unknown) => {
        aborted.resolve();
        throw error;
      });
      return 'refunded';
    },
  });
  await using drive = await startDrive('responses', { tools: [refund] });
  drive.play('bot', { attempts: [{ steps: [{ call: [call('refund', {})] }, { answer: 'Done.' }] }] });
  const id = drive.id('paused');
  const run = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id });
  await started.promise;
  const [pending] = (await run.workflow.describe()).raw.pendingActivities ?? [];
  const { client } = drive;
  const activity = {
    namespace: client.options.namespace,
    execution: { workflowId: id },
    id: pending?.activityId ?? '',
  };
  await client.workflowService.pauseActivity(activity);
  await aborted.promise;
  await drive.stopWorkers();
  if (then === 'unpause') await client.workflowService.unpauseActivity(activity);
  else await client.workflowService.resetActivity(activity);
  const isOver = async (): Promise<boolean> => {
    const { raw } = await run.workflow.describe();
    return (raw.pendingActivities ?? []).length === 0;
  };
  await expect.poll(isOver, { timeout: 30_000 }).toBe(true);
  await drive.startWorker();
  const { code, tool_calls } = await run.outcome();
  return { code, starts, status: tool_calls[0]?.status };
}

test.each(['unpause', 'reset'] as const)(
  'is not started again after a pause, %s, and its time in the queue: its outcome is unknown',
  async (then) => {
    expect(await play(then)).toEqual({ code: 'effect_unknown', starts: 1, status: 'unknown_outcome' });
  },
);
