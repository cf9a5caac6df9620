/** The run object (`object: "thread.run"`): its type, its statuses, and a lenient reader of it. */

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The nine statuses of a run (OpenAPI description, `RunObject.status`). */
export const RUN_STATUSES = [
  'queued',
  'in_progress',
  'requires_action',
  'cancelling',
  'cancelled',
  'failed',
  'completed',
  'incomplete',
  'expired',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** A status as a server sent it: one of the nine, or one that nobody knows yet. */
export type WireStatus = RunStatus | (string & {});

const TERMINAL: ReadonlySet<string> = new Set(['cancelled', 'failed', 'completed', 'incomplete', 'expired']);

/** True for the five statuses that no run leaves. An unknown status is never terminal. */
export function isTerminal(status: WireStatus): boolean {
  return TERMINAL.has(status);
}

export function isKnownStatus(status: string): status is RunStatus {
  return (RUN_STATUSES as readonly string[]).includes(status);
}

export interface FunctionToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A call that waits for its answer: of a function, or, with the server's label, of an MCP server for an approval. */
export interface PendingCall extends FunctionToolCall {
  readonly server_label?: string;
}

export interface RequiredAction {
  readonly type: 'submit_tool_outputs' | (string & {});
  readonly submit_tool_outputs?: { readonly tool_calls: readonly FunctionToolCall[] };
  readonly [extra: string]: unknown;
}

export interface LastError {
  readonly code: 'server_error' | 'rate_limit_exceeded' | 'invalid_prompt' | (string & {});
  readonly message: string;
}

export interface RunUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/**
 * The run object: the 27 properties of the wire, in the wire's snake_case. Times are unix seconds.
 * A property that the server left out is null; properties nobody knows are kept as they came.
 */
export interface RunObject {
  readonly id: string;
  readonly object: 'thread.run';
  readonly created_at: number | null;
  readonly thread_id: string | null;
  readonly assistant_id: string | null;
  readonly status: WireStatus;
  readonly required_action: RequiredAction | null;
  readonly last_error: LastError | null;
  readonly expires_at: number | null;
  readonly started_at: number | null;
  readonly cancelled_at: number | null;
  readonly failed_at: number | null;
  readonly completed_at: number | null;
  readonly incomplete_details: { readonly reason?: string } | null;
  readonly model: string | null;
  readonly instructions: string | null;
  readonly tools: readonly JsonObject[] | null;
  readonly metadata: { readonly [key: string]: string } | null;
  readonly usage: RunUsage | null;
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly max_prompt_tokens: number | null;
  readonly max_completion_tokens: number | null;
  readonly truncation_strategy: Json;
  readonly tool_choice: Json;
  readonly parallel_tool_calls: boolean | null;
  readonly response_format: Json;
  readonly [extra: string]: unknown;
}

/** The 27 properties, in the order of the wire's documentation. */
export const RUN_PROPERTIES = [
  'id',
  'object',
  'created_at',
  'thread_id',
  'assistant_id',
  'status',
  'required_action',
  'last_error',
  'expires_at',
  'started_at',
  'cancelled_at',
  'failed_at',
  'completed_at',
  'incomplete_details',
  'model',
  'instructions',
  'tools',
  'metadata',
  'usage',
  'temperature',
  'top_p',
  'max_prompt_tokens',
  'max_completion_tokens',
  'truncation_strategy',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
] as const satisfies readonly (keyof RunObject)[];

type Raw = Record<string, unknown>;

const isObject = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Longer than any provider's; a longer one would fit into no path, index or heartbeat. */
const ID_CHARS = 512;
const STATUS_CHARS = 64;

const isName = (value: unknown, chars: number): value is string =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= chars &&
  value.isWellFormed() &&
  !/\p{Cc}/u.test(value);

/** True for text that can be an id of a provider's: it goes into paths, messages and the history. */
export const isId = (value: unknown): value is string => isName(value, ID_CHARS);

/** True for text that can be a status, known or not. */
export const isStatus = (value: unknown): value is WireStatus => isName(value, STATUS_CHARS);
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
const json = (value: unknown): Json => (value === undefined ? null : (value as Json));

/** Unix seconds as a whole number; servers also send floats, and 0 where they mean "not yet". */
function time(value: unknown): number | null {
  const seconds = number(value);
  return seconds === null || seconds < 1 ? null : Math.floor(seconds);
}

function readUsage(value: unknown): RunUsage | null {
  if (!isObject(value)) return null;
  const prompt = number(value['prompt_tokens']) ?? 0;
  const completion = number(value['completion_tokens']) ?? 0;
  return {
    ...value,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: number(value['total_tokens']) ?? prompt + completion,
  };
}

function readLastError(value: unknown): LastError | null {
  if (typeof value === 'string' && value !== '') return { code: 'server_error', message: value };
  if (!isObject(value) || Object.keys(value).length === 0) return null;
  return {
    ...value,
    code: text(value['code']) ?? 'server_error',
    message: text(value['message']) ?? '',
  };
}

function readRequiredAction(value: unknown): RequiredAction | null {
  if (!isObject(value) || Object.keys(value).length === 0) return null;
  return { ...value, type: text(value['type']) ?? 'submit_tool_outputs' };
}

function readMetadata(value: unknown): { [key: string]: string } | null {
  if (!isObject(value)) return null;
  // Not by `String`: an object may have no way to become a text.
  const said = (held: unknown): string => (typeof held === 'string' ? held : JSON.stringify(held));
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, said(held)]));
}

