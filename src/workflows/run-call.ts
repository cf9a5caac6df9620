/** Runs one tool call until its outcome is settled: dispatched, looked up, asked about. */
import {
  CancellationScope,
  isCancellation,
  patched,
  scheduleActivity,
  sleep,
  type ActivityOptions,
} from '@temporalio/workflow';
import { DEFAULTS, NAMES } from '../contract.ts';
import type { LookupInput, LookupOutput, PlannedCall, ToolInput, ToolPolicy } from '../steps.ts';
import { askPeople, recordOf } from './ask-people.ts';
import { openEntry, settleEntry, UNKNOWN_OUTPUT } from './effect-ledger.ts';
import { cutOutput } from './fit-round.ts';
import { confirmNews, confirmOwnTask } from './own-task.ts';
import type { RoundContext, Settled } from './round-context.ts';
import { jsonBytes, utf8Bytes } from './run-result.ts';
import { errorOutput, outputText, readOutcome, type ToolOutcome } from './tool-outcome.ts';

const MIN_MS = 1_000;
const JSON_QUOTES = 2;
const LAST_LOOKUP_MS = 30_000;
/** How often a call is dispatched at most whose lookup says each time that nothing was done. */
const UNDONE_TRIES = 5;

/** While a call of the round waits on people, the deadline moves on. */
function deadlineMs({ state, room }: RoundContext): number {
  return state.deadline_ms + (room.since_ms === null ? 0 : Date.now() - room.since_ms);
}

/** `once`: no retry and no schedule-to-close, so that a timeout says whether it had started (design, section 5). */
function activityOptions(context: RoundContext, call: PlannedCall, policy: ToolPolicy): ActivityOptions {
  const { state } = context;
  const left = Math.max(deadlineMs(context) - Date.now(), MIN_MS);
  const common: ActivityOptions = {
    startToCloseTimeout: Math.min(policy.start_to_close_ms, left),
    ...(policy.heartbeat_ms === null ? {} : { heartbeatTimeout: policy.heartbeat_ms }),
    ...(policy.task_queue === null ? {} : { taskQueue: policy.task_queue }),
    ...(policy.priority === null ? {} : { priority: policy.priority }),
    // The UI shows it after the activity's type, which is the tool's name.
    summary: `${call.id.slice(0, 64)} · attempt ${state.number}, round ${state.rounds}`,
    cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  };
  if (policy.effect === 'once') {
    const queue = Math.min(policy.schedule_to_start_ms ?? left, left);
    return { ...common, scheduleToStartTimeout: queue, retry: { maximumAttempts: 1 } };
  }
  return {
    ...common,
    ...(policy.schedule_to_start_ms === null ? {} : { scheduleToStartTimeout: policy.schedule_to_start_ms }),
    scheduleToCloseTimeout: left,
    retry: {
      maximumAttempts: policy.retry.maximum_attempts,
      initialInterval: policy.retry.initial_interval_ms,
      backoffCoefficient: policy.retry.backoff_coefficient,
      maximumInterval: policy.retry.maximum_interval_ms,
      nonRetryableErrorTypes: ['PayloadsTooLarge'],
    },
  };
}

function toolInput(context: RoundContext, call: PlannedCall, policy: ToolPolicy, key: string): ToolInput {
  return {
    run_id: context.runId,
    thread_id: context.state.thread_id,
    assistant_id: context.request.assistant_id,
    attempt: context.state.number,
    attempt_id: context.state.live?.ref.id ?? '',
    tool_call_id: call.id,
    name: call.name,
    arguments: call.arguments,
    context: context.request.context ?? null,
    effect: policy.effect,
    idempotency_key: key,
    ...(call.needs_approval === true ? { approved: true } : {}),
  };
}

async function tryOnce(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  input: ToolInput,
): Promise<Exclude<ToolOutcome, { kind: 'not_started_again' }>> {
  try {
    const value = await scheduleActivity<unknown>(call.name, [input], activityOptions(context, call, policy));
    const output = outputText(value);
    // A local tool's output has been cut by its worker; a remote one's comes as it is.
    const fits = jsonBytes(output) <= policy.max_output_bytes + JSON_QUOTES;
    return { kind: 'done', output: fits ? output : cutOutput(output, utf8Bytes(output)) };
  } catch (error) {
    const outcome = readOutcome(call.name, error, policy);
    if (outcome.kind !== 'not_started_again') return outcome;
    // Before this rule it was dispatched again.
    return patched('started-mark') ? { kind: 'unknown' } : { kind: 'not_started', why: 'nobody_polls' };
  }
}

