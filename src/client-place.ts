/** A run's place on its thread, taken before its start returns: whose start returned first comes first. */
import { createHash } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { isMissing } from './client-missing.ts';
import { DEFAULTS, NAMES } from './contract.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { TURN_GRACE_MS, type Place, type TakePlaceInput, type TurnAsked, type TurnsInput } from './turns.ts';

const ID_CHARS = 200;

/** The id of the workflow that gives a thread's turns. */
export function turnsWorkflowId(threadId: string): string {
  const short = threadId.length <= ID_CHARS ? threadId : createHash('sha256').update(threadId).digest('hex');
  return `drover-thread:${short}`;
}

/**
 * A run that works on the thread, and that no queue knows of: it made the thread itself and never asked for a turn, or its
 * queue was terminated. Visibility tells it, as far as it has caught up; where that cannot be asked, nobody.
 */
async function unknownHolder(client: Client, { thread_id, run_id }: TakePlaceInput): Promise<string | null> {
  const query = `WorkflowType = '${NAMES.workflow}' AND ExecutionStatus = 'Running' AND ${SEARCH_ATTRIBUTES.threadId.name} = '${thread_id.replaceAll("'", String.raw`\'`)}'`;
  try {
    for await (const { workflowId } of client.workflow.list({ query, pageSize: 2 })) {
      if (workflowId === run_id) continue;
      // Visibility may not have heard of its end yet.
      const { status } = await client.workflow.getHandle(workflowId).describe();
      if (status.name === 'RUNNING') return workflowId;
    }
  } catch {
    return null;
  }
  return null;
}

const optionsOf = ({ thread_id, task_queue }: TakePlaceInput) =>
  ({
    workflowId: turnsWorkflowId(thread_id),
    taskQueue: task_queue,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowTaskTimeout: DEFAULTS.workflowTaskSeconds * 1000,
    staticSummary: 'turns on a thread',
  }) as const;

async function hasQueue(client: Client, threadId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(turnsWorkflowId(threadId)).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * @returns `given` where the thread is idle: the run has its turn, if it is started within {@link TURN_GRACE_MS};
 *   else `wait`: it has to join, once it is there to be told, and waits for the signal `turn`
 */
export async function claimThread(client: Client, input: TakePlaceInput): Promise<Place> {
  const { thread_id, run_id, policy, again = false } = input;
  if (again && (await hasQueue(client, thread_id))) return 'wait';
  // Who enqueues and asks first waits for it at the provider, where need be.
  const other = policy === 'enqueue' && !again ? null : await unknownHolder(client, input);
  const turns: TurnsInput = { thread_id, holder: other ?? run_id };
  try {
    await client.workflow.start(NAMES.turnsWorkflow, {
      ...optionsOf(input),
      args: [turns],
      startDelay: TURN_GRACE_MS,
      workflowIdConflictPolicy: 'FAIL',
    });
    return other === null ? 'given' : 'wait';
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return 'wait';
  }
}

/** Joins the queue of a thread. Joining twice changes nothing. */
export async function joinQueue(client: Client, input: TakePlaceInput): Promise<void> {
  const { thread_id, run_id, policy, since_ms } = input;
  const asked: TurnAsked = { run_id, policy, ...(since_ms === undefined ? {} : { since_ms }) };
  const turns: TurnsInput = { thread_id };
  // Not a signal alone: one would not wake it before its delay is over, and it may have closed by now.
  await client.workflow.signalWithStart(NAMES.turnsWorkflow, {
    ...optionsOf(input),
    args: [turns],
    signal: NAMES.signals.join,
    signalArgs: [asked],
  });
}

/** Gives a turn up that was given to a run which has ended long ago, or is none. */
export async function leavePlace(client: Client, { thread_id, run_id }: TakePlaceInput): Promise<void> {
  try {
    const turns = client.workflow.getHandle(turnsWorkflowId(thread_id));
    await turns.signal<[string]>(NAMES.signals.leave, run_id);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
