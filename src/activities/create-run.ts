/** `drover.createRun`: makes the thread and the attempt on it; adopts the attempt that a lost answer left behind. */
import type { CreateSpec } from '../backends/backend.ts';
import type { RunObject } from '../run.ts';
import type { Created, CreateRunInput, CreateRunOutput } from '../steps.ts';
import { actAtProvider } from './act-at-provider.ts';
import { createOnNewThread } from './create-on-new-thread.ts';
import type { ActivityDeps } from './deps.ts';
import { CLOCK_SKEW_MS } from './lost-step.ts';
import type { RequestSource } from './request-source.ts';
import { attemptKey, resolveActingStep } from './resolve-step.ts';
import { limitsOf } from './run-limits.ts';

/** What the history need not hold at every look: it stands in the result once. */
export function withoutBulk(run: RunObject): RunObject {
  return { ...run, instructions: null, tools: null, required_action: null };
}

export async function createRun(
  deps: ActivityDeps,
  requests: RequestSource,
  input: CreateRunInput,
): Promise<CreateRunOutput> {
  const resolved = await resolveActingStep(deps, requests, input, attemptKey(input), input.number > 1);
  if ('kind' in resolved) return resolved;
  const { backend, run, request } = resolved;

  const acting = { backend: backend.name, told: input };
  const createOn = async (
    thread_id: string | null,
    suspect: boolean,
    signal: AbortSignal,
  ): Promise<Created> => {
    const spec: CreateSpec = {
      run,
      thread_id,
      include_input: !input.input_landed,
      find_since_ms: suspect ? input.since_ms - CLOCK_SKEW_MS : null,
      previous: input.previous,
      resume_outputs: input.resume_outputs,
    };
    const { observation, adopted, resumed } = await backend.create(spec, signal);
    const registered = await deps.searchAttributesRegistered();
    return {
      kind: 'created',
      attempt: observation.attempt,
      run: withoutBulk(observation.run),
      adopted,
      ambiguous: suspect && !adopted && !backend.capabilities.findByKey,
      findable: backend.capabilities.findByKey,
      resumed,
      backend: backend.name,
      ...limitsOf(deps.config, request),
      search_attributes: registered,
      waiting_attribute: registered,
    };
  };

  if (backend.capabilities.thread === 'required' && input.thread_id === null && backend.createThread) {
    const makeThread = backend.createThread.bind(backend, run);
    // Nothing can have run on a thread that is made just now.
    return createOnNewThread<Created>(acting, {
      makeThread,
      create: (threadId, signal) => createOn(threadId, false, signal),
    });
  }
  return actAtProvider<Created>({
    ...acting,
    act: (suspect, signal) => createOn(input.thread_id, suspect, signal),
  });
}
