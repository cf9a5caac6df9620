/** The one error of every adapter, and what its kinds mean for trying again. */

export type BackendErrorKind =
  | 'auth'
  /** The account's quota is empty: waiting does not help. */
  | 'quota'
  | 'rate_limit'
  /** The thread or conversation works for somebody else. */
  | 'thread_busy'
  /** The thread has an active run whose id the error names (`activeRunId`). */
  | 'active_run'
  | 'not_found'
  | 'unknown_assistant'
  | 'unknown_thread'
  /** The attempt is not in a status that takes outputs or a cancel. */
  | 'wrong_status'
  | 'content_filter'
  | 'rejected'
  | 'server'
  /** It was never sent: no connection could be made, or no key be had. */
  | 'unreachable'
  /** No answer came: the request may have acted. */
  | 'connection'
  | 'timeout'
  /** An answer came that is not of this wire. It may have acted. */
  | 'malformed'
  | 'aborted';

export interface BackendErrorOptions {
  readonly status?: number | null;
  readonly code?: string | null;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | null;
  readonly activeRunId?: string | null;
  readonly cause?: unknown;
}

const RETRYABLE: ReadonlySet<BackendErrorKind> = new Set([
  'rate_limit',
  'thread_busy',
  'active_run',
  'server',
  'unreachable',
  'connection',
  'timeout',
  'malformed',
]);
/** Refusals of a cancel that do not tell whether the attempt lives: it may have ended, in words that are not known. */
const UNCLEAR_CANCEL: ReadonlySet<BackendErrorKind> = new Set([
  'wrong_status',
  'rejected',
  'thread_busy',
  'active_run',
]);
const LOST: ReadonlySet<BackendErrorKind> = new Set([
  'connection',
  'timeout',
  'malformed',
  'server',
  'aborted',
]);

/** The one error of every adapter. Its message is redacted: no key, no prompt. */
export class BackendError extends Error {
  readonly kind: BackendErrorKind;
  readonly status: number | null;
  readonly code: string | null;
  readonly requestId: string | null;
  /** How long the provider asked to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
  readonly activeRunId: string | null;

  constructor(kind: BackendErrorKind, message: string, options: BackendErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'BackendError';
    this.kind = kind;
    this.status = options.status ?? null;
    this.code = options.code ?? null;
    this.requestId = options.requestId ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.activeRunId = options.activeRunId ?? null;
  }

  /** The same request may work later. */
  get retryable(): boolean {
    return RETRYABLE.has(this.kind);
  }

  /** The request may have acted although it failed here. */
  get answerLost(): boolean {
    return LOST.has(this.kind);
  }

  /** The provider does not know what was asked for, or the thread that it was on: nothing lives there. */
  get gone(): boolean {
    return this.kind === 'not_found' || (this.kind === 'unknown_thread' && this.status === 404);
  }

  /** What a cancel has done that failed by this, only a look tells. A server without that route says 404, too. */
  get cancelUnclear(): boolean {
    return this.answerLost || this.gone || UNCLEAR_CANCEL.has(this.kind);
  }
}

export function isBackendError(error: unknown): error is BackendError {
  return error instanceof Error && error.name === 'BackendError';
}

/** Null where the provider no longer knows what is asked for. */
export async function unlessGone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isBackendError(error) && error.gone) return null;
    throw error;
  }
}
