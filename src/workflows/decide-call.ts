/** The Update `decide`: checked, authorized by the worker's configuration, then handed to the call that waits. */
import { isCancellation } from '@temporalio/workflow';
import { NAMES } from '../contract.ts';
import type { Decision } from '../decisions.ts';
import type { AuthorizeDecisionInput, AuthorizeDecisionOutput } from '../steps.ts';
import { checkDecision, refuse } from './check-decision.ts';
import { localStep } from './local-step.ts';
import type { RoundContext } from './round-context.ts';
import type { Waiting } from './waiting-room.ts';

async function authorize(context: RoundContext, waiting: Waiting, decision: Decision): Promise<void> {
  const input: AuthorizeDecisionInput = {
    run_id: context.runId,
    call: waiting.call,
    decision,
    context: context.request.context ?? null,
  };
  let said: AuthorizeDecisionOutput;
  try {
    // Local: its answer is recorded with the Update, and no query can run ahead of it.
    said = await localStep<AuthorizeDecisionOutput>(NAMES.activities.authorizeDecision, [input], {
      startToCloseTimeout: '30 seconds',
      scheduleToCloseTimeout: '2 minutes',
      retry: { maximumAttempts: 5, initialInterval: '1 second' },
      summary: `${waiting.call.name} · ${waiting.call.tool_call_id.slice(0, 64)}`,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    refuse('not_authorized', '`authorizeDecision` could not be asked. Nothing was decided; try again.');
  }
  if (!said.allowed) refuse('not_authorized', said.reason);
}

/** @throws ApplicationFailure `drover.decision_refused` */
export async function decideCall(context: RoundContext, decision: Decision): Promise<void> {
  const { room, state } = context;
  state.updates = (state.updates ?? 0) + 1;
  const waiting = checkDecision(decision, room);
  waiting.deciding = true;
  try {
    if (waiting.guarded) await authorize(context, waiting, decision);
  } finally {
    waiting.deciding = false;
  }
  // Its time may have run out meanwhile, or the run was cancelled.
  if (room.calls.get(decision.key) !== waiting) refuse('unknown_call', 'This call no longer waits.');
  waiting.decision = decision;
}
