/** The request of a step and what the configuration makes of it. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { RunRequest } from '../contract.ts';
import { resolveRun, type Resolved } from '../resolve-run.ts';
import type { AttemptOverrides, NotOurs, TryAgain } from '../steps.ts';
import { AGAIN_MS } from './act-at-provider.ts';
import type { ActivityDeps } from './deps.ts';
import type { RequestSource } from './request-source.ts';
import { standingOf } from './suspicion.ts';
import { forGood, resolveFailure } from './to-failure.ts';

export interface StepOfRun {
  readonly run_id: string;
  readonly overrides: AttemptOverrides;
  readonly request?: RunRequest;
}

/** The key that an attempt bears at its provider. */
export const attemptKey = (step: {
  readonly first_execution_run_id: string;
  readonly number: number;
}): string => `${step.first_execution_run_id}/${step.number}`;

export type ResolvedStep = Resolved & { readonly request: RunRequest };

/**
 * @param checked the request has been checked by an earlier step, and what was right then stays right
 * @throws ApplicationFailure `drover.invalid_request` with the issues, or `drover.<code>` of a refusal
 */
export async function resolveStep(
  deps: ActivityDeps,
  requests: RequestSource,
  step: StepOfRun,
  key: string,
  checked: boolean,
): Promise<ResolvedStep> {
  if (step.request) requests.keep(step.request);
  const request = step.request ?? (await requests.get());
  const options = {
    request,
    config: deps.config,
    runId: step.run_id,
    key,
    overrides: step.overrides,
    checked,
  };
  try {
    return { ...(await resolveRun(options)), request };
  } catch (error) {
    throw resolveFailure(error);
  }
}

/** {@link resolveStep} for a step that acts: a local activity is not retried, so what may pass is `again`. */
export async function resolveActingStep(
  deps: ActivityDeps,
  requests: RequestSource,
  step: StepOfRun & { readonly suspect: boolean; readonly events?: number; readonly deadline_ms: number },
  key: string,
  checked: boolean,
): Promise<ResolvedStep | TryAgain | NotOurs> {
  try {
    return await resolveStep(deps, requests, step, key, checked);
  } catch (error) {
    const nextMs = Date.now() + AGAIN_MS;
    if (error instanceof ApplicationFailure) {
      if (error.nonRetryable === true) throw error;
      if (nextMs >= step.deadline_ms) throw forGood(error);
    }
    if (!Context.current().info.isLocal) throw error;
    const { turn, suspect } = await standingOf(step);
    if (turn === 'not_ours') return { kind: 'not_ours' };
    return { kind: 'again', suspect, not_before_ms: nextMs };
  }
}
