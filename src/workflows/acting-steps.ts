/** The steps of a run that act at its provider: an attempt is created, a round is handed in. */
import { workflowInfo } from '@temporalio/workflow';
import type { CreateRunInput, CreateRunOutput, SubmitOutputsInput, SubmitOutputsOutput } from '../steps.ts';
import { stepInput, type DriveContext } from './cancel-live.ts';
import { attemptCreated, outputsSubmitted, type LiveAttempt } from './drive-state.ts';
import {
  createOnNewThread,
  createRun,
  mayHaveActed,
  StepFailed,
  submitOutputs,
  type Settled,
} from './provider-steps.ts';
import { publishAttempt, publishPhase } from './publish.ts';

/** A workflow that was reset does again what its history has lost: anything may have acted before. */
function wasReset(): boolean {
  const { runId, originalExecutionRunId } = workflowInfo();
  return runId !== originalExecutionRunId;
}

export async function createAttempt(context: DriveContext): Promise<void> {
  const { state, request } = context;
  state.since_ms ??= Date.now();
  state.thread_id ??= context.announcedThread;
  publishPhase(context, 'creating');
  const input: CreateRunInput = {
    ...stepInput(context),
    thread_id: state.thread_id,
    input_landed: state.input_landed,
    since_ms: state.since_ms,
    suspect: state.suspect || wasReset(),
    not_before_ms: 0,
    deadline_ms: state.deadline_ms,
    previous: state.previous?.ref ?? null,
    resume_outputs: state.previous?.outputs ?? [],
  };
  let made: Settled<CreateRunOutput>;
  try {
    made = await createRun(input, request);
    if (made.kind === 'thread') {
      const { thread_id, suspect = false, not_before_ms = 0 } = made;
      state.thread_id = thread_id;
      made = await createOnNewThread({
        ...input,
        thread_id,
        suspect: input.suspect || suspect,
        not_before_ms,
      });
    }
  } catch (error) {
    if (!(error instanceof StepFailed)) state.suspect = mayHaveActed(error);
    throw error;
  }
  attemptCreated(state, made, Date.now());
  publishAttempt(context);
}

export async function submitRound(context: DriveContext, live: LiveAttempt): Promise<'submitted' | 'gone'> {
  const { state, request } = context;
  publishPhase(context, 'submitting outputs');
  const input: SubmitOutputsInput = {
    ...stepInput(context),
    attempt: live.ref,
    outputs: live.outputs,
    suspect: live.again === true || wasReset(),
    not_before_ms: 0,
    deadline_ms: state.deadline_ms,
  };
  let done: Settled<SubmitOutputsOutput>;
  try {
    done = await submitOutputs(input, request);
  } catch (error) {
    if (error instanceof StepFailed ? error.suspect : mayHaveActed(error)) live.suspect = true;
    throw error;
  }
  if (done.kind === 'gone') return 'gone';
  outputsSubmitted(state, done.attempt, done.ambiguous);
  return 'submitted';
}