async function lookUp(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  input: ToolInput,
): Promise<LookupOutput> {
  const lookup: LookupInput = { name: call.name, call: input };
  try {
    return await scheduleActivity<LookupOutput>(NAMES.activities.lookupEffect, [lookup], {
      startToCloseTimeout: '1 minute',
      // Asked at the deadline, it still gets a moment: its word is what the result says of the effect.
      scheduleToCloseTimeout: Math.max(deadlineMs(context) - Date.now(), LAST_LOOKUP_MS),
      heartbeatTimeout: '5 seconds',
      retry: { maximumAttempts: 5, initialInterval: '1 second' },
      // Where its handler is, its lookup is, too.
      ...(policy.task_queue === null || policy.remote ? {} : { taskQueue: policy.task_queue }),
      summary: `${call.name} · ${call.id.slice(0, 64)}`,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { status: 'unknown' };
  }
}

/** Another call ends the run: this one, of which nothing was done, is not dispatched again. */
function leave({ state }: RoundContext, key: string): Settled {
  settleEntry(state.ledger, key, 'failed', null);
  return { status: 'cancelled', output: null };
}

/** Dispatches one call until its outcome is settled: done, failed, or unknown with what its tool wants of that. */
export async function runCall(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  key: string,
): Promise<Settled> {
  const { state } = context;
  const input = toolInput(context, call, policy, key);
  const giveUpMs = Date.now() + DEFAULTS.missingToolSeconds * 1000;
  let undone = 0;
  for (let waitMs = MIN_MS; ; waitMs = Math.min(waitMs * 2, 30_000)) {
    const outcome = await tryOnce(context, call, policy, input);
    switch (outcome.kind) {
      case 'done':
        settleEntry(state.ledger, key, 'done', outcome.output);
        return { status: 'completed', output: outcome.output };
      case 'failed':
        settleEntry(state.ledger, key, 'failed', outcome.output);
        return { status: 'failed', output: outcome.output };
      case 'cancelled':
        settleEntry(state.ledger, key, 'failed', null);
        return { status: 'cancelled', output: null };
      case 'not_started':
        // A queue that nobody polls is somebody's deploy; a worker that refuses again and again lacks the tool.
        if (
          Date.now() + waitMs >=
          (outcome.why === 'refused' ? Math.min(giveUpMs, deadlineMs(context)) : deadlineMs(context))
        ) {
          const output = errorOutput(
            'tool_unavailable',
            `${call.name} is not available now. Nothing was done.`,
          );
          settleEntry(state.ledger, key, 'failed', output);
          return { status: 'failed', output };
        }
        await confirmNews(context);
        await sleep(waitMs);
        await confirmNews(context);
        if (context.room.closed) return leave(context, key);
        continue;
      case 'unknown': {
        settleEntry(state.ledger, key, 'unknown', UNKNOWN_OUTPUT);
        const settled = await settleUnknown(context, call, policy, key, input).catch((error: unknown) => {
          if (!isCancellation(error)) throw error;
          // A cancel ends the asking, and makes nothing known.
          return { status: 'unknown_outcome' as const, output: UNKNOWN_OUTPUT };
        });
        if (settled === 'not_done' && patched('undone-again')) {
          const output = errorOutput('tool_failed', `${call.name} failed. Nothing was done.`);
          settleEntry(state.ledger, key, 'failed', output);
          undone += 1;
          if (undone >= UNDONE_TRIES || Date.now() + waitMs >= deadlineMs(context))
            return { status: 'failed', output };
          await sleep(waitMs);
          await confirmNews(context);
          if (context.room.closed) return leave(context, key);
        } else if (settled !== 'not_done' && settled !== 'run_again') return settled;
        openEntry(state.ledger, key, call);
      }
    }
  }
}

async function settleUnknown(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  key: string,
  input: ToolInput,
): Promise<Settled | 'run_again' | 'not_done'> {
  const { ledger } = context.state;
  if (CancellationScope.current().consideredCancelled)
    return { status: 'unknown_outcome', output: UNKNOWN_OUTPUT };
  if (policy.has_lookup) {
    await confirmNews(context);
    const found = await lookUp(context, call, policy, input);
    if (found.status === 'not_done') {
      await confirmNews(context);
      return 'not_done';
    }
    if (found.status === 'done') {
      settleEntry(ledger, key, 'done', found.output);
      return { status: 'completed', output: found.output };
    }
  }
  if (policy.on_unknown === 'tell_model') return { status: 'unknown_outcome', output: UNKNOWN_OUTPUT };
  if (policy.on_unknown === 'wait') {
    if (policy.guarded === true) await confirmOwnTask();
    const answer = await askPeople(context, call, policy, key, 'unknown_outcome');
    if (answer?.outcome === 'not_done') return 'run_again';
    const decision = recordOf(answer, Date.now());
    if (answer?.outcome === 'done') {
      settleEntry(ledger, key, 'done', answer.output);
      return { status: 'completed', output: answer.output, decision };
    }
    return { status: 'unknown_outcome', output: UNKNOWN_OUTPUT, end: 'effect_unknown', decision };
  }
  return { status: 'unknown_outcome', output: UNKNOWN_OUTPUT, end: 'effect_unknown' };
}
