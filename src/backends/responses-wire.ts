/** One response as any server of this wire sends it, read leniently. Pure. */
import { isId, isStatus } from '../run.ts';
import type { Json, JsonObject, RunUsage, WireStatus } from '../run.ts';

/** Tokens of one response or of a chain of them, with the two details that the run object has no place for. */
export interface ChainUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly cached_tokens: number;
  readonly reasoning_tokens: number;
}

/** A response with its odd shapes straightened; `raw` is what came. */
export interface WireResponse {
  readonly id: string;
  readonly status: WireStatus;
  readonly created_at: number | null;
  readonly completed_at: number | null;
  readonly error: { readonly code: string | null; readonly message: string } | null;
  readonly incomplete_reason: string | null;
  /** A content filter stopped it, whichever of the three places says so. */
  readonly filtered: boolean;
  readonly output: readonly JsonObject[];
  readonly usage: ChainUsage | null;
  readonly conversation: string | null;
  readonly raw: JsonObject;
}

/** True for a JSON object, not for a list. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** A text with something in it, or null. */
export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;
/** An id, or null. */
export const idOf = (value: unknown): string | null => (isId(value) ? value : null);
/** A finite number, or null. */
export const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;
/** The objects of a list; empty where it is none. */
export const objectsOf = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** Codes of a `failed` response, or of an HTTP error, by which a content filter speaks. */
const FILTER_CODE = /^content_filter|content_policy_violation|responsibleaipolicy|^moderation_blocked/i;

/** Unix seconds, whole; 0 and less mean "not yet". */
function timeOf(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds === null || seconds <= 0 ? null : Math.floor(seconds);
}

function readUsage(value: unknown): ChainUsage | null {
  if (!isObject(value)) return null;
  const prompt = numberOf(value['input_tokens']) ?? numberOf(value['prompt_tokens']) ?? 0;
  const completion = numberOf(value['output_tokens']) ?? numberOf(value['completion_tokens']) ?? 0;
  const [input, output] = [value['input_tokens_details'], value['output_tokens_details']];
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: numberOf(value['total_tokens']) ?? prompt + completion,
    cached_tokens: (isObject(input) ? numberOf(input['cached_tokens']) : null) ?? 0,
    reasoning_tokens: (isObject(output) ? numberOf(output['reasoning_tokens']) : null) ?? 0,
  };
}

function readError(value: unknown): WireResponse['error'] {
  if (textOf(value) !== null) return { code: null, message: String(value) };
  if (!isObject(value) || Object.keys(value).length === 0) return null;
  const code = value['code'];
  return {
    code: textOf(code) ?? (typeof code === 'number' ? String(code) : null),
    message: textOf(value['message']) ?? '',
  };
}

const isBlocked = (held: Json | undefined): boolean =>
  objectsOf(held).some((filter) => filter['blocked'] === true) ||
  (isObject(held) && Object.values(held).some((part) => isObject(part) && part['filtered'] === true));

/** Azure adds what its filters found; a found thing counts only where the response did not come through. */
function isFiltered(raw: JsonObject, status: string, code: string | null, reason: string | null): boolean {
  if (status === 'incomplete' && reason === 'content_filter') return true;
  if (status !== 'failed' && status !== 'incomplete') return false;
  if (code !== null && FILTER_CODE.test(code)) return true;
  if (reason !== null || (code !== null && code !== 'server_error')) return false;
  return isBlocked(raw['content_filters']) || isBlocked(raw['content_filter_results']);
}

/**
 * Reads a response. Absent is null, times may be floats, `error` may be a string, an unknown status is kept.
 * A server that answers in the foreground may leave the status out: with output it is `completed`.
 *
 * @returns null where the value is no response: no object, nothing that could be its id, or no status and no output.
 */
export function readResponse(value: unknown): WireResponse | null {
  if (!isObject(value)) return null;
  const id = idOf(value['id']);
  const output = objectsOf(value['output']);
  const status = textOf(value['status']) ?? (output.length > 0 ? 'completed' : null);
  if (id === null || !isStatus(status)) return null;
  const details = value['incomplete_details'];
  const reason = isObject(details) ? textOf(details['reason']) : textOf(details);
  const error = readError(value['error']);
  const conversation = value['conversation'];
  return {
    id,
    status,
    created_at: timeOf(value['created_at']),
    completed_at: timeOf(value['completed_at']),
    error,
    incomplete_reason: reason,
    filtered: isFiltered(value, status, error?.code ?? null, reason),
    output,
    usage: readUsage(value['usage']),
    conversation: isObject(conversation) ? idOf(conversation['id']) : idOf(conversation),
    raw: value,
  };
}

/** The sum; what is not known counts for nothing, and null where neither is. */
export function addUsage(one: ChainUsage | null, other: ChainUsage | null): ChainUsage | null {
  if (one === null || other === null) return one ?? other;
  return {
    prompt_tokens: one.prompt_tokens + other.prompt_tokens,
    completion_tokens: one.completion_tokens + other.completion_tokens,
    total_tokens: one.total_tokens + other.total_tokens,
    cached_tokens: one.cached_tokens + other.cached_tokens,
    reasoning_tokens: one.reasoning_tokens + other.reasoning_tokens,
  };
}

/** As the run object has it; the details stand beside the three counts, under the names of that wire. */
export function toRunUsage(usage: ChainUsage | null): RunUsage | null {
  if (usage === null) return null;
  const { cached_tokens, reasoning_tokens, ...counts } = usage;
  return {
    ...counts,
    ...(cached_tokens > 0 ? { prompt_token_details: { cached_tokens } } : {}),
    ...(reasoning_tokens > 0 ? { completion_tokens_details: { reasoning_tokens } } : {}),
  };
}
