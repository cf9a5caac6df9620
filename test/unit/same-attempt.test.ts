/** Whether an execution of a run drives the attempt that another one of it left. */
import { describe, expect, test } from 'vitest';
import { standsWith } from '../../src/same-attempt.ts';
import type { AttemptRef } from '../../src/steps.ts';

/** An attempt that stands at the last of these ids. */
const at = (...ids: readonly [string, ...string[]]): AttemptRef => ({
  id: ids.at(-1) ?? '',
  thread_id: null,
  key: 'execution/1',
  provider_ids: ids,
  state: null,
});

describe('an execution', () => {
  test('has the step of another one where it stands there, or has gone on from there', () => {
    expect(standsWith(at('resp_1'), at('resp_1'))).toBe('has');
    expect(standsWith(at('resp_1', 'resp_2'), at('resp_1'))).toBe('has');
  });

  test('is behind where it was reset to before the step', () => {
    expect(standsWith(at('resp_1'), at('resp_1', 'resp_2'))).toBe('behind');
  });

  test('is apart where both went on from one step, each by a step of its own', () => {
    expect(standsWith(at('resp_1', 'resp_2b'), at('resp_1', 'resp_2a'))).toBe('apart');
    expect(standsWith(at('run_2'), at('run_1'))).toBe('apart');
  });
});
