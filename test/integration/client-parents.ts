/** Workflows that have a run as their child. */
import {
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { executeRun, isRunEndedError, isRunLostError } from '../../src/workflow.ts';
import type { RunRequest, RunResult } from '../../src/workflow.ts';

const options = (taskQueue: string) => ({ id: `${workflowInfo().workflowId}-run`, taskQueue });

export async function waitForRun(request: RunRequest, taskQueue: string): Promise<RunResult> {
  return await executeRun(request, options(taskQueue));
}

export async function catchRun(request: RunRequest, taskQueue: string): Promise<unknown> {
  try {
    return await executeRun(request, options(taskQueue));
  } catch (error) {
    if (isRunEndedError(error)) {
      const { code, name, result } = error;
      return {
        caught: name,
        code,
        status: result.run.status,
        fields: result.issues.map(({ field }) => field),
      };
    }
    if (isRunLostError(error)) return { caught: error.name, code: error.code };
    throw error;
  }
}

export async function runInScope(request: RunRequest, taskQueue: string): Promise<string> {
  const scope = new CancellationScope();
  let stopped = false;
  setHandler(defineSignal('stop'), () => {
    stopped = true;
  });
  const run = scope.run(() => executeRun(request, options(taskQueue)));
  const outcome = run.then(
    () => 'completed',
    (error: unknown) => (isCancellation(error) ? 'scope cancelled' : 'failed'),
  );
  await condition(() => stopped);
  scope.cancel();
  return await outcome;
}

/** Closes while its run goes on. */
export async function leaveRun(request: RunRequest, taskQueue: string): Promise<void> {
  const run = executeRun(request, options(taskQueue));
  run.catch(() => undefined);
  await sleep('1 second');
}
