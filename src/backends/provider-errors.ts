/**
 * The one place that reads a provider's errors: statuses, codes and, where codes are missing, wording.
 * The wordings were captured from real servers; the tests hold each of them.
 */
import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  OpenAIError,
} from 'openai';
import type { AttemptReason } from '../contract.ts';
import type { LastError } from '../run.ts';
import { STOPPED_CODE } from './act-guard.ts';
import { BackendError, isBackendError } from './backend.ts';
import type { BackendErrorKind } from './backend.ts';
import { isRecord, looksLikeMarkup, readErrorBody } from './error-body.ts';
import type { Said } from './error-body.ts';
import { redact, shortCode } from './redact.ts';
import { retryAfterMs, waitInText } from './retry-wish.ts';

/** Codes that Drover gives where the provider gave none. They stand in {@link BackendError.code}. */
export const ERROR_CODES = {
  /** A 404 that no run API wrote: nothing of this wire is served at the base URL. */
  apiGone: 'api_gone',
  /** The function that gives the API key failed: nothing was sent. */
  credentials: 'credentials_unavailable',
  /** A call was left without an output. */
  outputMissing: 'tool_output_missing',
  /** An output names a call that nobody waits for. */
  outputSurplus: 'tool_output_surplus',
  /** Not signed by the provider, too old, or no event. */
  webhookRefused: 'webhook_refused',
} as const;

export interface ErrorContext {
  /** The backend's name in the configuration. */
  readonly backend: string;
  /** What was tried, with ids: "creating a run on thread thread_1". */
  readonly what: string;
  /** Values that must not show: the keys in use. */
  readonly secrets?: readonly string[];
}

interface Reading {
  readonly kind: BackendErrorKind;
  /** Stands in for a missing code. */
  readonly code?: string;
}

interface Wording extends Reading {
  readonly test: RegExp;
}

