/** The shapes that a run can have: every way through the workflow, each as one run. */
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import type { RunHandle } from '../../src/client.ts';
import type { RunRequest } from '../../src/contract.ts';
import type { Script, Step } from '../../src/emulator/index.ts';
import type { EndCode } from '../../src/failures.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import type { Drive, DriveOptions, Wire } from '../support/drive-harness.ts';
import { call, type Recording } from '../support/recording-tools.ts';
import { runInBareNamespace } from './bare-namespace.ts';
import { ENDED_BY_CODE } from './shapes-ended.ts';
import { PEOPLE } from './shapes-people.ts';
import { TURNS } from './shapes-turns.ts';

export interface Stage {
  readonly wire: Wire;
  readonly drive: Drive;
  readonly shop: Recording;
}

/** A run that has ended, and the client that can read its history. */
export interface Driven {
  readonly handle: RunHandle;
  readonly client: Client;
  readonly code: EndCode | null;
}

export interface Shape {
  readonly name: string;
  readonly wires: readonly Wire[];
  readonly script: Script;
  readonly request?: Partial<RunRequest>;
  readonly options?: DriveOptions;
  /** What `refund_order` wants where its outcome is unknown. @default 'end' */
  readonly onUnknown?: 'end' | 'wait' | 'tell_model';
  /** Before the run starts: faults, gates. */
  readonly prepare?: (stage: Stage) => void;
  /** Does to the running run what makes this shape. @default nothing */
  readonly act?: (handle: RunHandle, stage: Stage) => Promise<unknown>;
  /** Starts the run in a way of its own, and waits for its end. @default by the drive's client */
  readonly drive?: (stage: Stage) => Promise<Driven>;
  readonly ends: EndCode | null;
  /** Activity types and event types that the history must hold: else the run did not take this shape. */
  readonly shows?: readonly string[];
  /** Those that it must not hold. */
  readonly lacks?: readonly string[];
}

const BOTH: readonly Wire[] = ['assistants', 'responses'];
const once = (...steps: readonly Step[]): Script => ({ attempts: [{ steps }] });
const each = (...attempts: readonly (readonly Step[])[]): Script => ({
  attempts: attempts.map((steps) => ({ steps })),
});

const refund = (note?: string): Step => ({
  call: [call('refund_order', { order_id: '7', cents: 100, ...(note === undefined ? {} : { note }) })],
});
const note: Step = { call: [call('set_note', { order_id: '7' })] };
const answer: Step = { answer: '{{outputs}}' };

const becomes = ({ drive }: Stage, to: string) =>
  drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === to);

/** Runs refuse to look until what they wait for is there. */
async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

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

const CREATE = { method: 'POST', path: '/\\/(?:runs|responses)$/' } as const;
/** On the Responses wire a submit is the second create. */
const submit = (wire: Wire) =>
  wire === 'assistants'
    ? ({ method: 'POST', path: 'submit_tool_outputs', nth: 1 } as const)
    : ({ ...CREATE, nth: 2 } as const);

/** Its task queue has no worker. */
const nobody = defineTool({
  name: 'nobody',
  description: 'No worker has it.',
  parameters: z.object({}),
  effect: 'once',
  activity: { taskQueue: 'nobody-listens-here', scheduleToStartTimeout: '1 second' },
  execute: () => Promise.resolve('never'),
});

const created = 'drover.createRun';
const cancelled = 'drover.cancelRun';
const quick = { retry: { backoff_seconds: 0.1 } };

const ANSWERED: readonly Shape[] = [
  { name: 'plain-answer', wires: [...BOTH, 'foreground'], script: once(answer), ends: null },
  {
    name: 'parallel-tools',
    wires: [...BOTH, 'foreground'],
    script: once(
      { call: [call('get_order', { order_id: '7' }), call('set_note', { order_id: '8' })] },
      answer,
    ),
    ends: null,
    shows: ['get_order', 'set_note'],
  },
  {
    name: 'two-rounds',
    wires: BOTH,
    script: once(note, refund(), answer),
    ends: null,
    shows: ['refund_order'],
  },
  {
    name: 'bad-calls',
    wires: BOTH,
    script: once(
      {
        call: [
          call('get_order', '{"order_id": '),
          call('no_such_tool', {}),
          call('set_note', { order_id: '7' }),
        ],
      },
      answer,
    ),
    ends: null,
    shows: ['set_note'],
  },
  {
    name: 'tool-fails',
    wires: ['assistants'],
    script: once({ call: [call('break_down', {})] }, answer),
    ends: null,
    shows: ['ActivityTaskFailed'],
  },
  {
    name: 'tool-not-started',
    wires: ['assistants'],
    script: once({ call: [call('nobody', {})] }, answer),
    options: { tools: [nobody] },
    request: { limits: { deadline_seconds: 12 } },
    ends: null,
    shows: ['ActivityTaskTimedOut', 'TimerFired'],
  },
  {
    name: 'search-attributes-off',
    wires: BOTH,
    script: once(note, answer),
    options: { idle: true },
    drive: runInBareNamespace,
    ends: null,
    lacks: ['UpsertWorkflowSearchAttributes'],
  },
  {
    name: 'announced-thread',
    wires: ['assistants'],
    script: once(note, answer),
    ends: null,
    shows: ['WorkflowExecutionSignaled', 'set_note'],
    lacks: [created],
  },
  {
    name: 'announced-thread-create-again',
    wires: ['assistants'],
    script: once(answer),
    prepare: ({ drive }) =>
      drive.emulator.addFault({ match: { method: 'POST', path: '/runs$/', nth: 1 }, do: { status: 500 } }),
    ends: null,
    shows: ['WorkflowExecutionSignaled', created],
  },
];

