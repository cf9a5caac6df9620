/** Reads a round of calls as the model sent it: what may run, under which name of its effect, and what may not. */
import { LIMITS } from '../contract.ts';
import type { PendingCall, Json, JsonObject } from '../run.ts';
import type { PlannedCall, ToolPolicy } from '../steps.ts';
import type { AnyTool } from './define-tool.ts';
import { argumentsDigest, keyDigest, textDigest } from './effect-digest.ts';
import { checkShape, parseArguments } from './read-arguments.ts';
import type { Reading } from './read-arguments.ts';
import type { ToolRegistry } from './registry.ts';
import { errorOutput, shorten } from './tool-output.ts';

export interface PlanOptions {
  readonly calls: readonly PendingCall[];
  /** Names that this run may call: its request's or its assistant's tools. */
  readonly allowed: ReadonlySet<string>;
  readonly registry: ToolRegistry;
  /** The run's trusted context. */
  readonly context: Json;
}

/** A round's arguments cross Temporal in one payload, as JSON. */
const ROUND_ARGUMENT_BYTES = LIMITS.roundOutputBytes;
/** What is kept of arguments that nothing will run with. */
const REFUSED_ARGUMENT_CHARS = 2_048;
const LISTED_NAMES = 32;

type Refusal = NonNullable<PlannedCall['refusal']>;

const refuse = (status: Refusal['status'], message: string): Refusal => ({
  status,
  output: errorOutput(status, message),
});

function listNames(allowed: ReadonlySet<string>): string {
  const names = [...allowed].filter((name) => name.length <= LIMITS.toolNameChars);
  if (names.length === 0) return 'It has no tools.';
  const rest = names.length - LISTED_NAMES;
  return `Its tools: ${names.slice(0, LISTED_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`;
}

/** The context as the tool's schema reads it; throws where it does not fit or cannot be read at once. */
function readContext(tool: AnyTool, context: Json): unknown {
  return tool.context === undefined ? context : tool.context.parse(context);
}

type EffectName = { readonly ok: true; readonly digest: string } | { readonly ok: false };

/** What names the effect: what `effectKey` gives, else the raw arguments. Not ok where it breaks: nothing then names it. */
function nameEffect(tool: AnyTool, raw: JsonObject, context: Json, digest: string): EffectName {
  if (tool.kind === 'external' || tool.effectKey === undefined) return { ok: true, digest };
  try {
    const named = keyDigest(tool.name, tool.effectKey(raw, { context: readContext(tool, context) }));
    return named === null ? { ok: false } : { ok: true, digest: named };
  } catch {
    return { ok: false };
  }
}

/** Whether somebody has to allow this call. Where that cannot be told, somebody is asked. */
export function needsApproval(tool: AnyTool, raw: JsonObject, context: Json): boolean {
  const { needsApproval: rule } = tool;
  if (typeof rule !== 'function') return rule === true;
  try {
    const said: unknown = rule(raw, { context: readContext(tool, context) });
    return said !== false;
  } catch {
    return true;
  }
}

/** A refused call never runs: of what the model sent no more is kept than a person needs to see. */
function refused({ id, function: { name, arguments: text } }: PendingCall, refusal: Refusal): PlannedCall {
  const digest = textDigest(name, text);
  return {
    id,
    name: shorten(name),
    arguments: shorten(text, REFUSED_ARGUMENT_CHARS),
    effect_digest: digest,
    arguments_digest: digest,
    policy: null,
    refusal,
  };
}

/** The provider runs it and knows of no handler: only the word of people is wanted. */
const MCP_POLICY: ToolPolicy = {
  effect: 'none',
  keyed: false,
  remote: true,
  reuse: false,
  on_unknown: 'end',
  has_lookup: false,
  task_queue: null,
  start_to_close_ms: 0,
  schedule_to_start_ms: null,
  heartbeat_ms: null,
  max_output_bytes: LIMITS.outputBytes,
  guarded: true,
  priority: null,
  retry: { maximum_attempts: 1, initial_interval_ms: 0, backoff_coefficient: 1, maximum_interval_ms: 0 },
};

function planApproval({ id, function: { name, arguments: text } }: PendingCall, server: string): PlannedCall {
  const named = shorten(`${server}.${name}`);
  const digest = textDigest(named, text);
  return {
    id,
    name: named,
    arguments: text,
    effect_digest: digest,
    arguments_digest: digest,
    policy: MCP_POLICY,
    mcp: true,
    needs_approval: true,
    refusal: null,
  };
}

function planCall(call: PendingCall, options: PlanOptions): PlannedCall {
  if (call.server_label !== undefined) return planApproval(call, call.server_label);
  const { allowed, registry, context } = options;
  const { name, arguments: text } = call.function;
  const tool = registry.get(name);
  if (tool === undefined || !allowed.has(name)) {
    const status = tool === undefined ? 'unknown_tool' : 'not_allowed';
    return refused(call, refuse(status, `This run has no tool "${shorten(name)}". ${listNames(allowed)}`));
  }
  const schema = registry.parameters(name);
  const parsed = parseArguments(text, schema);
  const shaped: Reading<JsonObject> = parsed.ok ? checkShape(parsed.value, schema) : parsed;
  if (!shaped.ok) return refused(call, refuse('bad_arguments', shaped.message));
  const digest = argumentsDigest(name, text);
  const effect = nameEffect(tool, shaped.value, context, digest);
  if (!effect.ok) {
    return refused(
      call,
      refuse('bad_arguments', `"${name}" cannot tell from these arguments what it would do.`),
    );
  }
  return {
    id: call.id,
    name,
    arguments: text,
    effect_digest: effect.digest,
    arguments_digest: digest,
    policy: registry.policy(name),
    ...(needsApproval(tool, shaped.value, context) ? { needs_approval: true } : {}),
    refusal: null,
  };
}

/**
 * Plans a round. Never throws: whatever the model sent becomes a call to run or a refusal that it can read.
 * Of two calls with one id the first counts, since a provider takes one output for an id.
 */
export function planCalls(options: PlanOptions): PlannedCall[] {
  const planned = new Map<string, PlannedCall>();
  let running = 0;
  let bytes = 0;
  for (const call of options.calls) {
    if (planned.has(call.id)) continue;
    if (running >= LIMITS.callsPerRound) {
      const message = `A round takes ${LIMITS.callsPerRound} calls. Nothing was done; ask again for fewer.`;
      planned.set(call.id, refused(call, refuse('too_many_calls', message)));
      continue;
    }
    running += 1;
    const plan = planCall(call, options);
    const size = Buffer.byteLength(JSON.stringify(plan.arguments));
    if (plan.refusal === null && bytes + size > ROUND_ARGUMENT_BYTES) {
      const message = `The arguments of this round are over ${ROUND_ARGUMENT_BYTES} bytes of JSON in all. Nothing was done.`;
      planned.set(call.id, refused(call, refuse('too_many_calls', `${message} Ask again for fewer.`)));
      continue;
    }
    bytes += size;
    planned.set(call.id, plan);
  }
  return [...planned.values()];
}
