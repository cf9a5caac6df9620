/** `drover.submitOutputs`: hands in all outputs of a round at once, never twice where that can be known. */
import type { SubmitOutputsInput, SubmitOutputsOutput } from '../steps.ts';
import { actAtProvider } from './act-at-provider.ts';
import type { ActivityDeps } from './deps.ts';
import type { RequestSource } from './request-source.ts';
import { resolveActingStep } from './resolve-step.ts';

export async function submitOutputs(
  deps: ActivityDeps,
  requests: RequestSource,
  input: SubmitOutputsInput,
): Promise<SubmitOutputsOutput> {
  const resolved = await resolveActingStep(deps, requests, input, input.attempt.key, true);
  if ('kind' in resolved) return resolved;
  const { backend, run } = resolved;
  return actAtProvider<SubmitOutputsOutput>({
    backend: backend.name,
    told: input,
    act: async (suspect, signal) => {
      const observation = await backend.submit(input.attempt, input.outputs, run, { suspect, signal });
      return {
        kind: 'submitted',
        attempt: observation.attempt,
        ambiguous: suspect && observation.adopted !== true && !backend.capabilities.findByKey,
      };
    },
    readError: (error) => (error.kind === 'not_found' ? { kind: 'gone' } : null),
  });
}
