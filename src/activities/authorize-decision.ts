/** `drover.authorizeDecision`: asks the configuration whether a decision counts. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { AuthorizeDecisionInput, AuthorizeDecisionOutput } from '../steps.ts';
import type { ActivityDeps } from './deps.ts';
import { errorName } from './tool-failure.ts';

/** It is read by whoever decided, and stands in the history. */
const REASON_CHARS = 500;

export async function authorizeDecision(
  { config }: Pick<ActivityDeps, 'config'>,
  { run_id, call, decision, context }: AuthorizeDecisionInput,
): Promise<AuthorizeDecisionOutput> {
  const { authorizeDecision: authorize } = config;
  if (authorize === undefined) return { allowed: true };
  let said: unknown;
  try {
    said = await authorize(decision, { ...call, run_id }, context);
  } catch (error) {
    // Its message may hold anything: neither the history nor the log gets it.
    Context.current().log.warn('authorizeDecision threw', { tool: call.name, errorName: errorName(error) });
    const message = `authorizeDecision threw ${errorName(error)}`;
    throw ApplicationFailure.create({ type: 'drover.authorization_failed', message });
  }
  if (said === true) return { allowed: true };
  const reason = typeof said === 'string' && said !== '' ? said : 'You may not decide on this call.';
  return { allowed: false, reason: reason.slice(0, REASON_CHARS).toWellFormed() };
}