/** Read in order, against code, type and message together; for answers of 400 to 499 except 401, 403 and 429. */
const WORDINGS: readonly Wording[] = [
  {
    test: /content[_ ]filter|content management policy|content[_ ]policy[_ ]violation|ResponsibleAIPolicy|moderation_blocked|flagged as potentially violating/i,
    kind: 'content_filter',
  },
  { test: /already has an active run/i, kind: 'active_run' },
  { test: /conversation_locked|another process is currently operating/i, kind: 'thread_busy' },
  { test: /can'?t add messages to .* while a run/is, kind: 'thread_busy' },
  { test: /do(?:es)? not accept tool outputs/i, kind: 'wrong_status' },
  { test: /cannot cancel (?:a )?(?:run|response|synchronous|background)/i, kind: 'wrong_status' },
  {
    test: /expected tool outputs? for call_?ids?|no tool output found for/i,
    kind: 'rejected',
    code: ERROR_CODES.outputMissing,
  },
  {
    test: /no tool call found for|(?:unknown|unexpected|invalid) tool_?call_?id/i,
    kind: 'rejected',
    code: ERROR_CODES.outputSurplus,
  },
  { test: /no assistant found|invalid '(?:assistant|agent)(?:_id)?'/i, kind: 'unknown_assistant' },
  {
    test: /no (?:thread|conversation) found|invalid '(?:thread|conversation)(?:_id)?'/i,
    kind: 'unknown_thread',
  },
  { test: /\b(?:assistant|agent)\b[^.]*\b(?:not found|does not exist)/i, kind: 'unknown_assistant' },
  { test: /previous_response_not_found|\b(?:run|response)\b[^.]*\bnot found/i, kind: 'not_found' },
  { test: /\b(?:thread|conversation)\b[^.]*\b(?:not found|does not exist)/i, kind: 'unknown_thread' },
  { test: /no (?:run|response) found/i, kind: 'not_found' },
];

const ACTIVE_RUN = /already has an active run ([\w-]{1,512})/i;
const QUOTA_CODES: ReadonlySet<string> = new Set([
  'insufficient_quota',
  'billing_not_active',
  'billing_hard_limit_reached',
  'credit_balance_exhausted',
  'usage_limit_exceeded',
]);
const QUOTA = /exceeded your current quota|insufficient[_ ]quota|billing hard limit/i;
/** These words stand in rate limits too: they count only where nobody says when to come back. */
const MAYBE_QUOTA = /\bquota\b|\bbilling\b|\bcredits?\b|spend(?:ing)? limit/i;

const isQuota = (code: string | null, text: string, waitMs: number | null): boolean =>
  (code !== null && QUOTA_CODES.has(code)) || QUOTA.test(text) || (waitMs === null && MAYBE_QUOTA.test(text));

/** Why a failed run failed, and how long its provider asked to wait. */
export interface FailedReading {
  readonly reason: Extract<
    AttemptReason,
    'rate_limit_exceeded' | 'quota_exceeded' | 'server_error' | 'invalid_prompt' | 'content_filter' | 'failed'
  >;
  readonly retry_after_ms: number | null;
}

/**
 * Reads `last_error` of a failed run. An empty quota comes as `rate_limit_exceeded` on this wire and is told
 * by its wording; a code that is none of the run object's three is `failed`.
 */
export function readLastFailure(error: LastError | null): FailedReading {
  const [code, message] = [error?.code ?? '', error?.message ?? ''];
  const wait = waitInText(message);
  if (/content_filter|content management policy|ResponsibleAI/i.test(`${code} ${message}`)) {
    return { reason: 'content_filter', retry_after_ms: null };
  }
  if (QUOTA_CODES.has(code) || QUOTA.test(message)) return { reason: 'quota_exceeded', retry_after_ms: null };
  switch (code) {
    case 'rate_limit_exceeded':
    case 'too_many_requests':
      return isQuota(code, message, wait)
        ? { reason: 'quota_exceeded', retry_after_ms: null }
        : { reason: 'rate_limit_exceeded', retry_after_ms: wait };
    case 'server_error':
    case 'internal_error':
    case 'server_overloaded':
      return { reason: 'server_error', retry_after_ms: wait };
    case 'invalid_prompt':
      return { reason: 'invalid_prompt', retry_after_ms: null };
    default:
      return { reason: 'failed', retry_after_ms: null };
  }
}

function classify(status: number, said: Said, waitMs: number | null): Reading {
  const text = [said.code, said.type, said.message].filter(Boolean).join(' ');
  if (status >= 500) return { kind: 'server' };
  if (status === 429) return { kind: isQuota(said.code, text, waitMs) ? 'quota' : 'rate_limit' };
  if (status === 402) return { kind: 'quota' };
  if (status === 401 && said.code === 'invalid_beta') return { kind: 'rejected' };
  if (status === 401 || status === 407) return { kind: 'auth' };
  if (status < 400) return { kind: 'malformed' };
  const markup = looksLikeMarkup(said.message);
  const known = markup ? undefined : WORDINGS.find((wording) => wording.test.test(text));
  if (known) return known;
  if (status === 403) return { kind: 'auth' };
  if (said.code !== null && QUOTA_CODES.has(said.code)) return { kind: 'quota' };
  switch (status) {
    case 404:
      return said.json ? { kind: 'not_found' } : { kind: 'rejected', code: ERROR_CODES.apiGone };
    case 408:
      return { kind: 'timeout' };
    case 409:
    case 423:
      return { kind: 'thread_busy' };
    case 425:
      return { kind: 'server' };
    default:
      return { kind: 'rejected' };
  }
}

/** Drover's own words for an answer whose body says less than they do. */
function explain(status: number, kind: BackendErrorKind, code: string | null): string | null {
  if (status >= 300 && status < 400)
    return 'it points to another address, and redirects are not followed; set `baseURL` to where the API lives';
  if (code === ERROR_CODES.apiGone)
    return 'nothing of this API is served under the base URL; check it, or whether the provider has switched the API off';
  return kind === 'content_filter' ? "the provider's content filter refused it" : null;
}

const describe = (said: Said): string => {
  if (looksLikeMarkup(said.message)) return 'the body is a web page';
  return said.message === '' ? 'the body says nothing' : said.message;
};

/** What Node says where no connection was made, so that nothing can have acted. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  STOPPED_CODE,
]);

/** Codes of Node's network errors are in the cause, at any depth. */
function networkCode(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code)) return code;
  }
  return null;
}

const isAbort = (error: unknown): boolean =>
  error instanceof APIUserAbortError || (error instanceof Error && error.name === 'AbortError');
