/** `drover.submitOutputs`: hands in all outputs of a round at once, never twice where that can be known. */
import { Context } from '@temporalio/activity';
import type { SubmitOutputsInput, SubmitOutputsOutput } from '../steps.ts';
import { actAtProvider } from './act-at-provider.ts';
import type { ActivityDeps } from './deps.ts';
import type { RequestSource } from './request-source.ts';
import { resolveActingStep } from './resolve-step.ts';
import { MISSED_DELAY_MS } from './to-failure.ts';

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
    readError: ({ kind }) => {
      if (kind !== 'not_found') return null;
      // One 404 is not believed: the plain activity that follows asks a second time.
      const { isLocal } = Context.current().info;
      return isLocal
        ? { kind: 'again', suspect: false, not_before_ms: Date.now() + MISSED_DELAY_MS }
        : { kind: 'gone' };
    },
  });
}
