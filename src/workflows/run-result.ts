/** Builds the result of a run from its state, and cuts it to what Temporal can carry. Pure. */
import {
  LIMITS,
  METADATA_KEYS,
  type Issue,
  type RunRequest,
  type RunResult,
  type ToolCallResult,
} from '../contract.ts';
import type { DecisionRecord } from '../decisions.ts';
import { FAILURES, failureMessage, type EndCode } from '../failures.ts';
import type { Json, LastError, RequiredAction, RunObject, RunStatus } from '../run.ts';
import { totalCost, totalUsage, type DriveState } from './drive-state.ts';

/** UTF-8 bytes of a text; the sandbox has no Buffer and its TextEncoder would copy it. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 4;
      index++;
    } else bytes += 3;
  }
  return bytes;
}

export const jsonBytes = (value: unknown): number => utf8Bytes(JSON.stringify(value) ?? '');

function ownMetadata(metadata: RunObject['metadata']): RunObject['metadata'] {
  if (metadata === null) return null;
  const own: ReadonlySet<string> = new Set(Object.values(METADATA_KEYS));
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !own.has(key)));
}

export interface RunEnd {
  readonly runId: string;
  /** Null for a completed run; undefined for one that is still under way. */
  readonly code: EndCode | null | undefined;
  readonly nowMs: number;
  /** The provider's words where a step of the run was refused: for `last_error`, not for any message. */
  readonly detail?: string | null;
  readonly issues?: readonly Issue[];
}

function endStatus(state: DriveState, code: EndCode | null | undefined): RunObject['status'] {
  if (code === undefined) return state.last_run?.status ?? 'queued';
  if (code === null) return 'completed';
  const status: RunStatus = FAILURES[code].status;
  return status;
}

function lastError(last: RunObject | null, { code, detail }: RunEnd): LastError {
  const words = detail ?? (code ? FAILURES[code].message : '');
  if (code === 'rate_limit_exceeded' || code === 'quota_exceeded') {
    return last?.last_error ?? { code: 'rate_limit_exceeded', message: words };
  }
  if (detail) return { code: 'server_error', message: words };
  return last?.last_error ?? { code: 'server_error', message: words };
}

/** What the run waits for of this worker: the round at work. The state keeps its calls, not the provider's action. */
function openAction(state: DriveState): RequiredAction | null {
  const round = state.calls.filter((call) => call.attempt === state.number && call.round === state.rounds);
  if (!round.some(({ status }) => status === 'pending')) return null;
  const calls = round.map(({ id, name, arguments: args }) => ({
    id,
    type: 'function' as const,
    function: { name, arguments: args },
  }));
  return { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: calls } };
}

/**
 * The logical run: created and started times of the first attempt, end times and model of the last,
 * usage summed over all. Its status says how the run ended, which need not be how its last attempt did.
 */
function logicalRun(request: RunRequest, state: DriveState, end: RunEnd): RunObject {
  const last = state.last_run;
  const status = endStatus(state, end.code);
  const ended = end.code === undefined ? null : Math.floor(end.nowMs / 1000);
  const at = (wanted: RunStatus, known: number | null | undefined): number | null =>
    status === wanted ? (known ?? ended) : null;
  return {
    ...last,
    id: end.runId,
    object: 'thread.run',
    created_at: state.attempts[0]?.created_at ?? Math.floor(state.started_ms / 1000),
    thread_id: state.thread_id,
    assistant_id: request.assistant_id,
    status,
    required_action: end.code === undefined ? (last?.required_action ?? openAction(state)) : null,
    last_error: status === 'failed' ? lastError(last, end) : null,
    expires_at: end.code === undefined ? (last?.expires_at ?? null) : null,
    started_at: state.first_started_at,
    cancelled_at: at('cancelled', last?.cancelled_at),
    failed_at: at('failed', last?.failed_at),
    completed_at: at('completed', last?.completed_at),
    incomplete_details:
      status === 'incomplete' ? (last?.incomplete_details ?? { reason: end.code ?? 'other' }) : null,
    model: last?.model ?? request.model ?? null,
    instructions: last?.instructions ?? request.instructions ?? null,
    tools: last?.tools ?? null,
    metadata: last === null ? { ...request.metadata } : ownMetadata(last.metadata),
    usage: totalUsage(state),
    temperature: last?.temperature ?? null,
    top_p: last?.top_p ?? null,
    max_prompt_tokens: last?.max_prompt_tokens ?? null,
    max_completion_tokens: last?.max_completion_tokens ?? null,
    truncation_strategy: last?.truncation_strategy ?? null,
    tool_choice: last?.tool_choice ?? null,
    parallel_tool_calls: last?.parallel_tool_calls ?? null,
    response_format: last?.response_format ?? null,
  };
}

