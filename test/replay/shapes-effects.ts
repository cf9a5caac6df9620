/** Runs with an effect whose outcome nobody knows. */
import type { RunHandle } from '../../src/client.ts';
import { answer, cancelled, once, refund, until } from './shape.ts';
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

export const EFFECTS: readonly Shape[] = [
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
