/** The body of one step of a chain. Pure. */
import type { JsonObject } from '../run.ts';
import type { ResolvedRun } from './backend.ts';
import type { ChainState } from './responses-state.ts';
import { relaxToolChoice, toTextFormat, toWireTool, toWireToolChoice } from './responses-tools.ts';
import { isObject } from './responses-wire.ts';
import type { ChainUsage } from './responses-wire.ts';

/** The least that this wire takes for `max_output_tokens`. */
export const MIN_OUTPUT_TOKENS = 16;

/** What the configuration says of every request. */
export interface RequestSettings {
  readonly mode: 'background' | 'foreground';
  readonly store: boolean;
  /** Fields of every create, beneath those of the run. */
  readonly body: JsonObject;
  /** Each step is created by a stream, so that it can be listened to. */
  readonly stream: boolean;
}

/** Where one step goes on, and what it adds. Either a response, or a conversation, or neither. */
export interface Step {
  readonly previous: string | null;
  readonly conversation: string | null;
  readonly input: readonly JsonObject[];
  /** False for the run's first step. */
  readonly later: boolean;
}

/** What a chain has spent against its budgets, the attempt it goes on from included. */
export function spentTokens(state: ChainState): { readonly prompt: number; readonly completion: number } {
  const parts: readonly (ChainUsage | null)[] = [state.inherited, state.used, state.last?.usage ?? null];
  const sum = (field: 'prompt_tokens' | 'completion_tokens'): number =>
    parts.reduce((total, usage) => total + (usage?.[field] ?? 0), 0);
  return { prompt: sum('prompt_tokens'), completion: sum('completion_tokens') };
}

/**
 * The budget that is used up, of a chain that wants another step; null where there is room. Prompt tokens are
 * counted here because this wire has no parameter for them: best effort, as the run object's wire says of its own.
 */
export function exhaustedBudget(state: ChainState): 'max_completion_tokens' | 'max_prompt_tokens' | null {
  const spent = spentTokens(state);
  const { completion, prompt } = state.budget;
  if (completion !== null && spent.completion >= completion) return 'max_completion_tokens';
  return prompt !== null && spent.prompt >= prompt ? 'max_prompt_tokens' : null;
}

function maxOutputTokens(state: ChainState): number | null {
  const { completion } = state.budget;
  return completion === null
    ? null
    : Math.max(MIN_OUTPUT_TOKENS, Math.floor(completion - spentTokens(state).completion));
}

/** `additional_instructions` are appended, as on the run object's wire. */
export function instructionsOf(run: ResolvedRun): string | null {
  const parts = [run.instructions, run.additional_instructions].filter(
    (part) => part !== undefined && part !== '',
  );
  return parts.length === 0 ? null : parts.join('\n\n');
}

const objectAt = (body: JsonObject, key: string): JsonObject => {
  const held = body[key];
  return isObject(held) ? held : {};
};

function includeOf(settings: RequestSettings): readonly string[] {
  const given = settings.body['include'];
  const wanted = Array.isArray(given) ? given.map(String) : [];
  // Without a store the reasoning has to come back with the outputs, and only its encrypted form may.
  return settings.store ? wanted : [...new Set([...wanted, 'reasoning.encrypted_content'])];
}

/** `last_messages` has no place on this wire; `check` says so. */
function truncationOf(run: ResolvedRun): string | null {
  const type = run.truncation_strategy?.type;
  return type === 'auto' || type === 'disabled' ? type : null;
}

function toolChoiceOf(run: ResolvedRun, step: Step): string | JsonObject | null {
  if (run.tool_choice === undefined) return null;
  return toWireToolChoice(step.later ? relaxToolChoice(run.tool_choice) : run.tool_choice);
}

/**
 * The create-response request. Instructions and all tools go with every step: neither is carried along a chain.
 * The run's fields win over `settings.body`; `reasoning`, `text` and `metadata` are merged.
 */
export function buildBody(
  run: ResolvedRun,
  step: Step,
  state: ChainState,
  settings: RequestSettings,
): Record<string, unknown> {
  const { body } = settings;
  const instructions = instructionsOf(run);
  const format = run.response_format === undefined ? null : toTextFormat(run.response_format);
  const choice = toolChoiceOf(run, step);
  const budget = maxOutputTokens(state);
  const include = includeOf(settings);
  const effort = run.reasoning_effort;
  const truncation = truncationOf(run);
  return {
    ...body,
    ...(run.model === undefined ? {} : { model: run.model }),
    ...(instructions === null ? {} : { instructions }),
    ...(run.tools === undefined ? {} : { tools: run.tools.map(toWireTool) }),
    ...(choice === null ? {} : { tool_choice: choice }),
    ...(run.parallel_tool_calls === undefined ? {} : { parallel_tool_calls: run.parallel_tool_calls }),
    ...(run.temperature === undefined ? {} : { temperature: run.temperature }),
    ...(run.top_p === undefined ? {} : { top_p: run.top_p }),
    ...(truncation === null ? {} : { truncation }),
    ...(effort === undefined ? {} : { reasoning: { ...objectAt(body, 'reasoning'), effort } }),
    ...(format === null ? {} : { text: { ...objectAt(body, 'text'), format } }),
    ...(budget === null ? {} : { max_output_tokens: budget }),
    ...(include.length === 0 ? {} : { include }),
    metadata: { ...objectAt(body, 'metadata'), ...run.metadata },
    store: settings.store,
    ...(settings.mode === 'background' ? { background: true } : {}),
    // Only what was created by a stream can be listened to.
    ...(settings.stream ? { stream: true } : {}),
    ...(step.previous === null ? {} : { previous_response_id: step.previous }),
    ...(step.conversation === null ? {} : { conversation: step.conversation }),
    // A conversation may hold all there is to say.
    ...(step.conversation !== null && step.input.length === 0 ? {} : { input: step.input }),
  };
}