/** The client says so in words only, when its `apiKey` function throws. */
const isKeyFailure = (error: unknown): boolean =>
  error instanceof OpenAIError && !(error instanceof APIError) && /apiKey/i.test(error.message);
/** A body that breaks off is a bare TypeError of `fetch`. */
const isBodyCut = (error: unknown): boolean =>
  error instanceof TypeError &&
  (networkCode(error) !== null || /terminated|fetch failed|socket/i.test(error.message));

/**
 * Turns whatever the `openai` client threw into the one vocabulary. A {@link BackendError} passes unchanged.
 *
 * The message says what was tried, at which backend, and what the provider said of it: redacted and bounded,
 * see {@link redact}. The original error is not kept as `cause`: it holds the unredacted text and headers, and
 * Temporal would write both into its history.
 */
export function toBackendError(error: unknown, context: ErrorContext): BackendError {
  if (isBackendError(error)) return error;
  const tried = `Backend ${context.backend}: ${context.what}`;
  const network = networkCode(error);
  const by = network === null ? '' : ` (${network})`;
  if (isAbort(error)) return new BackendError('aborted', `${tried} was stopped.`);
  if (
    error instanceof APIConnectionTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  ) {
    return new BackendError('timeout', `${tried} got no answer in time.`, { code: network });
  }
  if (isKeyFailure(error)) {
    return new BackendError('unreachable', `${tried} was not sent: the API key could not be fetched.`, {
      code: ERROR_CODES.credentials,
    });
  }
  if (network !== null && NEVER_SENT.has(network)) {
    return new BackendError('unreachable', `${tried} could not connect${by}.`, { code: network });
  }
  if (error instanceof APIConnectionError || isBodyCut(error)) {
    return new BackendError('connection', `${tried} lost its connection${by}.`, { code: network });
  }
  if (error instanceof APIError && typeof error.status === 'number')
    return fromAnswer(error, tried, context, error.status);
  if (error instanceof APIError && isRecord(error.error))
    return fromAnswer(error, tried, context, statusOfEvent(error));
  return malformedAnswer(
    context,
    error instanceof SyntaxError ? 'the body is no JSON' : 'it could not be read',
  );
}

/** An error that came as an event of a stream has no status: the one that the same words would have as an answer. */
function statusOfEvent({ code, type, message }: APIError): number {
  const said = [code, type, message].join(' ');
  if (/rate_limit|quota|too_many_requests|billing/i.test(said)) return 429;
  return /invalid|not_found|content_filter|policy|unsupported/i.test(said) ? 400 : 500;
}

function fromAnswer(error: APIError, tried: string, context: ErrorContext, status: number): BackendError {
  const said = readErrorBody(error);
  const wait = retryAfterMs(error.headers) ?? waitInText(said.message);
  const { kind, code = null } = classify(status, said, wait);
  const words = explain(status, kind, code) ?? redact(describe(said), context.secrets);
  const named = said.code === null ? '' : ` ${redact(said.code, context.secrets)}`;
  return new BackendError(kind, `${tried} failed with HTTP ${status}${named}: ${words}`, {
    status,
    code: said.code === null ? code : redact(said.code, context.secrets),
    requestId: error.requestID == null ? null : shortCode(error.requestID),
    retryAfterMs: wait,
    activeRunId: kind === 'active_run' ? (ACTIVE_RUN.exec(said.message)?.[1] ?? null) : null,
  });
}

/**
 * For an answer of 2xx that is not of this wire: a web page, nothing, half a document, another object.
 *
 * @param why in own words; never a piece of the body.
 */
export function malformedAnswer(
  context: ErrorContext,
  why: string,
  options: { readonly requestId?: string | null } = {},
): BackendError {
  return new BackendError(
    'malformed',
    `Backend ${context.backend}: ${context.what} got an answer that is not of this API: ${why}.`,
    options,
  );
}

/** What a body is, in words that quote nothing of it. */
export function nameBody(body: unknown): string {
  if (body === undefined || body === null || body === '') return 'the body is empty';
  if (typeof body === 'string')
    return looksLikeMarkup(body) ? 'the body is a web page' : 'the body is no JSON';
  if (Array.isArray(body)) return 'the body is a list';
  return isRecord(body) ? 'the body is another object' : 'the body is no object';
}
