/** The request of a step and what the configuration makes of it. */
import type { RunRequest } from '../contract.ts';
import { resolveRun, type Resolved } from '../resolve-run.ts';
import type { AttemptOverrides } from '../steps.ts';
import type { ActivityDeps } from './deps.ts';
import type { RequestSource } from './request-source.ts';
import { resolveFailure } from './to-failure.ts';

export interface StepOfRun {
  readonly run_id: string;
  readonly overrides: AttemptOverrides;
  readonly request?: RunRequest;
}

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
