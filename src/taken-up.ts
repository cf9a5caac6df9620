/** Asks whether a run goes on with what an execution of it drove that was closed from outside. */
import type { Client } from '@temporalio/client';
import { askAttempt } from './ask-attempt.ts';
import type { Backend } from './backends/backend.ts';
import { describeExecution, type Execution } from './execution.ts';
import { standsWith } from './same-attempt.ts';
import type { AttemptRef } from './steps.ts';

export interface Left {
  readonly attempt: AttemptRef;
  /** Undefined where it is not known: then it may be one that finds attempts by their key. */
  readonly backend: Backend | undefined;
}

/**
 * Whether the execution that a reset has put in the place of the closed one has the attempt, or will take it up by its
 * key. It is the latest one that is asked: the reset may have been of an earlier one, and may have continued as new since.
 *
 * @throws Temporal's errors where no worker answers
 */
export async function isTakenUp(
  client: Client,
  id: string,
  closed: Pick<Execution, 'runId' | 'first'>,
  { attempt, backend }: Left,
): Promise<boolean> {
  const latest = await describeExecution(client, id);
  if (latest.runId === closed.runId || latest.status !== 'RUNNING') return false;
  // Begun anew under the same id, by `runs.retry` for one: its attempts have keys of their own.
  if (latest.first !== closed.first) return false;
  const live = await askAttempt(client, id, latest.runId);
  const stands = live === null ? 'behind' : standsWith(live.attempt, attempt);
  return stands === 'behind' ? (backend?.capabilities.findByKey ?? true) : stands === 'has';
}
