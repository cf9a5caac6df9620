/** The door for workflow code: a run as a child workflow. Loads nothing but Temporal's workflow library. */
import { ApplicationFailureCategory } from '@temporalio/common';
import type { Priority } from '@temporalio/common';
import {
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  executeChild,
  uuid4,
} from '@temporalio/workflow';
import { readFailure, readResult } from './client-outcome.ts';
import { staticDetails, staticSummary } from './client-summary.ts';
import { DEFAULTS, NAMES } from './contract.ts';
import type { RunRequest, RunResult } from './contract.ts';
import { endMessage, lostMessage } from './errors.ts';
import type { LostCode, RunEnded, RunLost } from './errors.ts';
import { FAILURES, failureType } from './failures.ts';
import type { EndCode } from './failures.ts';

export { isRunEndedError, isRunLostError } from './errors.ts';
export type { LostCode, RunEnded, RunLost } from './errors.ts';
export type { RunRequest, RunResult } from './contract.ts';
export type { EndCode } from './failures.ts';

export interface ExecuteRunOptions {
  /**
   * The run's id. Taken already: the child does not start, and `WorkflowExecutionAlreadyStartedError` is thrown.
   * @default a random one that replay repeats
   */
  readonly id?: string;
  /** Where Drover's workers listen. @default 'drover' */
  readonly taskQueue?: string;
  /** Temporal's priority and fairness. @default the parent's */
  readonly priority?: Priority;
}

/**
 * The `RunEndedError` of workflow code: a failure of Temporal, so that a workflow that does not catch it
 * fails by it instead of repeating its task for ever. It has no cause: the child's failure carries the
 * result too, and twice the result does not fit into one event.
 */
class RunEndedFailure extends ApplicationFailure implements RunEnded {
  readonly code: EndCode;
  readonly runId: string;
  readonly result: RunResult;

  constructor(runId: string, code: EndCode, result: RunResult) {
    const category = FAILURES[code].benign ? ApplicationFailureCategory.BENIGN : undefined;
    super(endMessage(runId, code, result), failureType(code), true, [result], undefined, undefined, category);
    Object.defineProperty(this, 'name', { value: 'RunEndedError' });
    this.code = code;
    this.runId = runId;
    this.result = result;
  }
}

/** The `RunLostError` of workflow code. */
class RunLostFailure extends ApplicationFailure implements RunLost {
  readonly code: LostCode;
  readonly runId: string;

  constructor(runId: string, code: LostCode, cause: Error) {
    super(lostMessage(runId, code), `drover.run_${code}`, true, undefined, cause);
    Object.defineProperty(this, 'name', { value: 'RunLostError' });
    this.code = code;
    this.runId = runId;
  }
}

function toError(runId: string, failure: ChildWorkflowFailure): Error {
  const ending = readFailure(failure.cause);
  switch (ending.kind) {
    case 'result':
      return ending.result.code === null
        ? new RunLostFailure(runId, 'no_result', failure)
        : new RunEndedFailure(runId, ending.result.code, ending.result);
    case 'cancelled':
      // Ours is passed on as it is, so that the parent ends Canceled.
      return CancellationScope.current().consideredCancelled
        ? failure
        : new RunLostFailure(runId, 'cancelled', failure);
    case 'lost':
      return new RunLostFailure(runId, ending.code, failure);
  }
}

/**
 * Drives a run as a child of this workflow, and gives its result once it has ended.
 *
 * A cancellation of the surrounding scope is passed to the run and waited for, so that its attempt has
 * ended at the provider when this rejects. A parent that closes without waiting has the run cancelled,
 * not terminated: a terminated run would leave its attempt alive.
 *
 * The request is checked by the worker that drives it: a mistake ends the run with the code
 * `invalid_request` and the issues in its result.
 *
 * @returns the result of a completed run; with `on_unfinished: 'return'` that of any run that ended by itself
 * @throws RunEndedError (see {@link isRunEndedError}) with `code` and `result`, for a run that did not complete
 * @throws RunLostError (see {@link isRunLostError}) for a run that somebody else cancelled or terminated
 * @throws ChildWorkflowFailure caused by a CancelledFailure, where this scope was cancelled
 */
export async function executeRun(request: RunRequest, options: ExecuteRunOptions = {}): Promise<RunResult> {
  const id = options.id ?? `run-${uuid4()}`;
  let value: unknown;
  try {
    value = await executeChild(NAMES.workflow, {
      workflowId: id,
      taskQueue: options.taskQueue ?? NAMES.taskQueue,
      args: [request],
      workflowTaskTimeout: DEFAULTS.workflowTaskSeconds * 1000,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: 'REQUEST_CANCEL',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      ...(typeof request === 'object' && request !== null
        ? { staticSummary: staticSummary(request), staticDetails: staticDetails(request) }
        : {}),
      ...(options.priority === undefined ? {} : { priority: options.priority }),
    });
  } catch (error) {
    throw error instanceof ChildWorkflowFailure ? toError(id, error) : error;
  }
  const result = readResult(value);
  if (result !== null) return result;
  throw ApplicationFailure.nonRetryable(lostMessage(id, 'no_result'), 'drover.run_no_result');
}
