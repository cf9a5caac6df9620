/** Turns what a step met into what Temporal and the workflow read. */
import { ApplicationFailure } from '@temporalio/common';
import { BackendError, isBackendError } from '../backends/backend.ts';
import type { Backend } from '../backends/backend.ts';
import { isInvalidRequestError, isRunRefusedError } from '../errors.ts';
import { failureType } from '../failures.ts';
import { SecretSourceError } from '../resolve-run.ts';
import { ACTIVITY_FAILURES, type BackendFailureDetails } from '../steps.ts';

/** The provider's words stand in the details, which a codec encrypts, and not in the message. */
export function backendFailure(
  error: BackendError,
  backend: string,
  options: { readonly suspect: boolean; readonly retry?: boolean; readonly delayMs?: number },
): ApplicationFailure {
  const details: BackendFailureDetails = {
    backend,
    kind: error.kind,
    status: error.status,
    message: error.message,
    suspect: options.suspect,
  };
  const named = [
    error.status === null ? null : `HTTP ${error.status}`,
    error.requestId === null ? null : `request ${error.requestId}`,
  ].filter((part) => part !== null);
  const delay = options.delayMs ?? error.retryAfterMs;
  return ApplicationFailure.create({
    type: ACTIVITY_FAILURES.backend,
    message: `Backend ${backend}: ${error.kind}${named.length > 0 ? ` (${named.join(', ')})` : ''}.`,
    nonRetryable: !(options.retry ?? error.retryable),
    ...(delay === null ? {} : { nextRetryDelay: Math.max(delay, 1_000) }),
    details: [details],
  });
}

/** The same failure, not to be tried again: the run's time is up. */
export function forGood({ type, message, details }: ApplicationFailure): ApplicationFailure {
  return ApplicationFailure.create({
    ...(type == null ? {} : { type }),
    message,
    nonRetryable: true,
    details: details ?? [],
  });
}

/** What {@link resolveRun} throws, for the workflow; anything else passes unchanged and is retried. */
export function resolveFailure(error: unknown): unknown {
  if (error instanceof SecretSourceError) {
    const unsent = new BackendError('unreachable', error.message, { cause: error });
    return backendFailure(unsent, error.backend, { suspect: false });
  }
  if (isInvalidRequestError(error)) {
    return ApplicationFailure.create({
      type: ACTIVITY_FAILURES.invalidRequest,
      message: `The request was refused: ${error.issues
        .map(({ field }) => field)
        .slice(0, 20)
        .join(', ')}.`,
      nonRetryable: true,
      details: [error.issues.slice(0, 200)],
    });
  }
  if (isRunRefusedError(error)) {
    return ApplicationFailure.create({
      type: failureType(error.code),
      message: error.message,
      nonRetryable: true,
    });
  }
  return error;
}

/** Until what was not found is asked for a second time: one 404 is not believed. Milliseconds. */
export const MISSED_DELAY_MS = 2_000;

/** The provider contradicts itself: what a thread lists lives, whatever is said of it under its id. */
export function stillListed(backend: Backend, id: string): BackendError {
  const message = `Backend ${backend.name}: attempt ${id} is not found by its id, but its thread lists it.`;
  return new BackendError('server', message, { status: 404 });
}

/** Adapters throw nothing but BackendError; a bug in one counts as an answer that was lost. */
export function asBackendError(error: unknown): BackendError {
  if (isBackendError(error)) return error;
  return new BackendError(
    'malformed',
    error instanceof Error ? `The adapter threw ${error.name}.` : 'The adapter threw.',
    {
      cause: error,
    },
  );
}
