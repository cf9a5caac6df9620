/** What this wire answers, read leniently: lists, runs, messages. */
import type { OutputMessage } from '../contract.ts';
import { isId, pendingApprovals, pendingCalls, readRun } from '../run.ts';
import type { PendingCall, Json, JsonObject, RunObject } from '../run.ts';
import type { AttemptOutput } from '../steps.ts';
import type { Observation } from './backend.ts';
import { redact, shortCode } from './redact.ts';

type Raw = Record<string, unknown>;
const isRecord = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface ListPage {
  readonly data: readonly Raw[];
  readonly hasMore: boolean;
  readonly lastId: string | null;
}

/** A page of a list, bare arrays included; null where the body is no list. */
export function readPage(body: unknown): ListPage | null {
  const data: unknown = isRecord(body) ? body['data'] : body;
  if (!Array.isArray(data)) return null;
  const entries = data.filter(isRecord);
  const last = entries.at(-1)?.['id'];
  return {
    data: entries,
    hasMore: isRecord(body) && body['has_more'] === true,
    lastId: isId(last) ? last : null,
  };
}

/** The three codes that the run object itself knows. */
const RUN_CODES: ReadonlySet<string> = new Set(['server_error', 'rate_limit_exceeded', 'invalid_prompt']);

/**
 * One look at a run, as the port wants it.
 *
 * @param threadId used where the server leaves `thread_id` out.
 */
export function observeRun(
  run: RunObject,
  attempt: { readonly threadId: string; readonly key: string },
  lookAfterMs: number | null,
): Observation {
  const calls = distinctCalls(run);
  const code = run.last_error?.code;
  return {
    attempt: {
      id: run.id,
      thread_id: run.thread_id ?? attempt.threadId,
      key: attempt.key,
      provider_ids: [run.id],
      state: null,
    },
    run: {
      ...run,
      thread_id: run.thread_id ?? attempt.threadId,
      last_error: run.last_error && { ...run.last_error, message: redact(run.last_error.message) },
    },
    calls,
    unsupported_action: unsupportedAction(run),
    raw_code: code === undefined || RUN_CODES.has(code) ? null : shortCode(code),
    look_after_ms: lookAfterMs,
    output: null,
  };
}

/** A call id takes one output, so an entry that repeats one is not a second call. */
function distinctCalls(run: RunObject): readonly PendingCall[] {
  const seen = new Map<string, PendingCall>();
  for (const call of [...pendingCalls(run), ...pendingApprovals(run)])
    if (!seen.has(call.id)) seen.set(call.id, call);
  return [...seen.values()];
}

/** Azure's approvals, and what nobody knows yet. Outputs for a part of the calls would strand the run, too. */
function unsupportedAction(run: RunObject): string | null {
  if (run.status !== 'requires_action') return null;
  const action = run.required_action;
  if (action === null) return 'required_action is missing';
  const asked: unknown = action.submit_tool_outputs?.tool_calls;
  const count = Array.isArray(asked) ? asked.length : 0;
  if (count === 0 && pendingApprovals(run).length > 0) return null;
  if (count === 0)
    return action.type === 'submit_tool_outputs'
      ? 'submit_tool_outputs without calls'
      : shortCode(action.type);
  const readable = pendingCalls(run).length;
  return readable < count ? 'submit_tool_outputs with unreadable calls' : null;
}

/** A run out of a list or an answer, if it is one of this thread. */
export function runOfThread(value: unknown, threadId: string): RunObject | null {
  const run = readRun(value);
  if (run === null) return null;
  return run.thread_id === null || run.thread_id === threadId ? run : null;
}

function readContent(content: unknown): readonly JsonObject[] {
  if (typeof content === 'string') {
    return content === '' ? [] : [{ type: 'text', text: { value: content, annotations: [] } }];
  }
  return Array.isArray(content) ? (content.filter(isRecord) as JsonObject[]) : [];
}

function textOfPart(part: JsonObject): string {
  if (part['type'] !== 'text') return '';
  const held: Json | undefined = part['text'];
  if (typeof held === 'string') return held;
  const value = isRecord(held) ? held['value'] : undefined;
  return typeof value === 'string' ? value : '';
}

/**
 * The assistant's messages of one run, oldest first.
 *
 * A server may ignore the `run_id` it was asked for, so messages of other runs are left out here once more.
 */
export function readOutput(messages: readonly Raw[], runId: string): AttemptOutput {
  const ours = messages.filter(
    (message) => message['role'] === 'assistant' && (message['run_id'] ?? runId) === runId,
  );
  const times = ours.map((message) => message['created_at']);
  const [first, last] = [times[0], times.at(-1)];
  const ordered =
    typeof first === 'number' && typeof last === 'number' && first > last ? ours.toReversed() : ours;

  const read: OutputMessage[] = ordered.map((message) => ({
    id: typeof message['id'] === 'string' ? message['id'] : null,
    role: 'assistant',
    content: readContent(message['content']),
  }));
  const texts = read.map((message) => message.content.map(textOfPart).join(''));
  const refusals = read.flatMap((message) =>
    message.content.flatMap((part) =>
      part['type'] === 'refusal' && typeof part['refusal'] === 'string' ? [part['refusal']] : [],
    ),
  );
  return {
    text: texts.filter((text) => text !== '').join('\n'),
    refusal: refusals.length > 0 ? refusals.join('\n') : null,
    messages: read,
  };
}
