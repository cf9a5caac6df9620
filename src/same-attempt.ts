/** How two executions of one run stand to an attempt. Pure. */
import type { AttemptRef } from './steps.ts';

/**
 * Whether an execution that drives `driven` has the step at which `attempt` stands, or comes to it yet (it was reset to an
 * earlier one). Two that went on from one step each on their own have what is behind in common, and are not the same.
 */
export function standsWith(driven: AttemptRef, attempt: AttemptRef): 'has' | 'behind' | 'apart' {
  if (driven.id === attempt.id || driven.provider_ids.includes(attempt.id)) return 'has';
  return attempt.provider_ids.includes(driven.id) ? 'behind' : 'apart';
}
