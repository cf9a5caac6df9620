/** Runs whose first attempt completes. */
import { NAMES } from '../../src/contract.ts';
import { nobody } from '../support/nobody-tool.ts';
import { call } from '../support/recording-tools.ts';
import { runInBareNamespace } from './bare-namespace.ts';
import { answer, becomes, BOTH, created, note, once, refund } from './shape.ts';
import type { Shape } from './shape.ts';

export const ANSWERED: readonly Shape[] = [
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
    name: 'woken',
    wires: ['pushed'],
    script: once({ think_ms: 3_000 }, note, answer),
    act: async (handle, stage) => {
      const working = await becomes(stage, 'in_progress');
      await handle.workflow.signal(NAMES.signals.wake, working.kind === 'status' ? working.id : '');
    },
    ends: null,
    shows: ['WorkflowExecutionSignaled', 'ActivityTaskCancelRequested'],
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
