/** Reads what a run that ended badly leaves to another try. */
import { isGrpcServiceError, type Client } from '@temporalio/client';
import { digestOf, readInput } from './client-attach.ts';
import { QUERY_MS } from './client-handle.ts';
import { isMissing, isNeverBegun } from './client-missing.ts';
import { NAMES } from './contract.ts';
import type { RetryPolicy, RunLimits, RunRequest } from './contract.ts';
import { InvalidRequestError, RunNotFoundError, RunNotRetryableError } from './errors.ts';
import { checkRunRequest } from './request.ts';

export interface RetryOptions {
  /** In the place of the request's own, field by field: the limit that ended the run, say. */
  readonly limits?: RunLimits;
  readonly retry?: RetryPolicy;
  /** @default the client's */
  readonly taskQueue?: string;
}

export interface RetryPlan {
  readonly request: RunRequest;
  /** What the new execution begins with: opaque, a worker's own. */
  readonly seed: unknown;
  /** Of the request that the run was started with first, so that its service still attaches. */
  readonly digest: string | null;
}

/** gRPC's code of an input that the server does not take. */
const INVALID_ARGUMENT = 3;

/** Whether a start was refused for its size: a codec may make more of request and seed than the worker counted with. */
export function isTooLarge(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : null;
  if (!isGrpcServiceError(cause)) return false;
  const code: number = cause.code;
  return code === INVALID_ARGUMENT && cause.details.includes('size exceeds limit');
}

/**
 * @throws RunNotFoundError, RunNotRetryableError, InvalidRequestError where the options do not fit; Temporal's errors
 *   where no worker answers
 */
export async function planRetry(client: Client, id: string, options: RetryOptions): Promise<RetryPlan> {
  const latest = client.workflow.getHandle(id);
  const held = await latest.describe().catch((error: unknown) => {
    throw isMissing(error) ? new RunNotFoundError(id, error) : error;
  });
  if (held.type !== NAMES.workflow) throw new RunNotFoundError(id);
  if (held.status.name === 'RUNNING') throw new RunNotRetryableError(id, 'run_active');
  const execution = client.workflow.getHandle(id, held.runId);
  const seed = await client
    .withDeadline(Date.now() + QUERY_MS, () =>
      execution.query<{ readonly completed?: boolean; readonly too_large?: boolean } | null>(
        NAMES.queries.seed,
      ),
    )
    .catch((error: unknown) => {
      throw isNeverBegun(error) ? new RunNotRetryableError(id, 'run_lost') : error;
    });
  if (seed === null) throw new RunNotRetryableError(id, 'run_lost');
  if (seed.completed === true) throw new RunNotRetryableError(id, 'run_completed');
  if (seed.too_large === true) throw new RunNotRetryableError(id, 'run_too_large');
  const given = (await readInput(client, id, held.runId)) as RunRequest;
  const { limits, retry } = options;
  const checked = checkRunRequest({
    ...given,
    ...(limits === undefined ? {} : { limits: { ...given.limits, ...limits } }),
    ...(retry === undefined ? {} : { retry: { ...given.retry, ...retry } }),
  });
  if (checked.request === undefined) throw new InvalidRequestError(checked.issues);
  return { request: checked.request, seed, digest: await digestOf(client, id, held.runId, held.memo) };
}
