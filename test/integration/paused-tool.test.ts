/** A `once` tool that was started, and that no worker takes again after somebody has paused or reset it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../src/tools/define-tool.ts';
import { startDrive } from '../support/drive-harness.ts';
import { pauseAndLeave } from '../support/leave-tool.ts';
import { call } from '../support/recording-tools.ts';

async function play(then: 'unpause' | 'reset') {
  let starts = 0;
  const refund = defineTool({
    name: 'refund',
    description: 'Refunds an order.',
    parameters: z.object({}),
    effect: 'once',
    activity: { scheduleToStartTimeout: '3 seconds' },
    execute: (_args, { signal }) => {
      starts += 1;
      return sleep(20_000, 'refunded', { signal });
    },
  });
  await using drive = await startDrive('responses', { tools: [refund] });
  drive.play('bot', { attempts: [{ steps: [{ call: [call('refund', {})] }, { answer: 'Done.' }] }] });
  const run = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('paused') });
  await pauseAndLeave(drive, run, then);
  const { code, tool_calls } = await run.outcome();
  return { code, starts, status: tool_calls[0]?.status };
}

test.each(['unpause', 'reset'] as const)(
  'is not started again after a pause, %s, and its time in the queue: its outcome is unknown',
  async (then) => {
    expect(await play(then)).toEqual({ code: 'effect_unknown', starts: 1, status: 'unknown_outcome' });
  },
);
