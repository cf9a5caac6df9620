import { describe, expect, test } from 'vitest';
import type { Observation } from '../../src/backends/backend.ts';
import { pollAfterMs, pollObservations } from '../../src/backends/poll.ts';
import { readRun } from '../../src/run.ts';

function seen(status: string, lookAfterMs: number | null = null): Observation {
  const run = readRun({ id: 'run_1', status });
  if (run === null) throw new Error('no run');
  return {
    attempt: { id: 'run_1', thread_id: 't', key: 'k', provider_ids: ['run_1'], state: null },
    run,
    calls: [],
    unsupported_action: null,
    raw_code: null,
    look_after_ms: lookAfterMs,
    output: null,
  };
}

async function statuses(
  observations: readonly Observation[],
  wishes: (number | null)[] = [],
): Promise<readonly string[]> {
  const left = [...observations];
  const found: string[] = [];
  const options = {
    signal: new AbortController().signal,
    nextLook: (wish: number | null) => {
      wishes.push(wish);
      return 0;
    },
  };
  const read = (): Promise<Observation> => {
    const next = left.shift();
    return next ? Promise.resolve(next) : Promise.reject(new Error('read once too often'));
  };
  for await (const observation of pollObservations(read, options)) found.push(observation.run.status);
  return found;
}

describe('pollObservations', () => {
  test.each(['completed', 'failed', 'cancelled', 'incomplete', 'expired', 'requires_action'])(
    'ends after %s, which it yields',
    async (last) => {
      expect(await statuses([seen('queued'), seen('in_progress'), seen(last)])).toEqual([
        'queued',
        'in_progress',
        last,
      ]);
    },
  );

  test('goes on looking at cancelling and at a status that nobody knows', async () => {
    expect(await statuses([seen('cancelling'), seen('reticulating'), seen('completed')])).toEqual([
      'cancelling',
      'reticulating',
      'completed',
    ]);
  });

  test("asks for the next look once between two looks, with the provider's wish", async () => {
    const wishes: (number | null)[] = [];
    await statuses([seen('queued', 700), seen('in_progress'), seen('completed', 5)], wishes);
    expect(wishes).toEqual([700, null]);
  });

  test('is stopped by the signal in the middle of a wait', async () => {
    const controller = new AbortController();
    const watch = pollObservations(() => Promise.resolve(seen('in_progress')), {
      signal: controller.signal,
      nextLook: () => Number.POSITIVE_INFINITY,
    });
    await watch.next();
    const next = watch.next();
    controller.abort();
    await expect(next).rejects.toMatchObject({ name: 'BackendError', kind: 'aborted' });
  });

  test('does not look at all once the signal has fired', async () => {
    const watch = pollObservations(() => Promise.reject(new Error('looked')), {
      signal: AbortSignal.abort(),
      nextLook: () => 0,
    });
    await expect(watch.next()).rejects.toMatchObject({ kind: 'aborted' });
  });

  test('lets the error of a look through', async () => {
    const watch = pollObservations(() => Promise.reject(new Error('broken')), {
      signal: new AbortController().signal,
      nextLook: () => 0,
    });
    await expect(watch.next()).rejects.toThrow('broken');
  });
});

describe('pollAfterMs', () => {
  test.each([
    ['250', 250],
    ['0', null],
    ['soon', null],
    ['-5', null],
  ])('reads %s as %s', (value, expected) => {
    expect(pollAfterMs(new Headers({ 'openai-poll-after-ms': value }))).toBe(expected);
  });

  test('is null without the header', () => {
    expect(pollAfterMs(new Headers())).toBeNull();
  });
});
