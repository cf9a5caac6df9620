import { describe, expect, test } from 'vitest';
import { limitsOf } from '../../src/activities/run-limits.ts';
import { initialState, totalCost, type DriveState } from '../../src/workflows/drive-state.ts';
import { spentUp } from '../../src/workflows/spending.ts';

const usage = (total: number) => ({ prompt_tokens: 0, completion_tokens: total, total_tokens: total });

function spent(
  limits: DriveState['limits'],
  ...attempts: readonly (readonly [tokens: number | null, cost?: number])[]
): DriveState {
  const state = initialState({ assistant_id: 'a' }, 0);
  state.limits = limits;
  for (const [index, [tokens, cost]] of attempts.entries()) {
    state.attempts.push({
      number: index + 1,
      id: `run_${index}`,
      provider_ids: [],
      status: 'failed',
      reason: null,
      raw_code: null,
      created_at: 0,
      ended_at: null,
      adopted: false,
      ambiguous_create: false,
      usage: tokens === null ? null : usage(tokens),
      ...(cost === undefined ? {} : { cost }),
    });
  }
  return state;
}

describe('what a run may spend', () => {
  test.each([
    ['nothing is limited', spent({}, [1_000_000, 99]), null],
    ['all attempts are below the limit of tokens', spent({ tokens: 100 }, [50], [49]), null],
    ['all attempts together reach it', spent({ tokens: 100 }, [50], [50]), 'token_limit'],
    ['nothing is known to be spent', spent({ tokens: 1, cost: 1 }, [null]), null],
    ['the cost is below its limit', spent({ cost: 1 }, [50, 0.5], [50, 0.49]), null],
    ['the cost reaches it', spent({ cost: 1 }, [50, 0.5], [50, 0.5]), 'cost_limit'],
    ['tokens were spent whose cost nobody tells', spent({ cost: 1 }, [50, 0.1], [50]), 'cost_limit'],
    ['an attempt that spent nothing has no cost', spent({ cost: 1 }, [0]), null],
  ] as const)('%s', (_what, state, code) => {
    expect(spentUp(state)).toBe(code);
  });

  test('costs of attempts are summed, and there is none where no attempt has one', () => {
    expect(totalCost(spent({}, [1, 0.25], [1], [1, 0.5]))).toBe(0.75);
    expect(totalCost(spent({}, [1]))).toBeUndefined();
  });
});

describe('the limits of a run', () => {
  const config = (ceilings: object, limits: object = {}, retry: object = {}) => ({ ceilings, limits, retry });

  test("are the request's, then the configuration's", () => {
    const { limits, retry } = limitsOf(config({}, { rounds: 4, tokens: 9 }, { attempts: 2 }), {
      limits: { rounds: 5 },
    });
    expect(limits).toEqual({ rounds: 5, tokens: 9 });
    expect(retry).toEqual({ attempts: 2 });
  });

  test('are never above the ceilings, said or not', () => {
    const ceilings = { rounds: 8, tokens: 1_000, deadline_seconds: 60, attempts: 2, cost: 3 };
    expect(
      limitsOf(config(ceilings), { limits: { rounds: 99, tokens: 50 }, retry: { attempts: 9 } }),
    ).toEqual({
      limits: { rounds: 8, tokens: 50, deadline_seconds: 60, cost: 3 },
      retry: { attempts: 2 },
    });
  });

  test('are left alone by a ceiling that is higher than the default', () => {
    const ceilings = { rounds: 99, deadline_seconds: 99_999, attempts: 9 };
    expect(limitsOf(config(ceilings), {})).toEqual({
      limits: { rounds: 32, deadline_seconds: 3_600 },
      retry: { attempts: 3 },
    });
  });
});
