/** Every way a run can end other than completed: one table, mirrored by `docs/errors.md`. */
import type { RunStatus } from './run.ts';

export interface FailureKind {
  /** The run object's status for this end; it stays one of the nine. */
  readonly status: RunStatus;
  /** An outcome and not a fault: Temporal logs and counts it as benign, nobody is paged. */
  readonly benign: boolean;
  /** Starting the same request again may end otherwise. */
  readonly retryable: boolean;
  /** What happened; ids follow it in the message. */
  readonly message: string;
  /** What to do about it. */
  readonly action: string;
}

const kind = (
  status: RunStatus,
  traits: { benign?: true; retryable?: true },
  message: string,
  action: string,
): FailureKind => ({
  status,
  benign: traits.benign ?? false,
  retryable: traits.retryable ?? false,
  message,
  action,
});

export const FAILURES = {
  invalid_request: kind(
    'failed',
    {},
    'The request was refused before anything was created',
    'Mend every field that the issues name.',
  ),
  unknown_backend: kind(
    'failed',
    {},
    'The request names a backend that this worker does not have',
    'Add it to `backends` in the configuration of every worker of this task queue, or name another.',
  ),
  unknown_assistant: kind(
    'failed',
    {},
    'Neither the configuration nor the provider knows this assistant',
    'Check `assistant_id`; on the Responses wire it names an entry of `assistants` in the configuration.',
  ),
  unknown_thread: kind(
    'failed',
    {},
    'The provider does not know this thread',
    'Check `thread_id`, and that it belongs to this backend.',
  ),
  backend_auth: kind(
    'failed',
    {},
    'The provider refused the credentials',
    "Check the backend's key and its permissions with `drover doctor`.",
  ),
  backend_rejected: kind(
    'failed',
    {},
    'The provider refused the request',
    "Read the provider's message in the details; the request has to change.",
  ),
  backend_unavailable: kind(
    'failed',
    { retryable: true },
    'The provider could not be reached until the deadline',
    "Check the provider's state and the network, then start the run again.",
  ),
  quota_exceeded: kind(
    'failed',
    { retryable: true },
    "The provider's quota is empty",
    'Add credit or raise the quota, then start the run again.',
  ),
  thread_busy: kind(
    'failed',
    { retryable: true },
    'Another run has the thread',
    'Wait for that run or cancel it, then start this one again.',
  ),
  expired: kind(
    'expired',
    { benign: true, retryable: true },
    'The attempt expired and was not to be tried again',
    'Allow more attempts, or make the tools faster.',
  ),
  attempt_gone: kind(
    'failed',
    { retryable: true },
    'The attempt vanished at the provider and was not to be tried again',
    'Allow another attempt, or check what deletes runs at the provider.',
  ),
  attempts_exhausted: kind(
    'failed',
    { retryable: true },
    'No attempt was left',
    'Read why each attempt ended; raise `retry.attempts` only if those reasons will pass.',
  ),
  token_budget: kind(
    'incomplete',
    { benign: true },
    'The run used up its token budget',
    'Raise the budget, or `retry.budget_ceiling_tokens`.',
  ),
  content_filter: kind(
    'incomplete',
    { benign: true },
    'The provider filtered the content',
    'Change the input; the same one will be filtered again.',
  ),
  incomplete: kind(
    'incomplete',
    { benign: true },
    'The provider ended the run incomplete',
    'Read `incomplete_details` in the run.',
  ),
  rate_limit_exceeded: kind(
    'failed',
    { retryable: true },
    "The provider's rate limit ended the run",
    'Start fewer runs at once, or raise the limit.',
  ),
  server_error: kind(
    'failed',
    { retryable: true },
    'The provider failed',
    'Start the run again; ask the provider if it goes on.',
  ),
  invalid_prompt: kind(
    'failed',
    {},
    'The provider refused the prompt',
    'Change the input; the same one will be refused again.',
  ),
  invalid_output: kind(
    'failed',
    { retryable: true },
    'The answer does not fit the response format, and was not to be asked for again',
    'Read `output_text`; simplify the schema, say `strict`, or allow more attempts.',
  ),
  run_failed: kind(
    'failed',
    {},
    'The provider ended the run with an error of its own',
    'Read `last_error` in the run.',
  ),
  cancelled: kind('cancelled', { benign: true }, 'The run was cancelled', 'Nothing: somebody asked for it.'),
  cancelled_elsewhere: kind(
    'cancelled',
    { benign: true },
    'Somebody cancelled the attempt at the provider',
    'Find out who: Drover did not.',
  ),
  deadline_exceeded: kind(
    'expired',
    { benign: true, retryable: true },
    'The run reached its deadline',
    'Raise `limits.deadline_seconds`, or find what was slow in the attempts.',
  ),
  rounds_exceeded: kind(
    'incomplete',
    { benign: true },
    'The model asked for more rounds of tool calls than the run allows',
    'Raise `limits.rounds`, or look why the model goes in circles.',
  ),
  token_limit: kind(
    'incomplete',
    { benign: true },
    'The run has spent the tokens that it may',
    'Raise `limits.tokens`, or the ceiling of the configuration; `drover retry` goes on from there.',
  ),
  cost_limit: kind(
    'incomplete',
    { benign: true },
    'The run has cost what it may, or its cost cannot be told',
    'Raise `limits.cost`, or the ceiling of the configuration; look for a model that `price` does not know.',
  ),
  unknown_status: kind(
    'failed',
    {},
    'The provider kept the attempt in a status that nobody knows until the deadline',
    'Update Drover, or ask the provider what the status means.',
  ),
  unsupported_action: kind(
    'failed',
    {},
    'The attempt waits for something that Drover cannot give',
    'Take the tool that asks for it off the run.',
  ),
  effect_unknown: kind(
    'failed',
    {},
    'It is not known whether a tool with a once-only effect acted',
    'Find out by the idempotency key of the call, then settle it by hand.',
  ),
  undecided: kind(
    'incomplete',
    { benign: true },
    'Nobody decided on a tool call in time',
    'Start it again with somebody to decide, or allow more time by the `decision` of the tool.',
  ),
  result_too_large: kind(
    'failed',
    {},
    'What has to be kept of the run does not fit through Temporal',
    'Use fewer or smaller tool outputs, or refer to them by id.',
  ),
  internal: kind(
    'failed',
    { retryable: true },
    'Drover met a state that it did not expect',
    "Report it with the workflow's history.",
  ),
} as const satisfies Record<string, FailureKind>;

export type EndCode = keyof typeof FAILURES;

export function isEndCode(value: unknown): value is EndCode {
  return typeof value === 'string' && Object.hasOwn(FAILURES, value);
}

/** The type of the workflow's failure in Temporal: `drover.` and the code. */
export const failureType = (code: EndCode): string => `drover.${code}`;

/** The code in a failure's type, or null where the failure is none of Drover's. */
export function codeOfType(type: string | null | undefined): EndCode | null {
  const code = type?.startsWith('drover.') ? type.slice('drover.'.length) : undefined;
  return isEndCode(code) ? code : null;
}

/** One sentence of what happened, the ids in brackets, one of what to do. Holds no prompt, argument or output. */
export function failureMessage(
  code: EndCode,
  ids: Readonly<Record<string, string | number | null | undefined>>,
): string {
  const { message, action } = FAILURES[code];
  const named = Object.entries(ids).flatMap(([name, id]) =>
    id === null || id === undefined ? [] : [`${name} ${id}`],
  );
  return `${message}${named.length > 0 ? ` (${named.join(', ')})` : ''}. ${action}`;
}
