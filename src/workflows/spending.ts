/** Whether a run has spent what it may. Pure; asked before each step that spends. */
import type { EndCode } from '../failures.ts';
import { totalCost, totalUsage, type DriveState } from './drive-state.ts';

/**
 * The code by which a run ends that has reached a limit of what it spends; null where it may go on. A limit of cost also
 * stops a run of which nobody can tell the cost: tokens were spent, and no price was told for them.
 */
export function spentUp(state: DriveState): EndCode | null {
  const { tokens, cost } = state.limits;
  if (tokens !== undefined && totalUsage(state).total_tokens >= tokens) return 'token_limit';
  if (cost === undefined) return null;
  const unpriced = state.attempts.some(
    ({ usage, cost: told }) => usage !== null && usage.total_tokens > 0 && told === undefined,
  );
  return unpriced || (totalCost(state) ?? 0) >= cost ? 'cost_limit' : null;
}
