/** Reads what the workflow sent a tool's activity, and finds the tool for it. */
import { ApplicationFailure } from '@temporalio/common';
import type { ToolInput } from '../steps.ts';
import type { AnyTool, Effect, Tool } from '../tools/define-tool.ts';
import { needsApproval } from '../tools/plan-calls.ts';
import { checkShape, parseArguments, readArguments } from '../tools/read-arguments.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import { errorOutput } from '../tools/tool-output.ts';
import { errorName, notStarted, toolFailed } from './tool-failure.ts';

const TEXTS = ['run_id', 'tool_call_id', 'name', 'arguments', 'idempotency_key'] as const;
const STRICTNESS: Readonly<Record<Effect, number>> = { none: 0, idempotent: 1, once: 2 };

function isToolInput(value: unknown): value is ToolInput {
  if (typeof value !== 'object' || value === null) return false;
  const held = value as Partial<Record<string, unknown>>;
  return (
    TEXTS.every((field) => typeof held[field] === 'string') &&
    typeof held['attempt'] === 'number' &&
    typeof held['effect'] === 'string' &&
    Object.hasOwn(STRICTNESS, held['effect'])
  );
}

/**
 * The input of a tool's activity. Anything else that ends up at the default handler is an activity that
 * this worker does not have, and is told so in the SDK's own way: retryable, another worker may have it.
 */
export function readToolInput(args: readonly unknown[], activityType: string): ToolInput {
  const [input] = args;
  if (args.length === 1 && isToolInput(input) && input.name === activityType) return input;
  throw ApplicationFailure.create({
    type: 'NotFoundError',
    message: `Activity function ${activityType} is not registered on this Worker`,
    nonRetryable: false,
  });
}

/**
 * The tool that this worker runs for a call.
 *
 * @throws `drover.not_started` where this worker lacks it or knows it to be stricter than the workflow did.
 */
export function findTool(registry: ToolRegistry, input: ToolInput): Tool {
  const tool: AnyTool | undefined = registry.get(input.name);
  if (tool === undefined) throw notStarted(input.name, 'this worker has no such tool.');
  if (tool.kind !== 'local') throw notStarted(input.name, 'its handler is in another worker.');
  const { effect } = registry.policy(input.name);
  if (STRICTNESS[effect] > STRICTNESS[input.effect]) {
    throw notStarted(
      input.name,
      `this worker knows it as ${effect}, the call was planned as ${input.effect}.`,
    );
  }
  return tool;
}

/**
 * @throws `drover.not_started` where this worker's definition wants somebody to allow the call and nobody was asked:
 * a worker with another definition planned it.
 */
export function checkApproval(registry: ToolRegistry, tool: Tool, input: ToolInput): void {
  if (input.approved === true || tool.needsApproval === undefined) return;
  const schema = registry.parameters(input.name);
  const parsed = parseArguments(input.arguments, schema);
  const shaped = parsed.ok ? checkShape(parsed.value, schema) : parsed;
  if (!shaped.ok || !needsApproval(tool, shaped.value, input.context)) return;
  throw notStarted(input.name, 'this worker wants an approval for it, the call was planned without one.');
}

export interface CheckedCall {
  readonly args: Record<string, unknown>;
  readonly context: unknown;
}

const refuse = (tool: string, code: 'bad_arguments' | 'bad_context', message: string): ApplicationFailure =>
  toolFailed(`${tool} was not started: ${code}`, { output: errorOutput(code, message), effect: 'none' });

/**
 * The call's arguments and context as the handler gets them.
 *
 * @throws `drover.tool_failed` without an effect where they do not fit.
 */
export async function checkCall(
  registry: ToolRegistry,
  tool: AnyTool,
  input: ToolInput,
): Promise<CheckedCall> {
  const { name } = input;
  try {
    const read = await readArguments(input.arguments, registry.parameters(name));
    if (!read.ok) throw refuse(name, 'bad_arguments', read.message);
    const context = await tool.context?.safeParseAsync(input.context);
    if (context?.success === false) {
      throw refuse(name, 'bad_context', `The service started this run without what ${name} needs.`);
    }
    return {
      args: read.value as Record<string, unknown>,
      context: context === undefined ? input.context : context.data,
    };
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    const message = `${name} could not check its arguments (${errorName(error)}).`;
    throw refuse(name, 'bad_arguments', message);
  }
}
