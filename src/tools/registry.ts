/** The tools of one worker, checked together. */
import type { z } from 'zod';
import type { Issue } from '../contract.ts';
import { DEFAULTS, LIMITS } from '../contract.ts';
import type { JsonObject } from '../run.ts';
import type { ToolPolicy } from '../steps.ts';
import { checkTool, readDuration } from './check-tool.ts';
import { DOCUMENT } from './define-tool.ts';
import type { AnyTool, ToolOptions } from './define-tool.ts';
import { readParameters } from './schema.ts';
import type { ParameterSchema } from './schema.ts';
import { TOOL_DEFAULTS } from './tool-defaults.ts';
import { ToolDefinitionError } from './tool-error.ts';
import { fieldName, reasonOf } from './tool-output.ts';

export interface ToolRegistry {
  get(name: string): AnyTool | undefined;
  /** In the order of their registration. */
  names(): readonly string[];
  /** The wire's tool object, the same bytes each time. Throws a RangeError for a name it does not have. */
  definition(name: string): JsonObject;
  /** What the workflow needs to run it. Throws a RangeError for a name it does not have. */
  policy(name: string): ToolPolicy;
  /** What its arguments are checked against. Throws a RangeError for a name it does not have. */
  parameters(name: string): ParameterSchema;
}

const milliseconds = (given: unknown, otherwise: number): number =>
  given === undefined ? otherwise : (readDuration(given) ?? otherwise);

/** The options that only tools with a handler have. */
type Handled = Partial<Pick<ToolOptions<z.ZodObject, z.ZodType>, 'activity'>> &
  Pick<ToolOptions<z.ZodObject, z.ZodType>, 'effect' | 'reuse' | 'onUnknown' | 'lookup' | 'effectKey'>;

const waitsForPeople = (tool: AnyTool, { onUnknown }: Handled): boolean =>
  tool.kind === 'external' || onUnknown === 'wait' || (tool.needsApproval ?? false) !== false;

function policyOf(tool: AnyTool): ToolPolicy {
  const handled: Handled = tool.kind === 'external' ? {} : tool;
  const effect = handled.effect ?? 'idempotent';
  const once = effect === 'once';
  const { activity = {} } = handled;
  const { timeout, onTimeout } = tool.decision ?? {};
  const { retry = {}, scheduleToStartTimeout, heartbeatTimeout } = activity;
  const initialMs = milliseconds(retry.initialInterval, TOOL_DEFAULTS.initialIntervalMs);
  const remote = tool.kind === 'remote';
  const queueMs = scheduleToStartTimeout ?? (once ? TOOL_DEFAULTS.onceScheduleToStartMs : undefined);
  const heartbeat = heartbeatTimeout ?? (remote ? undefined : TOOL_DEFAULTS.heartbeatMs);
  return {
    effect,
    keyed: once && handled.effectKey !== undefined,
    remote,
    reuse: handled.reuse ?? false,
    on_unknown: handled.onUnknown ?? 'end',
    has_lookup: handled.lookup !== undefined,
    task_queue: activity.taskQueue ?? null,
    start_to_close_ms: milliseconds(activity.startToCloseTimeout, TOOL_DEFAULTS.startToCloseMs),
    schedule_to_start_ms:
      queueMs === undefined ? null : milliseconds(queueMs, TOOL_DEFAULTS.onceScheduleToStartMs),
    heartbeat_ms: heartbeat === undefined ? null : milliseconds(heartbeat, TOOL_DEFAULTS.heartbeatMs),
    max_output_bytes: tool.maxOutputBytes ?? LIMITS.outputBytes,
    retry: {
      // A second try of `once` would only meet the fence, and hide the outcome of the first.
      maximum_attempts: once ? 1 : (retry.maximumAttempts ?? TOOL_DEFAULTS.maximumAttempts),
      initial_interval_ms: initialMs,
      backoff_coefficient: retry.backoffCoefficient ?? TOOL_DEFAULTS.backoffCoefficient,
      maximum_interval_ms: milliseconds(
        retry.maximumInterval,
        Math.max(TOOL_DEFAULTS.maximumIntervalMs, initialMs),
      ),
    },
    priority: activity.priority ?? null,
    ...(tool.kind === 'external' ? { external: true } : {}),
    ...(waitsForPeople(tool, handled) ? { guarded: true } : {}),
    ...(timeout === undefined
      ? {}
      : { decision_ms: milliseconds(timeout, DEFAULTS.decisionSeconds * 1_000) }),
    ...(onTimeout === undefined ? {} : { on_undecided: onTimeout }),
  };
}

interface Registered {
  readonly tool: AnyTool;
  readonly parameters: ParameterSchema;
  readonly policy: ToolPolicy;
  readonly definition: JsonObject;
}

function register(tool: AnyTool, parameters: ParameterSchema): Registered {
  const { name, description } = tool;
  const { wire, strict } = parameters;
  return {
    tool,
    parameters,
    policy: policyOf(tool),
    definition: { type: 'function', function: { name, description, parameters: wire, strict } },
  };
}

/**
 * Checks the tools of a worker and makes them findable by name.
 *
 * @throws ToolDefinitionError with every mistake of every tool.
 */
export function createRegistry(tools: readonly AnyTool[]): ToolRegistry {
  const issues: Issue[] = [];
  const held = new Map<string, Registered>();
  const names = new Set<string>();
  const read = (tool: AnyTool, at: string): void => {
    const mistakes = checkTool(tool, `${at}.`);
    issues.push(...mistakes);
    if (names.has(tool.name)) issues.push({ field: `${at}.name`, message: 'Another tool has this name.' });
    names.add(tool.name);
    const schema = readParameters(tool.parameters, {
      field: `${at}.parameters`,
      strict: tool.strict,
      verbatim: tool.kind === 'remote' || DOCUMENT in tool,
      lenient: DOCUMENT in tool,
    });
    if (!schema.ok) issues.push(...schema.issues);
    else if (mistakes.length === 0) held.set(tool.name, register(tool, schema.schema));
  };
  for (const [index, tool] of tools.entries()) {
    let at = `tools.${index}`;
    try {
      if (typeof tool !== 'object' || tool === null) {
        issues.push({ field: at, message: 'Make it with `defineTool` or `defineRemoteTool`.' });
        continue;
      }
      const { name } = tool as { readonly name?: unknown };
      if (typeof name === 'string' && name !== '') at = `tools.${fieldName(name)}`;
      read(tool, at);
    } catch (error) {
      issues.push({ field: at, message: `It cannot be read: ${reasonOf(error)}.` });
    }
  }
  if (issues.length > 0) throw new ToolDefinitionError(issues);

  const find = (name: string): Registered => {
    const found = held.get(name);
    if (found === undefined) throw new RangeError('This registry has no tool of that name.');
    return found;
  };
  return Object.freeze({
    get: (name: string) => held.get(name)?.tool,
    names: () => [...held.keys()],
    definition: (name: string) => find(name).definition,
    policy: (name: string) => find(name).policy,
    parameters: (name: string) => find(name).parameters,
  });
}