const RETRIED: readonly Shape[] = [
  {
    name: 'expired-during-effect',
    wires: ['assistants'],
    script: each([refund(), answer], [refund('again'), answer]),
    options: { emulator: { expiresAfterMs: 1_500 } },
    prepare: (stage) => {
      stage.shop.gate = becomes(stage, 'expired').then(() => undefined);
    },
    ends: null,
    shows: ['refund_order'],
  },
  {
    name: 'budget-retry',
    wires: BOTH,
    script: once({ incomplete: 'max_completion_tokens', unless_budget_at_least: 600 }, answer),
    request: { max_completion_tokens: 300 },
    ends: null,
  },
  {
    name: 'server-error-after-effect',
    wires: BOTH,
    script: each(
      [refund(), { fail: { code: 'server_error', message: 'It broke.' } }],
      [refund('again'), answer],
    ),
    request: quick,
    ends: null,
    shows: ['TimerFired'],
  },
  { name: 'attempt-gone', wires: BOTH, script: each([{ vanish: true }], [answer]), ends: null },
  {
    name: 'attempt-limit',
    wires: BOTH,
    script: each([{ hang: true }], [answer]),
    request: { limits: { attempt_seconds: 1.5 } },
    ends: null,
    shows: [cancelled],
  },
  {
    name: 'attempts-exhausted',
    wires: ['assistants'],
    script: once({ fail: { code: 'server_error', message: 'It broke.' } }),
    request: { retry: { backoff_seconds: 0.1, attempts: 2 } },
    ends: 'attempts_exhausted',
  },
  {
    name: 'create-refused-then-taken',
    wires: BOTH,
    script: once(answer),
    prepare: ({ drive }) =>
      drive.emulator.addFault({ match: { ...CREATE, nth: 1 }, do: { status: 429, retry_after_s: 1 } }),
    ends: null,
    shows: [created],
  },
  {
    name: 'create-answer-lost',
    wires: BOTH,
    script: once(answer),
    prepare: ({ drive }) => drive.emulator.addFault({ match: { ...CREATE, nth: 1 }, do: { reset: 'after' } }),
    ends: null,
    shows: [created],
  },
  {
    name: 'submit-answer-lost',
    wires: BOTH,
    script: once(refund(), answer),
    prepare: ({ drive, wire }) => drive.emulator.addFault({ match: submit(wire), do: { reset: 'after' } }),
    ends: null,
  },
  {
    name: 'submit-refused-then-taken',
    wires: BOTH,
    script: once(refund(), answer),
    prepare: ({ drive, wire }) =>
      drive.emulator.addFault({ match: submit(wire), do: { status: 429, retry_after_s: 1 } }),
    ends: null,
    shows: ['drover.submitOutputs'],
  },
  {
    name: 'continued-as-new',
    wires: BOTH,
    script: once(refund(), note, refund(), answer),
    request: { limits: { history_events: 12 } },
    ends: null,
    shows: ['WorkflowExecutionContinuedAsNew'],
  },
  {
    name: 'worker-replaced',
    wires: BOTH,
    script: once(note, { think_ms: 4_000 }, answer),
    act: async (_handle, { drive, shop }) => {
      await until(() => (shop.effects.length > 0 ? true : undefined));
      await drive.stopWorkers();
      await drive.startWorker();
    },
    ends: null,
  },
];

const EFFECTS: readonly Shape[] = [
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

const ENDED: readonly Shape[] = [
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
    name: 'deadline',
    wires: BOTH,
    script: once({ hang: true }),
    request: { limits: { deadline_seconds: 2 } },
    ends: 'deadline_exceeded',
    shows: [cancelled],
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

export const SHAPES: readonly Shape[] = [
  ...ANSWERED,
  ...RETRIED,
  ...EFFECTS,
  ...ENDED,
  ...ENDED_BY_CODE,
  ...PEOPLE,
  ...TURNS,
];
