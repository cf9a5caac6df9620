/** How services start runs and wait for them. Never loads the native worker. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Client, WorkflowExecutionInfo, WorkflowExecutionStatusName } from '@temporalio/client';
import type { Priority } from '@temporalio/common';
import { compareHolder } from './client-attach.ts';
import { RunHandle } from './client-handle.ts';
import { isMissing } from './client-missing.ts';
import { claimThread, joinQueue, leavePlace } from './client-place.ts';
import type { WaitingRun } from './client-people.ts';
import { staticDetails, staticSummary } from './client-summary.ts';
import { DEFAULTS, NAMES } from './contract.ts';
import type { RunRequest, RunResult } from './contract.ts';
import { isTooLarge, planRetry } from './client-retry.ts';
import type { RetryOptions } from './client-retry.ts';
import { InvalidRequestError, RunConflictError, RunNotRetryableError } from './errors.ts';
import { checkRunId, checkRunRequest, requestDigest } from './request.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { TURN_GRACE_MS, type TakePlaceInput } from './turns.ts';

export { RunHandle };
export type { CancelOptions, RunDescription } from './client-handle.ts';
export type { CallShown, DecisionWords, WaitingRun } from './client-people.ts';
export type { RetryOptions } from './client-retry.ts';
export type { WatchOptions } from './client-watch.ts';

export interface RunClientOptions {
  /** Temporal's client: its connection, namespace, data converter and interceptors apply. */
  readonly client: Client;
  /** Where Drover's workers listen. @default 'drover' */
  readonly taskQueue?: string;
}

export interface StartOptions {
  /**
   * The run's id. The same id with the same request attaches to the run, so that a service may repeat a
   * start whose answer it lost. @default a random one: then a repeated start is a second run
   */
  readonly id?: string;
  /** @default the client's */
  readonly taskQueue?: string;
  /** Temporal's priority and fairness, for the workflow and its activities. */
  readonly priority?: Priority;
}

/** A run as Temporal's visibility lists it. Null where the namespace lacks Drover's search attributes. */
export interface RunListing {
  readonly id: string;
  readonly workflowRunId: string;
  readonly workflowStatus: WorkflowExecutionStatusName;
  readonly startTime: Date;
  readonly closeTime: Date | null;
  /** The run's status; null also where it was terminated, or ended before an attempt was made. */
  readonly status: string | null;
  readonly assistantId: string | null;
  readonly backend: string | null;
  readonly threadId: string | null;
  readonly attemptId: string | null;
}

/** The holder of an id may vanish between two looks, when its retention ends just then. */
const START_TRIES = 3;

export class RunClient {
  readonly #client: Client;
  readonly #taskQueue: string;

  constructor(options: RunClientOptions) {
    this.#client = options.client;
    this.#taskQueue = options.taskQueue ?? NAMES.taskQueue;
  }

  /**
   * Starts a run, or attaches to the one that has this id and the same request, to a closed one too.
   * Returns once Temporal has it; whether a worker is there does not matter.
   *
   * @throws InvalidRequestError with every mistake; nothing was created
   * @throws RunConflictError where the id belongs to another request
   */
  async start(request: RunRequest, options: StartOptions = {}): Promise<RunHandle> {
    const id = options.id ?? `run-${randomUUID()}`;
    const wrongId = checkRunId(id);
    const checked = checkRunRequest(request);
    const issues = [...(wrongId === null ? [] : [wrongId]), ...(checked.issues ?? [])];
    if (checked.request === undefined || issues.length > 0) throw new InvalidRequestError(issues);
    await this.#startOrAttach(checked.request, id, options);
    return this.getHandle(id);
  }

