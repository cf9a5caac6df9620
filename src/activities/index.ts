/** Every activity of a Drover worker, built over one configuration. */
import { NAMES } from '../contract.ts';
import type {
  AuthorizeDecisionInput,
  AwaitRunInput,
  CancelRunInput,
  CreateRunInput,
  SubmitOutputsInput,
} from '../steps.ts';
import { authorizeDecision } from './authorize-decision.ts';
import type { AwaitEndInput } from '../turns.ts';
import { awaitEnd } from './await-end.ts';
import { awaitRun } from './await-run.ts';
import { boundAnswer } from './bound-answer.ts';
import { cancelRun } from './cancel-run.ts';
import { confirmTask } from './confirm-task.ts';
import { createRun } from './create-run.ts';
import type { ActivityDeps } from './deps.ts';
import { RequestSource } from './request-source.ts';
import { SecretKeeper } from './secret-keeper.ts';
import { submitOutputs } from './submit-outputs.ts';
import { takePlace } from './take-place.ts';
import { createToolActivities } from './tools.ts';
import { WaitCensus } from './wait-census.ts';

export type { ActivityDeps } from './deps.ts';

/**
 * Activities by their names in Temporal. Drover's own carry a dot, which no function name can; every other
 * name goes to `default`, where the registry decides whether there is such a tool.
 */
export function createActivities(
  config: ActivityDeps['config'],
  options: Partial<Omit<ActivityDeps, 'config'>> = {},
) {
  const secrets = new SecretKeeper(config.secrets);
  const deps: ActivityDeps = {
    config: { ...config, secrets: secrets.source },
    holds: options.holds ?? { count: 0 },
    waits: new WaitCensus(),
    shutdownSignal: options.shutdownSignal ?? new AbortController().signal,
    searchAttributesRegistered: options.searchAttributesRegistered ?? (() => Promise.resolve(false)),
  };
  const requests = new RequestSource();
  const tools = createToolActivities({ registry: config.registry, mask: secrets.mask });
  const step = <I, O extends object>(act: (input: I) => Promise<O>): ((input: I) => Promise<O>) =>
    secrets.withhold(async (input) => boundAnswer(await act(input)));
  const { createRun: create, submitOutputs: submit, awaitRun: wait, cancelRun: cancel } = NAMES.activities;
  return {
    [create]: step((input: CreateRunInput) => createRun(deps, requests, input)),
    [submit]: step((input: SubmitOutputsInput) => submitOutputs(deps, requests, input)),
    [wait]: step((input: AwaitRunInput) => awaitRun(deps, requests, input)),
    [cancel]: step((input: CancelRunInput) => cancelRun(deps, requests, input)),
    [NAMES.activities.authorizeDecision]: secrets.withhold((input: AuthorizeDecisionInput) =>
      authorizeDecision(deps, input),
    ),
    [NAMES.activities.confirmTask]: confirmTask,
    [NAMES.activities.takePlace]: takePlace,
    [NAMES.activities.awaitEnd]: (input: AwaitEndInput) => awaitEnd(deps, input),
    [NAMES.activities.lookupEffect]: tools.lookupEffect,
    default: tools.runTool,
  };
}
