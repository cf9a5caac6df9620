/** What callers do to a run on the Assistants wire: create, submit, cancel. */
import { addMessage, makeRunObject, stepEnd } from './assistants-objects.ts';
import { change, end, enqueue, expireIfDue } from './assistants-turn.ts';
import type { RunBody, SubmitBody } from './body-assistants.ts';
import { takeRejection, withOutputs } from './engine.ts';
import * as errors from './errors.ts';
import { WireError } from './errors.ts';
import { makeId, nowSeconds } from './ids.ts';
import { hasEnded, logicalKey, nameOutputs, nextAttempt, recordStatus } from './world.ts';
import type { Assistant, Run, Thread, World } from './world.ts';

export function activeRunOf(thread: Thread): Run | null {
  return thread.runs.find((run) => !hasEnded(run.object.status)) ?? null;
}

/** The run, as of now. */
export function look(world: World, run: Run): Run {
  expireIfDue(world, run);
  return run;
}

/** @throws {WireError} where the thread has an active run, or the script rejects the request. */
export function createRun(world: World, thread: Thread, assistant: Assistant, body: RunBody): Run {
  if (body.stream === true) throw errors.noStreaming();
  const active = activeRunOf(thread);
  if (active !== null && !world.quirks.has('no_thread_lock'))
    throw errors.activeRun(thread.object.id, active.id);
  const id = makeId('run', world.quirks);
  const threadId = thread.object.id;
  const object = makeRunObject(body, assistant, { id, threadId, expiresAfterMs: world.expiresAfterMs });
  const budget = body.max_completion_tokens ?? null;
  const position = nextAttempt(world, object.model, logicalKey(object.metadata, threadId));
  const rejected = takeRejection(position, budget);
  if (rejected !== null) throw errors.rejected(rejected.rejection);
  for (const message of body.additional_messages ?? []) addMessage(world, thread, message);
  const run: Run = {
    id,
    threadId,
    createdMs: Date.now(),
    object,
    budget,
    position,
    open: [],
    steps: [],
    immortal: false,
    used: { prompt: 0, completion: 0 },
  };
  thread.runs.push(run);
  if (world.quirks.has('never_queued')) object.status = 'in_progress';
  recordStatus(world, 'assistants', run, null, threadId, position.attemptIndex);
  // A timer may fire a millisecond before its time by the clock, when the run is not due yet.
  world.timers.set(`${id} expiry`, world.expiresAfterMs + 2, () => expireIfDue(world, run));
  enqueue(world, thread, run);
  return run;
}

function checkOutputs(world: World, run: Run, body: SubmitBody): void {
  const expected = run.open.map((call) => call.id);
  const answers = [...(body.tool_outputs ?? []), ...(body.tool_approvals ?? [])];
  const got = answers.map((answer) => answer.tool_call_id ?? '');
  const hasAll = expected.every((id) => got.includes(id));
  const hasSurplus = got.some((id) => !expected.includes(id)) || new Set(got).size !== got.length;
  if (hasSurplus && world.quirks.has('error_500_for_wrong_call_id'))
    throw new WireError(500, 'The server had an error while processing your request.');
  if (hasSurplus || (!hasAll && !world.quirks.has('partial_submit_accepted')))
    throw errors.wrongOutputs(expected, got);
}

/** @throws {WireError} where the run does not wait for exactly these outputs. */
export function submitOutputs(world: World, thread: Thread, run: Run, body: SubmitBody): Run {
  if (body.stream === true) throw errors.noStreaming();
  expireIfDue(world, run);
  if (run.object.status !== 'requires_action') throw errors.outputsNotAccepted(run.object.status);
  body.tool_outputs?.forEach((output, at) => {
    if (output.tool_call_id === undefined)
      throw new WireError(
        400,
        `1 validation error for Request body -> tool_outputs -> ${at} -> tool_call_id field required`,
      );
  });
  checkOutputs(world, run, body);
  const rejected = takeRejection(run.position, run.budget);
  if (rejected !== null) {
    run.position = rejected.next;
    throw errors.rejected(rejected.rejection);
  }
  acceptOutputs(run, body);
  change(world, run, world.quirks.has('never_queued') ? 'in_progress' : 'queued', { required_action: null });
  enqueue(world, thread, run);
  return run;
}

function acceptOutputs(run: Run, body: SubmitBody): void {
  const given = (body.tool_outputs ?? []).map((held) => ({
    id: held.tool_call_id ?? '',
    output: held.output ?? '',
  }));
  run.position = withOutputs(run.position, nameOutputs(run.open, given));
  const step = run.steps.findLast((held) => held.type === 'tool_calls');
  if (step !== undefined) {
    const calls = run.open.map((call) => ({
      id: call.id,
      type: 'function',
      function: {
        name: call.name,
        arguments: call.arguments,
        output: given.find((output) => output.id === call.id)?.output ?? null,
      },
    }));
    Object.assign(step, stepEnd('completed', nowSeconds()), {
      step_details: { type: 'tool_calls', tool_calls: calls },
    });
  }
  run.open = [];
}

/** @throws {WireError} where the run has ended, or is being cancelled. */
export function cancelRun(world: World, run: Run): Run {
  expireIfDue(world, run);
  const { status } = run.object;
  if (world.quirks.has('cancel_400')) throw errors.cannotCancel(status);
  if (status === 'completed' && world.quirks.has('cancel_flips_completed')) {
    end(world, run, 'cancelled');
    return run;
  }
  if (hasEnded(status) || status === 'cancelling') throw errors.cannotCancel(status);
  run.open = [];
  change(world, run, 'cancelling', { required_action: null });
  world.timers.clear(run.id);
  world.timers.clear(`${run.id} expiry`);
  if (world.quirks.has('cancel_sticks')) return run;
  const endsAs = run.position.attempt.on_cancel ?? 'cancelled';
  world.timers.set(run.id, world.pace.cancelMs, () =>
    end(
      world,
      run,
      endsAs,
      endsAs === 'failed' ? { last_error: { code: 'server_error', message: 'It failed meanwhile.' } } : {},
    ),
  );
  return run;
}

/** Stops what would still happen to the runs of a thread that is deleted. */
export function forgetRuns(world: World, thread: Thread): void {
  for (const run of thread.runs) {
    world.timers.clear(run.id);
    world.timers.clear(`${run.id} expiry`);
  }
}
