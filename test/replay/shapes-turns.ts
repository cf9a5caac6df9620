/** Runs on a thread that another run has, and the queue of such a thread. */
import { NAMES } from '../../src/contract.ts';
import type { RunRequest } from '../../src/contract.ts';
import type { RunHandle } from '../../src/client.ts';
import { makeThread } from '../support/threads.ts';
import type { Driven, Shape, Stage } from './shape.ts';

const BUSY_MS = 2_000;
const script = { attempts: [{ steps: [{ think_ms: BUSY_MS }, { answer: 'Said.' }] }] };

interface Behind {
  readonly first: RunHandle;
  readonly second: RunHandle;
  readonly thread_id: string;
}

/** Two runs on one thread, the second one while the first works. */
async function startTwo(
  { drive, wire }: Stage,
  label: string,
  fields: Partial<RunRequest>,
  without: 'client' | null = null,
): Promise<Behind> {
  const thread_id = await makeThread(drive.emulator.url, wire === 'assistants' ? wire : 'responses');
  const request = { assistant_id: 'bot', input: 'Go', thread_id, on_unfinished: 'return' } as const;
  const first = await drive.runs.start(request, { id: drive.id(`${label}-first`) });
  const id = drive.id(label);
  const behind = { ...request, ...fields };
  if (without === null) return { first, second: await drive.runs.start(behind, { id }), thread_id };
  await drive.client.workflow.start(NAMES.workflow, {
    workflowId: id,
    taskQueue: drive.taskQueue,
    args: [behind],
  });
  return { first, second: drive.runs.getHandle(id), thread_id };
}

const ending = async ({ drive }: Stage, handle: RunHandle): Promise<Driven> => ({
  handle,
  client: drive.client,
  code: (await handle.outcome()).code,
});

export const TURNS: readonly Shape[] = [
  {
    name: 'turn-waited-for',
    wires: ['assistants', 'responses'],
    script,
    drive: async (stage) => ending(stage, (await startTwo(stage, 'waited', {})).second),
    ends: null,
    shows: ['WorkflowExecutionSignaled', 'TimerCanceled'],
  },
  {
    name: 'turn-asked-by-itself',
    wires: ['assistants'],
    script,
    drive: async (stage) => ending(stage, (await startTwo(stage, 'asked', {}, 'client')).second),
    ends: null,
    shows: ['MarkerRecorded', 'WorkflowExecutionSignaled'],
  },
  {
    name: 'turn-refused',
    wires: ['assistants'],
    script,
    drive: async (stage) =>
      ending(stage, (await startTwo(stage, 'refused', { on_busy_thread: 'reject' })).second),
    ends: 'thread_busy',
    lacks: ['ActivityTaskScheduled'],
  },
  {
    name: 'turn-too-late',
    wires: ['assistants'],
    script,
    drive: async (stage) => ending(stage, (await startTwo(stage, 'late', { turn_seconds: 0.5 })).second),
    ends: 'thread_busy',
    shows: ['TimerFired'],
  },
  {
    name: 'turns-given',
    wires: ['assistants'],
    script,
    drive: async (stage) => {
      const { first, second, thread_id } = await startTwo(stage, 'queue', { on_busy_thread: 'interrupt' });
      const { code } = await ending(stage, second);
      await first.outcome();
      return {
        handle: stage.drive.runs.getHandle(`drover-thread:${thread_id}`),
        client: stage.drive.client,
        code,
      };
    },
    ends: null,
    shows: [
      'ExternalWorkflowExecutionCancelRequested',
      'ExternalWorkflowExecutionSignaled',
      'drover.awaitEnd',
    ],
  },
];