export function costOf(state: DriveState): { readonly cost?: number } {
  const cost = totalCost(state);
  return cost === undefined ? {} : { cost };
}

/** Checked where the answer was read: here it is only taken apart. */
function parsedOutput(state: DriveState, code: EndCode | null | undefined): { output_parsed?: Json } {
  if (code !== null || state.last_output?.structured !== true) return {};
  try {
    return { output_parsed: JSON.parse(state.last_output.text) as Json };
  } catch {
    // It was cut to fit through Temporal, and says so at its end.
    return {};
  }
}

export function buildResult(request: RunRequest, state: DriveState, end: RunEnd): RunResult {
  const { code } = end;
  const result: RunResult = {
    run: logicalRun(request, state, end),
    code: code ?? null,
    message:
      code === null || code === undefined
        ? null
        : failureMessage(code, {
            run: end.runId,
            attempt: state.attempts.at(-1)?.id,
            thread: state.thread_id,
          }),
    output_text: state.last_output?.text ?? '',
    refusal: state.last_output?.refusal ?? null,
    ...parsedOutput(state, code),
    messages: state.last_output?.messages ?? [],
    attempts: state.attempts,
    tool_calls: state.calls,
    usage: totalUsage(state),
    ...costOf(state),
    warnings: state.warnings,
    issues: end.issues ?? [],
  };
  return boundResult(result);
}

const KEPT_CHARS = 200;

/** Cut at a character, never inside a surrogate pair. */
export function cutText(text: string, chars: number): string {
  const end = chars > 0 && /[\uD800-\uDBFF]/.test(text.charAt(chars - 1)) ? chars - 1 : chars;
  return text.slice(0, end);
}

const cutReason = (decision: DecisionRecord): DecisionRecord => ({
  ...decision,
  reason: decision.reason === null ? null : cutText(decision.reason, KEPT_CHARS),
});

/** One call with what is longest in it cut; `truncated` holds the full size in bytes. */
function cutCall(call: ToolCallResult): ToolCallResult {
  const size = utf8Bytes(call.output ?? '') + utf8Bytes(call.arguments);
  return {
    ...call,
    arguments: cutText(call.arguments, KEPT_CHARS),
    output: call.output === null ? null : cutText(call.output, KEPT_CHARS),
    ...(call.decision === undefined ? {} : { decision: cutReason(call.decision) }),
    truncated: call.truncated ?? size,
  };
}

/**
 * A result past `LIMITS.resultBytes` would hang the workflow for ever, so it is cut: tool calls first,
 * the oldest before the newer ones, then instructions and messages. What was cut says so.
 */
export function boundResult(result: RunResult, limit: number = LIMITS.resultBytes): RunResult {
  let over = jsonBytes(result) - limit;
  if (over <= 0) return result;
  over += 1024;
  const calls = result.tool_calls.map((call) => {
    if (over <= 0) return call;
    const cut = cutCall(call);
    over -= jsonBytes(call) - jsonBytes(cut);
    return cut;
  });
  const warnings = [
    ...result.warnings,
    {
      code: 'result_truncated',
      message: 'Parts of this result were cut to fit through Temporal; `truncated` holds full sizes.',
    } as const,
  ];
  let bounded: RunResult = { ...result, tool_calls: calls, warnings };
  if (over > 0) {
    const { instructions } = result.run;
    bounded = {
      ...bounded,
      run: {
        ...bounded.run,
        instructions: cutText(instructions ?? '', KEPT_CHARS),
        tools: null,
        required_action: null,
      },
    };
  }
  if (jsonBytes(bounded) > limit) {
    const { output_parsed: _parsed, ...rest } = bounded;
    bounded = { ...rest, messages: [] };
  }
  if (jsonBytes(bounded) > limit)
    bounded = { ...bounded, output_text: cutText(bounded.output_text, limit / 8) };
  if (jsonBytes(bounded) > limit)
    bounded = { ...bounded, tool_calls: bounded.tool_calls.slice(-LIMITS.callsPerRound) };
  return bounded;
}