/**
 * Reads a run as any server of this wire sends it. Missing is null, unknown fields and statuses are
 * kept, and the status is never inferred from a timestamp.
 *
 * @returns null where the value is no run at all: no object, or no `id` or `status` in it that could be one.
 */
export function readRun(value: unknown): RunObject | null {
  if (!isObject(value)) return null;
  const { id, status } = value;
  if (!isId(id) || !isStatus(status)) return null;
  const details = value['incomplete_details'];
  return {
    ...value,
    id,
    object: 'thread.run',
    created_at: time(value['created_at']),
    thread_id: text(value['thread_id']),
    assistant_id: text(value['assistant_id']),
    status,
    required_action: readRequiredAction(value['required_action']),
    last_error: readLastError(value['last_error']),
    expires_at: time(value['expires_at']),
    started_at: time(value['started_at']),
    cancelled_at: time(value['cancelled_at']),
    failed_at: time(value['failed_at']),
    completed_at: time(value['completed_at']),
    incomplete_details: isObject(details) ? details : null,
    model: text(value['model']),
    instructions: text(value['instructions']),
    tools: Array.isArray(value['tools']) ? (value['tools'].filter(isObject) as JsonObject[]) : null,
    metadata: readMetadata(value['metadata']),
    usage: readUsage(value['usage']),
    temperature: number(value['temperature']),
    top_p: number(value['top_p']),
    max_prompt_tokens: number(value['max_prompt_tokens']),
    max_completion_tokens: number(value['max_completion_tokens']),
    truncation_strategy: json(value['truncation_strategy']),
    tool_choice: json(value['tool_choice']),
    parallel_tool_calls:
      typeof value['parallel_tool_calls'] === 'boolean' ? value['parallel_tool_calls'] : null,
    response_format: json(value['response_format']),
  };
}

/** The function calls that a run waits for; empty where it waits for none that it can name. */
export function pendingCalls(run: RunObject): readonly FunctionToolCall[] {
  const calls: unknown = run.required_action?.submit_tool_outputs?.tool_calls;
  if (run.status !== 'requires_action' || !Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown) => {
    if (!isObject(call) || !isId(call['id']) || !isObject(call['function'])) return [];
    const { name, arguments: given } = call['function'];
    const args = typeof given === 'string' ? given : JSON.stringify(given ?? {});
    return [
      { id: call['id'], type: 'function' as const, function: { name: text(name) ?? '', arguments: args } },
    ];
  });
}

export type IncompleteReason = 'max_completion_tokens' | 'max_prompt_tokens' | 'content_filter' | 'other';

/** Calls of MCP servers that wait for an approval, in the shape that Azure's agents gave them. */
export function pendingApprovals(run: RunObject): readonly PendingCall[] {
  const action: unknown = run.required_action;
  const asked = isObject(action) ? action['submit_tool_approval'] : null;
  const calls = isObject(asked) ? asked['tool_calls'] : null;
  if (run.status !== 'requires_action' || !Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown) => {
    if (!isObject(call) || !isId(call['id'])) return [];
    const given = call['arguments'];
    const args = typeof given === 'string' ? given : JSON.stringify(given ?? {});
    return [
      {
        id: call['id'],
        type: 'function' as const,
        function: { name: text(call['name']) ?? '', arguments: args },
        server_label: text(call['server_label']) ?? '',
      },
    ];
  });
}

/** Why a run is incomplete, in Drover's words: servers also say `length` or `max_output_tokens`. */
export function incompleteReason(run: RunObject): IncompleteReason {
  switch (run.incomplete_details?.reason) {
    case 'max_completion_tokens':
    case 'max_output_tokens':
    case 'max_tokens':
    case 'length':
      return 'max_completion_tokens';
    case 'max_prompt_tokens':
      return 'max_prompt_tokens';
    case 'content_filter':
      return 'content_filter';
    default:
      return 'other';
  }
}
