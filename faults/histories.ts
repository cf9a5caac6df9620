/** Reads the workflow tasks of every run out of Temporal's histories: what a kill fell into, nothing else. */
import type { Client } from '@temporalio/client';
import { inLanes } from './lanes.ts';
import type { WorkflowTask } from './kill-windows.ts';
import { pidOfIdentity } from './worker-env.ts';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;
type Event = NonNullable<History['events']>[number];

function millis(event: Event): number {
  const { seconds, nanos } = event.eventTime ?? {};
  return Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1e6);
}

/** The tasks of one execution. Pure. */
export function tasksOf(run: string, events: readonly Event[]): readonly WorkflowTask[] {
  const isContinuation = Boolean(events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId);
  const continuesBy = events.find((event) => event.workflowExecutionContinuedAsNewEventAttributes)
    ?.workflowExecutionContinuedAsNewEventAttributes?.workflowTaskCompletedEventId;
  const started = events.filter((event) => event.workflowTaskStartedEventAttributes);
  return started.map((event, at): WorkflowTask => {
    const endsIt = (next: Event): boolean => {
      const ended =
        next.workflowTaskCompletedEventAttributes ??
        next.workflowTaskTimedOutEventAttributes ??
        next.workflowTaskFailedEventAttributes;
      return String(ended?.startedEventId) === String(event.eventId);
    };
    const end = events.find(endsIt);
    const completed = Boolean(end?.workflowTaskCompletedEventAttributes);
    return {
      run,
      pid: pidOfIdentity(event.workflowTaskStartedEventAttributes?.identity ?? ''),
      startedAt: millis(event),
      endedAt: end === undefined ? null : millis(end),
      completed,
      continues: completed && continuesBy != null && String(end?.eventId) === String(continuesBy),
      continued: at === 0 && isContinuation,
    };
  });
}

async function tasksOfRun(client: Client, run: string): Promise<readonly WorkflowTask[]> {
  const tasks: WorkflowTask[] = [];
  let runId = (await client.workflow.getHandle(run).describe()).raw.workflowExecutionInfo?.firstRunId ?? '';
  while (runId !== '') {
    const { events } = await client.workflow.getHandle(run, runId).fetchHistory();
    tasks.push(...tasksOf(run, events ?? []));
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
  }
  return tasks;
}

const AT_ONCE = 8;

export async function readTasks(client: Client, runs: readonly string[]): Promise<readonly WorkflowTask[]> {
  const found: WorkflowTask[] = [];
  await inLanes(AT_ONCE, runs, async (run) => {
    found.push(...(await tasksOfRun(client, run).catch(() => [])));
  });
  return found;
}
