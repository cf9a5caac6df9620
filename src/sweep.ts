/** Cancels what lives on at a provider after its run was terminated: a terminated workflow runs no code. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { askAttempt, type Live } from './ask-attempt.ts';
import { isBackendError } from './backends/backend.ts';
import type { Backend } from './backends/backend.ts';
import { isMissing } from './client-missing.ts';
import type { LoadedConfig } from './config.ts';
import { NAMES } from './contract.ts';
import { describeExecution } from './execution.ts';
import { isTerminal } from './run.ts';
import type { AttemptRef } from './steps.ts';
import { isTakenUp } from './taken-up.ts';

export type SweepOutcome =
  /** Nothing lived: the run had no attempt, or it had ended before. */
  | 'nothing_live'
  /** Asked to cancel, and seen to have ended. */
  | 'cancelled'
  /** Asked to cancel, and not seen to have ended yet: sweep again. */
  | 'cancelling'
  /** A reset has put another execution in its place, which drives this attempt, or takes it up. */
  | 'superseded'
  /** This configuration lacks the attempt's backend. */
  | 'unknown_backend'
  /** No worker answered for the run: sweep again while one is running. */
  | 'no_answer'
  /** The provider did not take the cancel. */
  | 'failed'
  /** It lives, and only a look was asked for. */
  | 'live';

export interface Swept {
  readonly id: string;
  readonly workflowRunId: string;
  readonly backend: string | null;
  readonly attemptId: string | null;
  readonly outcome: SweepOutcome;
  /** What went wrong, where something did. Holds no prompt and no key. */
  readonly detail: string | null;
}

export interface SweepOptions {
  readonly client: Client;
  readonly config: Pick<LoadedConfig, 'backends'>;
  /** Whose runs: other task queues have other configurations. */
  readonly taskQueue: string;
  /** How far back to look, in seconds. @default 86400 */
  readonly sinceSeconds?: number;
  /** Cancels nothing. @default false */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

const DAY_SECONDS = 86_400;
/** How long a cancel may take to be seen. */
const CANCEL_MS = 30_000;
const FIRST_LOOK_MS = 100;
const LAST_LOOK_MS = 3_000;
/** Runs that are looked at side by side: one that no worker answers for takes its time. */
const AT_ONCE = 8;

/** Outcomes after which something may still live at the provider. */
export const SWEEP_UNSETTLED: ReadonlySet<SweepOutcome> = new Set([
  'cancelling',
  'unknown_backend',
  'no_answer',
  'failed',
  'live',
]);

const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';

async function sweepOne(
  { client, config, dryRun = false, signal = new AbortController().signal }: SweepOptions,
  info: WorkflowExecutionInfo,
): Promise<Swept> {
  const told = (outcome: SweepOutcome, live: Live = null, detail: string | null = null): Swept => ({
    id: info.workflowId,
    workflowRunId: info.runId,
    backend: live?.backend ?? null,
    attemptId: live?.attempt.id ?? null,
    outcome,
    detail,
  });
  let live: Live;
  try {
    live = await askAttempt(client, info.workflowId, info.runId);
  } catch (error) {
    // Its history is past the retention: nothing can be learnt any more.
    return isMissing(error) ? told('nothing_live') : told('no_answer', null, words(error));
  }
  if (live === null) return told('nothing_live');
  const backend = config.backends.get(live.backend ?? '');
  try {
    const closed = await describeExecution(client, info.workflowId, info.runId);
    if (await isTakenUp(client, info.workflowId, closed, { attempt: live.attempt, backend }))
      return told('superseded', live);
  } catch (error) {
    return told('no_answer', live, words(error));
  }
  if (backend === undefined) return told('unknown_backend', live);
  if (dryRun) return told('live', live);
  return cancelAt(backend, live.attempt, signal).then(
    (ended) => told(ended ? 'cancelled' : 'cancelling', live),
    (error: unknown) => told('failed', live, words(error)),
  );
}

/** Asks until it is seen to have ended, or the time is up. @returns whether it has ended */
async function cancelAt(backend: Backend, attempt: AttemptRef, signal: AbortSignal): Promise<boolean> {
  const untilMs = Date.now() + CANCEL_MS;
  let at = attempt;
  try {
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 2, LAST_LOOK_MS)) {
      const seen = await backend.cancel(at, signal);
      at = seen.attempt;
      if (isTerminal(seen.run.status)) break;
      if (Date.now() + lookMs > untilMs) return false;
      await sleep(lookMs, undefined, { signal });
    }
    // Its turn has gone on: another run may wait for its own calls there.
    await backend.releaseThread?.(at, signal, { ownOnly: true });
    return true;
  } catch (error) {
    if (isBackendError(error) && error.gone) return true;
    throw error;
  }
}

/** A value in a visibility query. */
const quoted = (value: string): string => `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

/**
 * Looks at every run of the task queue that was terminated, or ended by a workflow timeout, and cancels its
 * attempt at the provider. Safe to run twice, beside other sweeps and beside workers. A worker has to be
 * running to answer for the runs.
 */
export async function* sweep(options: SweepOptions): AsyncIterableIterator<Swept> {
  const since = new Date(Date.now() - (options.sinceSeconds ?? DAY_SECONDS) * 1_000).toISOString();
  const query = [
    `WorkflowType = ${quoted(NAMES.workflow)}`,
    `TaskQueue = ${quoted(options.taskQueue)}`,
    "ExecutionStatus IN ('Terminated', 'TimedOut')",
    `CloseTime >= ${quoted(since)}`,
  ].join(' AND ');
  let batch: WorkflowExecutionInfo[] = [];
  for await (const info of options.client.workflow.list({ query })) {
    batch.push(info);
    if (batch.length < AT_ONCE) continue;
    yield* await Promise.all(batch.map((one) => sweepOne(options, one)));
    if (options.signal?.aborted === true) return;
    batch = [];
  }
  yield* await Promise.all(batch.map((one) => sweepOne(options, one)));
}