  /**
   * Goes on with a run that ended badly, as a new execution under the same id: what its tools have done is not done
   * again, what people have said is not asked again, and its attempts count anew. Its thread, where it has one, goes on.
   *
   * @param options the limits to raise, where one of them ended the run
   * @throws RunNotFoundError; RunNotRetryableError where the run works, has completed, was terminated, or has
   *   more to hand on than Temporal carries; InvalidRequestError; Temporal's errors where no worker answers
   */
  async retry(id: string, options: RetryOptions = {}): Promise<RunHandle> {
    const run = this.getHandle(id);
    const { request, seed, digest } = await planRetry(this.#client, id, options);
    try {
      await this.#client.workflow.start(NAMES.workflow, {
        ...this.#startOptions(request, id, options),
        args: [request, seed],
        memo: digest === null ? {} : { [NAMES.memo.requestDigest]: digest },
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      });
    } catch (error) {
      if (isTooLarge(error)) throw new RunNotRetryableError(id, 'run_too_large', error);
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      throw new RunNotRetryableError(id, 'run_active', error);
    }
    return run;
  }

  #startOptions(request: RunRequest, id: string, options: StartOptions) {
    return {
      workflowId: id,
      taskQueue: options.taskQueue ?? this.#taskQueue,
      workflowTaskTimeout: DEFAULTS.workflowTaskSeconds * 1000,
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: staticSummary(request),
      staticDetails: staticDetails(request),
      ...(options.priority === undefined ? {} : { priority: options.priority }),
    } as const;
  }

  async #startOrAttach(request: RunRequest, id: string, options: StartOptions): Promise<void> {
    const wish = turnWish(request, id, options.taskQueue ?? this.#taskQueue);
    if (wish === null) {
      await this.#startOne(request, id, options, []);
      return;
    }
    const place = await claimThread(this.#client, wish);
    const start = () => this.#startOne(request, id, options, [null, place]);
    if (place === 'wait') {
      // Now that it is there to be told of its turn. Where this is not reached, it joins by itself.
      if ((await start()) !== 'closed') await joinQueue(this.#client, wish);
      return;
    }
    try {
      // A turn that was given is given to somebody else where its run does not come.
      const standing = await this.#client.withDeadline(Date.now() + TURN_GRACE_MS / 2, start);
      if (standing === 'closed') await leavePlace(this.#client, wish);
    } catch (error) {
      if (error instanceof RunConflictError) await leavePlace(this.#client, wish);
      throw error;
    }
  }

  /** Starts the run, or finds it; `closed` where it has ended already. */
  async #startOne(
    request: RunRequest,
    id: string,
    options: StartOptions,
    more: readonly unknown[],
  ): Promise<'running' | 'closed'> {
    const digest = requestDigest(request);
    for (let tries = 1; ; tries++) {
      try {
        await this.#client.workflow.start(NAMES.workflow, {
          ...this.#startOptions(request, id, options),
          args: [request, ...more],
          memo: { [NAMES.memo.requestDigest]: digest },
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
        });
        return 'running';
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        try {
          const { holder, running } = await compareHolder(this.#client, id, digest);
          if (holder === 'same') return running ? 'running' : 'closed';
          throw new RunConflictError(id, { foreign: holder === 'foreign', cause: error });
        } catch (lookError) {
          if (!isMissing(lookError) || tries === START_TRIES) throw lookError;
        }
      }
    }
  }

  /** {@link start}, then {@link RunHandle.result}. */
  async execute(request: RunRequest, options: StartOptions = {}): Promise<RunResult> {
    const run = await this.start(request, options);
    return run.result();
  }

  /**
   * A hold on a run that was started elsewhere. Asks nobody: an id that is nobody's shows at the first use.
   *
   * @throws InvalidRequestError where no run can have this id
   */
  getHandle(id: string): RunHandle {
    const wrongId = checkRunId(id);
    if (wrongId !== null) throw new InvalidRequestError([wrongId]);
    return new RunHandle(this.#client, id);
  }

  /**
   * Runs of the namespace, the newest first, as far as visibility has caught up.
   *
   * @param query a filter in Temporal's list syntax, such as `ExecutionStatus = 'Running'` or
   *   `DroverAssistantId = 'support'`. @default every run
   */
  async *list(query = ''): AsyncIterableIterator<RunListing> {
    const ofRuns = `WorkflowType = '${NAMES.workflow}'`;
    const filter = query.trim() === '' ? ofRuns : `${ofRuns} AND (${query})`;
    for await (const info of this.#client.workflow.list({ query: filter })) yield toListing(info);
  }

  /**
   * Runs that wait on people, the newest first, as far as visibility has caught up, each with its calls as a worker
   * tells them. Needs Drover's search attributes in the namespace.
   *
   * @param query a further filter in Temporal's list syntax, such as `DroverWaiting = 'approval'`
   */
  async *waiting(query = ''): AsyncIterableIterator<WaitingRun> {
    const waits = `ExecutionStatus = 'Running' AND ${SEARCH_ATTRIBUTES.waiting.name} IS NOT NULL`;
    for await (const { id } of this.list(query.trim() === '' ? waits : `${waits} AND (${query})`)) {
      const calls = await new RunHandle(this.#client, id).waiting().catch(() => null);
      if (calls === null || calls.length > 0) yield { id, calls };
    }
  }
}

/** Null where the run needs no turn: its thread is its own. */
function turnWish(request: RunRequest, run_id: string, task_queue: string): TakePlaceInput | null {
  const { thread_id, on_busy_thread: policy = 'enqueue' } = request;
  if (typeof thread_id !== 'string' || policy === 'proceed') return null;
  return { thread_id, run_id, policy, task_queue };
}

const textOf = (value: string | undefined): string | null =>
  value === undefined || value === '' ? null : value;

/** Written where a run did not complete; else Temporal's own status says it, once an attempt was made. */
function statusOf({ status, typedSearchAttributes: held }: WorkflowExecutionInfo): string | null {
  const written = textOf(held.get(SEARCH_ATTRIBUTES.status));
  if (written !== null || held.get(SEARCH_ATTRIBUTES.attemptId) === undefined) return written;
  if (status.name === 'RUNNING') return 'in_progress';
  return status.name === 'COMPLETED' ? 'completed' : null;
}

function toListing(info: WorkflowExecutionInfo): RunListing {
  const { typedSearchAttributes: held } = info;
  return {
    id: info.workflowId,
    workflowRunId: info.runId,
    workflowStatus: info.status.name,
    startTime: info.startTime,
    closeTime: info.closeTime ?? null,
    status: statusOf(info),
    assistantId: textOf(held.get(SEARCH_ATTRIBUTES.assistantId)),
    backend: textOf(held.get(SEARCH_ATTRIBUTES.backend)),
    threadId: textOf(held.get(SEARCH_ATTRIBUTES.threadId)),
    attemptId: textOf(held.get(SEARCH_ATTRIBUTES.attemptId)),
  };
}
