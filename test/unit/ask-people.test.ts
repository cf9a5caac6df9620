import { describe, expect, test } from 'vitest';
import type { PlannedCall } from '../../src/steps.ts';
import { knownDecision, recordOf, refusedOutput, waitsOnPeople } from '../../src/workflows/ask-people.ts';
import type { Decided } from '../../src/workflows/drive-state.ts';

const planned = (fields: Partial<PlannedCall> = {}): PlannedCall => ({
  id: 'call_1',
  name: 'refund',
  arguments: '{}',
  effect_digest: 'effect-1',
  arguments_digest: 'arguments-1',
  policy: null,
  refusal: null,
  ...fields,
});
const decided = (fields: Partial<Decided> = {}): Decided => ({
  outcome: 'approve',
  by: 'anna',
  reason: null,
  at: 7,
  key: 'key/0',
  name: 'refund',
  effect_digest: 'effect-1',
  arguments_digest: 'arguments-1',
  ...fields,
});

describe('what people said before', () => {
  test('an approval is of one effect: not of the next equal one, not of an output', () => {
    const held = [decided()];
    expect(knownDecision(held, 'key/0', planned(), 'approval')).toEqual({
      outcome: 'approve',
      by: 'anna',
      reason: null,
      at: 7,
    });
    expect(knownDecision(held, 'key/1', planned(), 'approval')).toBeNull();
    expect(knownDecision(held, 'key/0', planned(), 'external')).toBeNull();
  });

  test('other arguments ask again, although they name the same effect', () => {
    const other = planned({ arguments_digest: 'arguments-2' });
    expect(knownDecision([decided()], 'key/0', other, 'approval')).toBeNull();
    expect(knownDecision([decided({ outcome: 'reject' })], 'key/0', other, 'approval')).toBeNull();
  });

  test.each(['reject', 'timed_out'] as const)('%s holds for every equal call', (outcome) => {
    const held = [decided({ outcome })];
    expect(knownDecision(held, 'key/1', planned(), 'approval')?.outcome).toBe(outcome);
    expect(knownDecision(held, 'key/1', planned({ name: 'other' }), 'approval')).toBeNull();
    expect(knownDecision(held, 'key/1', planned({ effect_digest: 'effect-2' }), 'approval')).toBeNull();
  });
});

test('what nobody decided is recorded as timed out, and the model is told which it was', () => {
  const silence = recordOf(null, 7_900);
  expect(silence).toEqual({ outcome: 'timed_out', by: null, reason: null, at: 7 });
  expect(JSON.parse(refusedOutput(silence)).error.code).toBe('undecided');
  const refusal = JSON.parse(refusedOutput({ ...silence, outcome: 'reject', reason: 'Too much.' })).error;
  expect(refusal.code).toBe('rejected');
  expect(refusal.message).toContain('Too much.');
});

test('a call waits on people where it needs approval or its tool is external', () => {
  expect(waitsOnPeople(planned())).toBe(false);
  expect(waitsOnPeople(planned({ needs_approval: true }))).toBe(true);
  expect(waitsOnPeople(planned({ policy: { external: true } as never }))).toBe(true);
});
