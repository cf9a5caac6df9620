/** `drover.awaitEnd`: waits until a run that has its thread's turn has ended. */
import { Context } from '@temporalio/activity';
import { WorkflowFailedError } from '@temporalio/client';
import { isMissing } from '../client-missing.ts';
import { TURN_GRACE_MS, type AwaitEndInput, type AwaitEndOutput, type TurnHolder } from '../turns.ts';
import { startBeat } from './beat.ts';
import type { ActivityDeps } from './deps.ts';

const BEAT_MS = 4_000;
const LOOK_AGAIN_MS = 500;
/** The worker's connection cannot give a call up: a stop of the worker waits for it. */
const LISTEN_MS = 2_000;

type Standing = 'running' | 'ended' | 'not_there';

/** An execution that closed before the turn was given is not the one that has it: the run is started again. */
async function standing(context: Context, { run_id, granted_ms }: AwaitEndInput): Promise<Standing> {
  try {
    const { status, closeTime } = await context.client.workflow.getHandle(run_id).describe();
    if (status.name === 'RUNNING' || status.name === 'PAUSED') return 'running';
    return closeTime !== undefined && closeTime.getTime() < granted_ms ? 'not_there' : 'ended';
  } catch (error) {
    if (isMissing(error)) return 'not_there';
    throw error;
  }
}

/** Returns as soon as the run has closed, however it did, or after a while. */
async function listen(context: Context, runId: string): Promise<void> {
  const { client } = context;
  try {
    await client.withDeadline(Date.now() + LISTEN_MS, () => client.workflow.getHandle(runId).result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) await context.sleep(LOOK_AGAIN_MS);
  }
}

async function untilEnded(
  deps: ActivityDeps,
  context: Context,
  input: AwaitEndInput,
): Promise<AwaitEndOutput> {
  const overMs = Date.now() + input.wait_ms;
  for (;;) {
    const seen = await standing(context, input);
    const isGone = seen === 'not_there' && Date.now() > input.granted_ms + TURN_GRACE_MS;
    if (seen === 'ended' || isGone) return { ended: true };
    context.cancellationSignal.throwIfAborted();
    if (Date.now() >= overMs || deps.shutdownSignal.aborted) return { ended: false };
    if (seen === 'running') await listen(context, input.run_id);
    else await context.sleep(LOOK_AGAIN_MS);
  }
}

export async function awaitEnd(deps: ActivityDeps, input: AwaitEndInput): Promise<AwaitEndOutput> {
  const beat = startBeat<TurnHolder>(input, BEAT_MS);
  try {
    return await untilEnded(deps, Context.current(), input);
  } finally {
    beat[Symbol.dispose]();
  }
}
