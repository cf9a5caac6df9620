/** The limits of a run: what its request says, else the configuration, never above the configuration's ceilings. Pure. */
import type { LoadedConfig } from '../config.ts';
import { DEFAULTS } from '../contract.ts';
import type { RetryPolicy, RunLimits, RunRequest } from '../contract.ts';

/** What holds where nobody says anything: a limit that is not named here is none. */
const UNSAID: RunLimits = { deadline_seconds: DEFAULTS.deadlineSeconds, rounds: DEFAULTS.rounds };

export function limitsOf(
  config: Pick<LoadedConfig, 'limits' | 'retry' | 'ceilings'>,
  request: Pick<RunRequest, 'limits' | 'retry'>,
): { readonly limits: RunLimits; readonly retry: RetryPolicy } {
  const limits: RunLimits = { ...config.limits, ...request.limits };
  const retry: RetryPolicy = { ...config.retry, ...request.retry };
  const { attempts: most, ...ceilings } = config.ceilings;
  const wanted: RunLimits = { ...UNSAID, ...limits };
  const capped = Object.entries(ceilings).map(([name, ceiling]) => [
    name,
    Math.min(wanted[name as keyof typeof ceilings] ?? Infinity, ceiling),
  ]);
  return {
    limits: { ...limits, ...Object.fromEntries(capped) },
    retry:
      most === undefined
        ? retry
        : { ...retry, attempts: Math.min(retry.attempts ?? DEFAULTS.attempts, most) },
  };
}
