/** The activities that run tools: one default handler for all of them, and the lookup of unknown outcomes. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { LookupInput, LookupOutput, ToolInput } from '../steps.ts';
import type { AnyTool, ToolContext } from '../tools/define-tool.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import { isToolError } from '../tools/tool-error.ts';
import { errorOutput, outputText, shorten } from '../tools/tool-output.ts';
import { recordStart, refuseSecondStart } from './fence.ts';
import { errorFrames, errorName, toolFailed } from './tool-failure.ts';
import { GRACE_MS, withGrace } from './tool-grace.ts';
import { startHeartbeat } from './tool-heartbeat.ts';
import type { Heartbeat } from './tool-heartbeat.ts';
import { checkApproval, checkCall, findTool, readToolInput } from './tool-input.ts';
import { createMask } from './tool-secrets.ts';

export interface ToolActivitiesOptions {
  readonly registry: ToolRegistry;
  /** Values that no output, error or heartbeat of a tool may show. Those under eight characters are not looked for. */
  readonly secrets?: readonly string[];
  /** Takes such values out. @default a mask of `secrets` */
  readonly mask?: (text: string) => string;
  /** How long a handler may go on after its signal was aborted. Milliseconds. @default 10000 */
  readonly graceMs?: number;
}

export interface ToolActivities {
  /**
   * The worker's `default` handler: runs the tool of the activity's name. Gives the output as the model
   * reads it. Its failures are typed in `ACTIVITY_FAILURES`.
   */
  readonly runTool: (...args: unknown[]) => Promise<string>;
  /** Asks a tool what became of an effect. A handler that throws is asked again by Temporal. */
  readonly lookupEffect: (input: LookupInput) => Promise<LookupOutput>;
}

/** What the model gets to read of a ToolError's message. */
const ERROR_CHARS = 4_096;

function toolContext(context: Context, input: ToolInput, parsed: unknown, heartbeat: Heartbeat): ToolContext {
  return {
    context: parsed,
    idempotencyKey: input.idempotency_key,
    signal: context.cancellationSignal,
    heartbeat: heartbeat.beat,
    heartbeatDetails: heartbeat.previous,
    log: context.log,
    runId: input.run_id,
    toolCallId: input.tool_call_id,
    attempt: input.attempt,
  };
}

/** A handler's throw as the workflow reads it; a cancelled one's as the cancellation that it is. */
function readThrow(
  error: unknown,
  context: Context,
  input: ToolInput,
  mask: (text: string) => string,
): unknown {
  const { name } = input;
  const once = input.effect === 'once';
  if (isToolError(error)) {
    return toolFailed(`${name} failed`, {
      output: errorOutput('tool_failed', shorten(mask(error.message), ERROR_CHARS)),
      effect: error.effect,
      retryable: error.retryable && !once,
    });
  }
  if (context.cancellationSignal.aborted) return context.cancellationSignal.reason;
  // Its message may hold arguments or keys, so neither the history nor the log gets it.
  context.log.warn('A tool threw', {
    tool: name,
    toolCallId: input.tool_call_id,
    errorName: errorName(error),
    frames: errorFrames(error),
  });
  return toolFailed(`${name} threw ${errorName(error)}`, {
    output: errorOutput('tool_failed', `${name} failed.`),
    effect: 'unknown',
    retryable: !once,
  });
}

/** The activities of a worker's tools. */
export function createToolActivities(options: ToolActivitiesOptions): ToolActivities {
  const { registry, secrets = [], mask = createMask(secrets), graceMs = GRACE_MS } = options;

  /** A tool's own code, which may ignore its signal. */
  const gracefully = <T>(context: Context, input: ToolInput, run: () => Promise<T>): Promise<T> =>
    withGrace(run, {
      signal: context.cancellationSignal,
      graceMs,
      onLateEnd: (outcome) => {
        const { name, tool_call_id, idempotency_key } = input;
        const ids = { tool: name, toolCallId: tool_call_id, idempotencyKey: idempotency_key, outcome };
        context.log.warn('A tool ended after it had been given up', ids);
      },
    });

  async function runTool(...args: unknown[]): Promise<string> {
    const context = Context.current();
    const input = readToolInput(args, context.info.activityType);
    const { name, idempotency_key: key } = input;
    const once = input.effect === 'once';
    if (once) await refuseSecondStart(context);
    const tool = findTool(registry, input);
    checkApproval(registry, tool, input);
    const call = await checkCall(registry, tool, input);
    if (context.cancellationSignal.aborted) throw context.cancellationSignal.reason;
    if (once) await recordStart(context, key);

    const heartbeat = startHeartbeat(context, { onceKey: once ? key : null, mask });
    const ctx = toolContext(context, input, call.context, heartbeat);
    try {
      const value = await gracefully(context, input, async () => tool.execute(call.args, ctx));
      return outputText(name, value, registry.policy(name).max_output_bytes, mask);
    } catch (error) {
      throw readThrow(error, context, input, mask);
    } finally {
      heartbeat.stop();
    }
  }

  async function lookupEffect({ name, call: input }: LookupInput): Promise<LookupOutput> {
    const context = Context.current();
    const tool: AnyTool | undefined = registry.get(name);
    if (tool === undefined || tool.kind === 'external' || tool.lookup === undefined) {
      const message = `This worker has no lookup of ${name}`;
      throw ApplicationFailure.create({ type: 'NotFoundError', message, nonRetryable: false });
    }
    const call = await checkCall(registry, tool, input).catch(() => null);
    // What no longer fits the schema cannot be asked about.
    if (call === null) return { status: 'unknown' };
    const heartbeat = startHeartbeat(context, { onceKey: null, mask });
    try {
      const ctx = toolContext(context, input, call.context, heartbeat);
      const ask = tool.lookup.bind(tool, input.idempotency_key, call.args, ctx);
      const found = await gracefully(context, input, async () => ask());
      if (found.status === 'not_done') return { status: 'not_done' };
      if (found.status !== 'done') return { status: 'unknown' };
      const output = outputText(name, found.output, registry.policy(name).max_output_bytes, mask);
      return { status: 'done', output };
    } catch (error) {
      if (context.cancellationSignal.aborted) throw context.cancellationSignal.reason;
      throw toolFailed(`The lookup of ${name} threw ${errorName(error)}`, {
        output: errorOutput('tool_failed', `${name} failed.`),
        effect: 'unknown',
        retryable: true,
      });
    } finally {
      heartbeat.stop();
    }
  }

  return { runTool, lookupEffect };
}
