/** The limits of a run: what its request says, else the configuration, never above the configuration's ceilings. Pure. */
import type { Ceilings, LoadedConfig } from '../config.ts';
import { DEFAULTS } from '../contract.ts';
import type { RetryPolicy, RunLimits, RunRequest } from '../contract.ts';

/** What holds where nobody says anything; a limit that is not named here is none. */
const UNSAID = {
  deadline_seconds: DEFAULTS.deadlineSeconds,
  rounds: DEFAULTS.rounds,
  attempt_seconds: undefined,
  tokens: undefined,
  cost: undefined,
} as const satisfies { readonly [K in keyof Ceilings]?: number | undefined };

type Capped = keyof typeof UNSAID;

const lower = (own: number | undefined, ceiling: number | undefined): number | undefined =>
  ceiling === undefined ? own : Math.min(own ?? Infinity, ceiling);

export function limitsOf(
  config: Pick<LoadedConfig, 'limits' | 'retry' | 'ceilings'>,
  request: Pick<RunRequest, 'limits' | 'retry'>,
): { readonly limits: RunLimits; readonly retry: RetryPolicy } {
  const limits: RunLimits = { ...config.limits, ...request.limits };
  const retry: RetryPolicy = { ...config.retry, ...request.retry };
  const { attempts: most, ...ceilings } = config.ceilings;
  const capped = (Object.keys(UNSAID) as Capped[]).flatMap((name): [Capped, number][] => {
    if (ceilings[name] === undefined) return [];
    const value = lower(limits[name] ?? UNSAID[name], ceilings[name]);
    return value === undefined ? [] : [[name, value]];
  });
  const attempts = lower(retry.attempts ?? DEFAULTS.attempts, most);
  return {
    limits: { ...limits, ...Object.fromEntries(capped) },
    retry: most === undefined || attempts === undefined ? retry : { ...retry, attempts },
  };
}
