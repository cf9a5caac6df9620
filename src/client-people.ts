/** Sends people's decisions to a run, and reads what waits for them. */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { NAMES } from './contract.ts';
import type { SettleEffect } from './contract.ts';
import { DECISION_REFUSED } from './decisions.ts';
import type { Decision, WaitingCall } from './decisions.ts';
import { DecisionRefusedError, isDecisionRefusal } from './errors.ts';

/** What of a call that waits a decision is bound to. */
export type CallShown = Pick<WaitingCall, 'key' | 'arguments_digest'>;

export interface DecisionWords {
  /** Who decides. */
  readonly by?: string;
  /** Why; of a rejection the model reads it. */
  readonly reason?: string;
}

/** A run that waits on people. */
export interface WaitingRun {
  readonly id: string;
  /** Null where no worker answered for the run. */
  readonly calls: readonly WaitingCall[] | null;
}

/** Temporal's word for an Update that was accepted by a workflow which then closed. */
const CLOSED_MEANWHILE = 'AcceptedUpdateCompletedWorkflow';

/** The run was cancelled, or ended, while the decision was looked at. */
function hasEndedMeanwhile(cause: unknown): boolean {
  if (cause instanceof ActivityFailure) return hasEndedMeanwhile(cause.cause);
  if (cause instanceof CancelledFailure) return true;
  return cause instanceof ApplicationFailure && cause.type === CLOSED_MEANWHILE;
}

/** A refused Update as the error that it stands for; anything else as it is. */
function readRefusal(runId: string, error: unknown): unknown {
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  const { cause } = error;
  if (hasEndedMeanwhile(cause)) return closedRun(runId, error);
  if (!(cause instanceof ApplicationFailure) || cause.type !== DECISION_REFUSED) return error;
  const code = (cause.details?.[0] as { readonly code?: unknown } | undefined)?.code;
  if (!isDecisionRefusal(code)) return error;
  return new DecisionRefusedError(runId, code, cause.message, error);
}

async function update(
  workflow: WorkflowHandle,
  name: string,
  payload: Decision | SettleEffect,
): Promise<void> {
  try {
    await workflow.executeUpdate<void, [typeof payload]>(name, { args: [payload] });
  } catch (error) {
    throw readRefusal(workflow.workflowId, error);
  }
}

/** @throws DecisionRefusedError; Temporal's errors */
export const sendDecision = (workflow: WorkflowHandle, decision: Decision): Promise<void> =>
  update(workflow, NAMES.updates.decide, decision);

/** @throws DecisionRefusedError; Temporal's errors */
export const sendSettlement = (workflow: WorkflowHandle, answer: SettleEffect): Promise<void> =>
  update(workflow, NAMES.updates.settleEffect, answer);

/** A closed run waits for nobody. */
export const closedRun = (runId: string, cause: unknown): DecisionRefusedError =>
  new DecisionRefusedError(runId, 'unknown_call', 'the run has ended and waits for nobody.', cause);
