/** Runs with an effect whose outcome nobody knows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { RunHandle } from '../../src/client.ts';
import type { Step } from '../../src/emulator/index.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { pauseAndLeave } from '../support/leave-tool.ts';
import { call } from '../support/recording-tools.ts';
import { until } from '../support/until.ts';
import { answer, cancelled, once, refund } from './shape.ts';
import type { Shape, Stage } from './shape.ts';

async function settle(handle: RunHandle, { drive }: Stage, outcome: object): Promise<void> {
  const workflow = drive.client.workflow.getHandle(handle.id);
  const key = await until(async () => {
    const { unsettled_effects: open } = await workflow.query<{ unsettled_effects: { key: string }[] }>(
      'progress',
    );
    return open[0]?.key;
  });
  await workflow.executeUpdate('settleEffect', { args: [{ key, ...outcome }] });
}

/** It works until somebody pauses it. */
const slowPayment = defineTool({
  name: 'slow_payment',
  description: 'Pays, in a minute.',
  parameters: z.object({}),
  effect: 'once',
  activity: { scheduleToStartTimeout: '2 seconds' },
  execute: (_args, { signal }) => sleep(60_000, 'paid', { signal }),
});

const breakDown: Step = { call: [call('break_down', {})] };

export const EFFECTS: readonly Shape[] = [
  {
    name: 'effect-started-then-left',
    wires: ['assistants'],
    script: once({ call: [call('slow_payment', {})] }, answer),
    options: { tools: [slowPayment] },
    act: (handle, { drive }) => pauseAndLeave(drive, handle),
    ends: 'effect_unknown',
    shows: ['patch started-mark', 'ActivityTaskTimedOut'],
  },
  {
    name: 'effect-unknown',
    wires: ['assistants'],
    script: once(refund('throw'), answer),
    ends: 'effect_unknown',
    shows: [cancelled],
  },
  {
    name: 'effect-told-to-model',
    wires: ['assistants'],
    script: once(refund('throw'), answer),
    onUnknown: 'tell_model',
    ends: null,
  },
  {
    name: 'effect-looked-up',
    wires: ['assistants'],
    script: once(refund('throw'), answer),
    prepare: ({ shop }) => {
      shop.lookup = 'done';
    },
    ends: null,
    shows: ['drover.lookupEffect'],
  },
  {
    name: 'effect-undone-again',
    wires: ['assistants'],
    script: once(refund('throw'), answer),
    prepare: ({ shop }) => {
      shop.lookup = 'not_done';
    },
    ends: null,
    shows: ['patch undone-again', 'drover.lookupEffect', 'TimerFired'],
  },
  {
    name: 'failed-and-asked-again',
    wires: ['responses'],
    script: once(breakDown, breakDown, answer),
    ends: null,
    shows: ['patch equal-effects'],
  },
  ...(['done', 'end'] as const).map((outcome): Shape => ({
    name: `effect-settled-${outcome}`,
    wires: ['assistants'],
    script: once(refund('throw'), answer),
    onUnknown: 'wait',
    act: (handle, stage) =>
      settle(handle, stage, { outcome, ...(outcome === 'done' ? { output: 'refunded by hand' } : {}) }),
    ends: outcome === 'done' ? null : 'effect_unknown',
    shows: ['WorkflowExecutionUpdateCompleted'],
  })),
  {
    name: 'effect-settled-not-done',
    wires: ['assistants'],
    script: once(refund('throw'), answer),
    onUnknown: 'wait',
    act: async (handle, stage) => {
      await settle(handle, stage, { outcome: 'not_done' });
      await settle(handle, stage, { outcome: 'done', output: 'refunded by hand' });
    },
    ends: null,
    shows: ['WorkflowExecutionUpdateCompleted'],
  },
];
