/** Drover itself. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { RunClient } from '../../src/client.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import { isDroverError, RunLostError } from '../../src/errors.ts';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';
import { ASSISTANT, STREAMED } from '../plan.ts';
import type { RunPlan } from '../plan.ts';
import { TOOL_NAMES } from '../tool-table.ts';
import { PUSHED } from '../webhooks.ts';
import type { Driver, DriverStage, FinalState } from './driver.ts';

const runsOf = (stage: DriverStage): RunClient => new RunClient(stage);

function requestOf(plan: RunPlan, threadId: string | null): RunRequest {
  return {
    assistant_id: ASSISTANT,
    backend: plan.pushed ? PUSHED : plan.streamed ? STREAMED : plan.wire,
    model: plan.id,
    input: plan.input,
    context: { plan: plan.id },
    tools: TOOL_NAMES,
    retry: plan.retry,
    limits: plan.limits,
    ...(threadId === null ? {} : { thread_id: threadId, on_busy_thread: plan.onBusyThread }),
    ...(plan.budget === null ? {} : { max_completion_tokens: plan.budget }),
  };
}

function wordOf(result: RunResult): FinalState['word'] {
  return {
    code: result.code,
    text: result.output_text,
    ambiguous:
      result.warnings.some(({ code }) => code === 'create_ambiguous') ||
      result.attempts.some(({ ambiguous_create }) => ambiguous_create),
    calls: result.tool_calls.map(({ id, name, status, output, decision }) => ({
      id,
      name,
      status,
      output,
      decision: decision?.outcome ?? null,
    })),
  };
}

export const drover: Driver = {
  name: 'drover',
  workerEntry: fileURLToPath(new URL('../drover-worker.ts', import.meta.url)),
  writeBundle: async (file) => writeFile(file, (await bundleWorkflows()).code),
  start: async (stage, plan, threadId) => {
    await runsOf(stage).start(requestOf(plan, threadId), { id: plan.id });
  },
  cancel: (stage, plan) => runsOf(stage).getHandle(plan.id).cancel(),
  waiting: (stage, plan) => runsOf(stage).getHandle(plan.id).waiting(),
  decide: async (stage, plan, call, said) => {
    const run = runsOf(stage).getHandle(plan.id);
    if (said.outcome === 'answer') await run.answer(call, JSON.stringify({ receipt: said.receipt }));
    else if (said.outcome === 'approve') await run.approve(call, { by: 'the harness' });
    else await run.reject(call, { by: 'the harness', reason: 'as its item says' });
  },
  settle: (stage, plan, key, verdict) =>
    runsOf(stage)
      .getHandle(plan.id)
      .settleEffect(
        verdict.outcome === 'done'
          ? { key, outcome: 'done', output: JSON.stringify({ receipt: verdict.receipt }) }
          : { key, outcome: verdict.outcome },
      ),
  watch: (stage, plan, after, signal) =>
    runsOf(stage)
      .getHandle(plan.id)
      .watch({ ...(after === null ? {} : { after }), signal }),
  word: async (stage, plan) => {
    try {
      return wordOf(await runsOf(stage).getHandle(plan.id).outcome());
    } catch (error) {
      if (isDroverError(error) && error instanceof RunLostError) return null;
      throw error;
    }
  },
  promises: {
    ends: (plan) => plan.ends,
    closesAs: (code) => [code === null ? 'COMPLETED' : code === 'cancelled' ? 'CANCELLED' : 'FAILED'],
    namedIsOne: true,
    asksPeople: true,
    takesTurns: true,
    keepsLimits: true,
    freesThreads: true,
  },
};
