/** The configuration of Drover's workers under faults: the emulator on both wires, tools that keep a journal. */
import { z } from 'zod';
import { assistants, responses } from '../src/backends.ts';
import { defineConfig } from '../src/config.ts';
import { defineTool } from '../src/tools/define-tool.ts';
import type { AnyTool, ToolContext } from '../src/tools/define-tool.ts';
import { STREAMED } from './plan.ts';
import { TOOL_NAMES, traitsOf } from './tool-table.ts';
import type { ToolName } from './tool-table.ts';
import { actOn, recall } from './tools.ts';
import { PUSHED, WEBHOOK_SECRET } from './webhooks.ts';
import { readWorkerEnv, WORKER_HEADER, workerIdentity } from './worker-env.ts';

const env = readWorkerEnv();

const parameters = z.object({
  item: z.string(),
  note: z.string(),
  work_ms: z.number(),
  hold_ms: z.number(),
});

function toolOf(name: ToolName): AnyTool {
  const { effect, keyed, reused, unknown, lookup, people } = traitsOf(name);
  if (people === 'external') {
    return defineTool({
      name,
      description: 'Its output is given by the service.',
      parameters,
      external: true,
    });
  }
  return defineTool({
    name,
    description: `A tool whose effect is ${effect}.`,
    parameters,
    effect,
    ...(keyed ? { effectKey: ({ item }: { readonly item: string }) => [item] } : {}),
    ...(effect === 'none' ? { reuse: reused } : {}),
    ...(unknown === null ? {} : { onUnknown: unknown }),
    ...(people === 'approval' ? { needsApproval: true } : {}),
    ...(lookup ? { lookup: (key: string) => lookUp(key) } : {}),
    // However often a worker dies at it: what is judged is the run, not its patience.
    activity: {
      startToCloseTimeout: '1 minute',
      retry: { maximumAttempts: 100, maximumInterval: '4 seconds' },
    },
    execute: (args, ctx: ToolContext) =>
      actOn(
        env.toolJournal,
        name,
        args,
        {
          run: ctx.runId,
          tool_call_id: ctx.toolCallId,
          key: ctx.idempotencyKey,
          attempt: ctx.attempt,
          context: ctx.context,
        },
        ctx.signal,
      ),
  });
}

function lookUp(key: string): { status: 'done'; output: unknown } | { status: 'unknown' } {
  const found = recall(env.toolJournal, key);
  return found === null ? { status: 'unknown' } : { status: 'done', output: found };
}

const headers = { [WORKER_HEADER]: String(process.pid) };

export default defineConfig({
  taskQueue: env.taskQueue,
  backends: {
    assistants: assistants({ baseURL: env.emulatorUrl, headers }),
    responses: responses({ baseURL: env.emulatorUrl, headers }),
    [STREAMED]: responses({ baseURL: env.emulatorUrl, headers, stream: true }),
    [PUSHED]: responses({ baseURL: env.emulatorUrl, headers, webhookSecret: WEBHOOK_SECRET }),
  },
  defaultBackend: 'responses',
  tools: TOOL_NAMES.map(toolOf),
  worker: {
    identity: workerIdentity(process.pid),
    // Kills come every few seconds here: nobody waits as long for the dead as in a deployment.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '10 seconds',
  },
});
