/** A chain of responses as one run: the mapping of every property. Pure, but for the clock it is given. */
import { isTerminal, readRun } from '../run.ts';
import type { JsonObject, LastError, RequiredAction, RunObject, WireStatus } from '../run.ts';
import type { AttemptRef } from '../steps.ts';
import { BackendError } from './backend.ts';
import type { Observation } from './backend.ts';
import { redact, shortCode } from './redact.ts';
import { readOutput, waitingFor } from './responses-items.ts';
import type { Waiting } from './responses-items.ts';
import { exhaustedBudget } from './responses-request.ts';
import { EMPTY_STATE, sizeOf, withState } from './responses-state.ts';
import type { ChainState } from './responses-state.ts';
import { fromTextFormat, fromWireTool, fromWireToolChoice } from './responses-tools.ts';
import { addUsage, isObject, objectsOf, readResponse, textOf, toRunUsage } from './responses-wire.ts';
import type { WireResponse } from './responses-wire.ts';

/** Failures that the input caused: sent again, it fails again. */
const CAUSED_BY_INPUT =
  /^(?:invalid_|image_|empty_image|unsupported_image|failed_to_download_image|bio_policy|cyber_policy|misalignment_policy|data_residency_mismatch|context_length_exceeded|string_above_max_length)/;
const QUOTA_OR_RATE = /rate_limit|quota|billing|credit_balance|too_many_requests/;
const PLAIN_CODES: ReadonlySet<string> = new Set(['server_error', 'rate_limit_exceeded', 'invalid_prompt']);

/** One of the run object's three codes; what it leaves out stands in `raw_code`. */
export function toLastError(error: WireResponse['error']): LastError {
  const code = error?.code ?? 'server_error';
  const mapped = PLAIN_CODES.has(code)
    ? code
    : QUOTA_OR_RATE.test(code)
      ? 'rate_limit_exceeded'
      : CAUSED_BY_INPUT.test(code)
        ? 'invalid_prompt'
        : 'server_error';
  return { code: mapped, message: redact(error?.message ?? '') };
}

interface Verdict {
  readonly status: WireStatus;
  readonly incomplete: { readonly reason?: string } | null;
  readonly error: LastError | null;
  readonly rawCode: string | null;
}

const verdict = (status: WireStatus, parts: Partial<Verdict> = {}): Verdict => ({
  status,
  incomplete: null,
  error: null,
  rawCode: null,
  ...parts,
});

const BUDGET_REASONS: ReadonlySet<string> = new Set(['max_output_tokens', 'max_tokens', 'length']);

function judge(response: WireResponse, waiting: Waiting, ended: ChainState['ended']): Verdict {
  if (ended === 'cancelled') return verdict('cancelled');
  if (ended !== null) return verdict('incomplete', { incomplete: { reason: ended } });
  if (response.filtered) {
    const code = response.error?.code ?? 'content_filter';
    return verdict('incomplete', { incomplete: { reason: 'content_filter' }, rawCode: code });
  }
  switch (response.status) {
    case 'completed': {
      const open = waiting.calls.length > 0 || waiting.unsupported !== null;
      return verdict(open ? 'requires_action' : 'completed');
    }
    case 'failed':
      return verdict('failed', {
        error: toLastError(response.error),
        rawCode: response.error?.code ?? null,
      });
    case 'incomplete': {
      const reason = response.incomplete_reason;
      const mapped = reason !== null && BUDGET_REASONS.has(reason) ? 'max_completion_tokens' : reason;
      return verdict('incomplete', {
        incomplete: mapped === null ? {} : { reason: mapped },
        rawCode: reason,
      });
    }
    default:
      return verdict(response.status);
  }
}

/** Function calls in the run object's shape; approvals in the one that Azure's agents gave them. */
function requiredAction(waiting: Waiting): RequiredAction {
  if (waiting.unsupported !== null) return { type: waiting.unsupported };
  const outputs = waiting.calls.filter(({ server_label }) => server_label === undefined);
  const approvals = waiting.calls.filter(({ server_label }) => server_label !== undefined);
  if (approvals.length === 0) {
    return { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls: outputs } };
  }
  return {
    ...(outputs.length === 0 ? {} : { submit_tool_outputs: { tool_calls: outputs } }),
    type: 'submit_tool_approval',
    submit_tool_approval: {
      tool_calls: approvals.map(({ id, function: asked, server_label }) => ({
        id,
        type: 'mcp',
        ...asked,
        server_label,
      })),
    },
  };
}

/** Ours is a name. What a server says back of megabytes would make an attempt that cannot be carried, and lives. */
const MAX_CHOICE_BYTES = 16_384;

function toolChoiceOf({ raw }: WireResponse): ChainState['tool_choice'] {
  const choice = fromWireToolChoice(raw['tool_choice'] ?? null);
  return sizeOf(choice) > MAX_CHOICE_BYTES ? null : choice;
}

/** What this look adds to the state: times first seen, the last response as it stands. */
function advance(before: ChainState, response: WireResponse, waiting: Waiting, now: number): ChainState {
  const live = response.status === 'in_progress';
  const state: ChainState = {
    ...before,
    created_at: before.created_at ?? response.created_at ?? now,
    started_at: before.started_at ?? (live ? now : null),
    tool_choice: before.tool_choice ?? toolChoiceOf(response),
    last: {
      status: response.status,
      error_code:
        response.status === 'failed' && !response.filtered ? toLastError(response.error).code : null,
      usage: response.usage,
      calls: response.status === 'completed' ? waiting.calls.map((call) => call.id) : [],
    },
  };
  const wants = response.status === 'completed' && waiting.calls.length > 0;
  const ended = before.ended ?? (wants && waiting.unsupported === null ? exhaustedBudget(state) : null);
  return { ...state, ended };
}

