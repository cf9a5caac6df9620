/**
 * The loop as a plain sample has it: create, sleep, retrieve, run the tools, submit; Temporal's default retries. It
 * adopts nothing, keeps no book of effects, and creates nothing again.
 */
import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { Seen, TextbookActivities, TextbookWire } from './activities.ts';

export interface TextbookInput {
  readonly assistant_id: string;
  readonly model: string;
  readonly input: string;
  readonly instructions?: string;
  /** @default 'assistants' */
  readonly wire?: TextbookWire;
  /** A thread, or conversation, to go on with. @default a new one */
  readonly thread_id?: string | null;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly max_completion_tokens?: number | null;
  /** Between two looks. @default 1000 */
  readonly poll_ms?: number;
}

export interface TextbookResult {
  readonly id: string;
  readonly text: string;
}

const activities = proxyActivities<TextbookActivities>({ startToCloseTimeout: '1 minute' });

const ENDED: readonly string[] = ['completed', 'failed', 'cancelled', 'expired', 'incomplete'];

async function drive(run: { seen: Seen }, pollMs: number): Promise<void> {
  while (!ENDED.includes(run.seen.status)) {
    if (run.seen.status === 'requires_action') {
      const outputs = await Promise.all(
        run.seen.calls.map(async (call) => ({
          tool_call_id: call.id,
          output: await activities.runTool(call),
        })),
      );
      run.seen = await activities.submitToolOutputs(run.seen, outputs);
    } else {
      await sleep(pollMs);
      run.seen = await activities.retrieveRun(run.seen);
    }
  }
}

/** @throws ApplicationFailure of the type `RunEnded` where the run ended otherwise than completed */
export async function textbookRun(input: TextbookInput): Promise<TextbookResult> {
  const { assistant_id, model, wire = 'assistants', thread_id = null, poll_ms: pollMs = 1_000 } = input;
  const { instructions = null, metadata = {}, max_completion_tokens = null } = input;
  const run = {
    seen: await activities.createRun({
      wire,
      assistant_id,
      model,
      input: input.input,
      instructions,
      thread_id,
      metadata,
      max_completion_tokens,
    }),
  };
  try {
    await drive(run, pollMs);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => activities.cancelRun(run.seen));
    throw error;
  }
  const { status, id } = run.seen;
  if (status !== 'completed')
    throw ApplicationFailure.nonRetryable(`Run ${id} is ${status}.`, 'RunEnded', status);
  return { id, text: await activities.readAnswer(run.seen) };
}
