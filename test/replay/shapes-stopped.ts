/** Runs that are stopped, by whoever started them, by a limit or by what nobody can go on with. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool } from '../../src/tools/define-tool.ts';
import { fastClock } from '../support/fast-clock.ts';
import { call } from '../support/recording-tools.ts';
import { until } from '../support/until.ts';
import { answer, becomes, BOTH, cancelled, note, once, refund } from './shape.ts';
import type { Shape } from './shape.ts';

/** It is not done before the deadline of a run that has three seconds. */
const slow = defineTool({
  name: 'slow',
  description: 'Takes its time.',
  parameters: z.object({}),
  execute: (_args, { signal }) => sleep(20_000, 'late', { signal }),
});

export const STOPPED: readonly Shape[] = [
  {
    name: 'cancelled-while-waiting',
    wires: BOTH,
    script: once({ hang: true }),
    act: async (handle, stage) => {
      await becomes(stage, 'in_progress');
      await handle.cancel({ reason: 'not wanted any more' });
    },
    ends: 'cancelled',
    shows: [cancelled, 'WorkflowExecutionCanceled'],
  },
  {
    name: 'cancelled-during-tool',
    wires: BOTH,
    script: once(refund(), answer),
    act: async (handle, { shop }) => {
      let open = (): void => undefined;
      shop.gate = new Promise((resolve) => {
        open = () => resolve();
      });
      await until(() => (shop.effects.length > 0 ? true : undefined));
      await handle.cancel();
      await handle.outcome();
      open();
    },
    ends: 'cancelled',
    shows: [cancelled, 'WorkflowExecutionCanceled'],
  },
  {
    name: 'cancelled-before-retry',
    wires: ['assistants'],
    script: once({ fail: { code: 'server_error', message: 'It broke.' } }),
    request: { retry: { backoff_seconds: 30 } },
    act: async (handle, stage) => {
      await becomes(stage, 'failed');
      const workflow = stage.drive.client.workflow.getHandle(handle.id);
      await until(async () => {
        const { events } = await workflow.fetchHistory();
        return events?.some((event) => event.timerStartedEventAttributes) === true ? true : undefined;
      });
      await handle.cancel();
    },
    ends: 'cancelled',
    shows: ['TimerCanceled', 'WorkflowExecutionCanceled'],
  },
  {
    name: 'deadline-by-a-fast-clock',
    wires: ['assistants'],
    script: once({ hang: true }),
    drive: async ({ drive }) => {
      using stack = new DisposableStack();
      stack.use(fastClock(2_000));
      const request = { assistant_id: 'bot', input: 'Go', limits: { deadline_seconds: 5 } };
      const handle = await drive.runs.start(request, { id: drive.id('fast-clock') });
      return { handle, client: drive.client, code: (await handle.outcome()).code };
    },
    ends: 'deadline_exceeded',
    shows: [cancelled, 'patch late-by-until'],
  },
  {
    name: 'deadline',
    wires: BOTH,
    script: once({ hang: true }),
    request: { limits: { deadline_seconds: 2 } },
    ends: 'deadline_exceeded',
    shows: [cancelled],
  },
  {
    name: 'deadline-in-a-tool',
    wires: BOTH,
    script: once({ call: [call('slow', {})] }, answer),
    options: { tools: [slow] },
    request: { limits: { deadline_seconds: 3 } },
    ends: 'deadline_exceeded',
    shows: ['patch no-late-submit', cancelled],
  },
  {
    name: 'unknown-status',
    wires: BOTH,
    script: once({ status: 'pondering' }),
    request: { limits: { deadline_seconds: 3 } },
    ends: 'unknown_status',
    shows: [cancelled],
  },
  {
    name: 'rounds-exceeded',
    wires: ['assistants'],
    script: once(note, note, note, answer),
    request: { limits: { rounds: 2 } },
    ends: 'rounds_exceeded',
    shows: [cancelled],
  },
  {
    name: 'content-filter',
    wires: BOTH,
    script: once({ incomplete: 'content_filter' }),
    ends: 'content_filter',
    shows: ['WorkflowExecutionFailed'],
  },
  {
    name: 'returned-unfinished',
    wires: ['assistants'],
    script: once({ fail: { code: 'invalid_prompt', message: 'No.' } }),
    request: { on_unfinished: 'return' },
    ends: 'invalid_prompt',
    shows: ['WorkflowExecutionCompleted'],
  },
  {
    name: 'unsupported-action',
    wires: ['responses'],
    // More calls at once than a run can hold.
    script: once({ call: Array.from({ length: 2_049 }, () => call('get_order', {})) }, answer),
    ends: 'unsupported_action',
    shows: [cancelled],
  },
  {
    name: 'backend-auth',
    wires: ['assistants'],
    script: once(answer),
    options: { emulator: { apiKey: 'another-key' } },
    ends: 'backend_auth',
  },
  {
    name: 'invalid-request',
    wires: ['assistants'],
    script: once(answer),
    drive: async ({ drive }) => {
      // As a service in another language would, past the checks of the client.
      const id = drive.id('invalid');
      const args = [{ assistant_id: 'bot', temperature: 9 }];
      await drive.client.workflow.start('driveRun', { taskQueue: drive.taskQueue, workflowId: id, args });
      const handle = drive.runs.getHandle(id);
      return { handle, client: drive.client, code: (await handle.outcome()).code };
    },
    ends: 'invalid_request',
  },
];