const truncationOf = (raw: JsonObject): JsonObject | null =>
  raw['truncation'] === 'auto' ? { type: 'auto', last_messages: null } : null;

function toRun(
  attempt: AttemptRef,
  response: WireResponse,
  state: ChainState,
  said: Verdict,
  waiting: Waiting,
) {
  const { raw } = response;
  const { status } = said;
  const text = isObject(raw['text']) ? raw['text'] : {};
  const reasoning = isObject(raw['reasoning']) ? raw['reasoning'] : {};
  const endedAt = state.ended_at;
  return readRun({
    id: attempt.provider_ids[0] ?? attempt.id,
    created_at: state.created_at,
    thread_id: response.conversation ?? attempt.thread_id,
    assistant_id: state.assistant_id,
    status,
    required_action: status === 'requires_action' ? requiredAction(waiting) : null,
    last_error: said.error,
    expires_at: null,
    started_at: state.started_at,
    cancelled_at: status === 'cancelled' ? endedAt : null,
    failed_at: status === 'failed' ? endedAt : null,
    completed_at: status === 'completed' ? (response.completed_at ?? endedAt) : null,
    incomplete_details: said.incomplete,
    model: raw['model'],
    instructions: raw['instructions'],
    tools: Array.isArray(raw['tools']) ? objectsOf(raw['tools']).map(fromWireTool) : null,
    metadata: raw['metadata'],
    usage: isTerminal(status) ? toRunUsage(addUsage(state.used, response.usage)) : null,
    temperature: raw['temperature'],
    top_p: raw['top_p'],
    max_prompt_tokens: state.budget.prompt,
    max_completion_tokens: state.budget.completion,
    truncation_strategy: truncationOf(raw),
    tool_choice: state.tool_choice,
    parallel_tool_calls: raw['parallel_tool_calls'],
    response_format: fromTextFormat(text['format'] ?? null),
    ...(textOf(reasoning['effort']) === null ? {} : { reasoning_effort: reasoning['effort'] }),
  });
}

function spentSoFar(state: ChainState): Pick<Observation, 'spent'> {
  const spent = toRunUsage(addUsage(state.used, state.last?.usage ?? null));
  return spent === null ? {} : { spent };
}

/**
 * The attempt as its last response shows it, with the state brought up to date.
 *
 * @param now unix seconds, for the times that this wire does not tell.
 */
export function observeResponse(
  attempt: AttemptRef,
  before: ChainState,
  response: WireResponse,
  now: number,
  lookAfterMs: number | null = null,
): Observation {
  const waiting = waitingFor(response.output);
  let state = advance(before, response, waiting, now);
  const said = judge(response, waiting, state.ended);
  const terminal = isTerminal(said.status);
  if (terminal && state.ended_at === null) state = { ...state, ended_at: now };
  const run = toRun(attempt, response, state, said, waiting);
  if (run === null) {
    throw new BackendError('malformed', `Response ${response.id} cannot be read as a run.`);
  }
  const acts = said.status === 'requires_action';
  return {
    attempt: withState(attempt, state),
    run,
    calls: acts ? waiting.calls : [],
    unsupported_action: acts ? waiting.unsupported : null,
    raw_code: said.rawCode === null ? null : shortCode(said.rawCode),
    look_after_ms: lookAfterMs,
    output: terminal ? readOutput(response.output) : null,
    ...spentSoFar(state),
  };
}

/** An attempt of which the provider has no object to show: a step not made yet, or one cut off. */
export function observeNothing(
  attempt: AttemptRef,
  state: ChainState,
  status: WireStatus,
  now: number,
): Observation {
  const stub: WireResponse = {
    id: attempt.id,
    status,
    created_at: state.created_at ?? now,
    completed_at: null,
    error: null,
    incomplete_reason: null,
    filtered: false,
    output: [],
    usage: null,
    conversation: null,
    raw: {},
  };
  const seen = observeResponse(attempt, { ...state, last: null }, stub, now);
  const usage = toRunUsage(addUsage(state.used, state.last?.usage ?? null));
  const run: RunObject = isTerminal(status) ? { ...seen.run, usage } : seen.run;
  // What was known of the last response still counts: the stub only stands in for it.
  const known = { ...state, created_at: state.created_at ?? now };
  const ended =
    status === 'cancelled' ? { ended: 'cancelled' as const, ended_at: state.ended_at ?? now } : {};
  return { ...seen, run, attempt: withState(attempt, { ...known, ...ended }) };
}

/** The carried answer of an attempt, or null. */
export function carriedAnswer(state: ChainState): WireResponse | null {
  return state.answer === null ? null : readResponse(state.answer);
}

/** A response without what is only an echo of the request. */
export function slimResponse(response: WireResponse): JsonObject {
  const { instructions: _instructions, tools: _tools, ...kept } = response.raw;
  return kept;
}

/** The state of an attempt before its first step. */
export function firstState(run: {
  readonly assistant_id: string;
  readonly max_completion_tokens?: number;
  readonly max_prompt_tokens?: number;
}): ChainState {
  return {
    ...EMPTY_STATE,
    assistant_id: run.assistant_id,
    budget: { completion: run.max_completion_tokens ?? null, prompt: run.max_prompt_tokens ?? null },
  };
}
