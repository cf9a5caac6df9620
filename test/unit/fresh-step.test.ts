import { describe, expect, test } from 'vitest';
import { isFirstTask, isFirstTaskAfter } from '../../src/workflows/fresh-step.ts';

describe('the first try of a step', () => {
  test('is certain in the first task of an execution that no other came before', () => {
    expect(isFirstTask(3, false)).toBe(true);
    expect(isFirstTask(3, true)).toBe(false);
    expect(isFirstTask(6, false)).toBe(false);
  });

  test('is certain where a round of completed calls has left what it must, and no more', () => {
    expect(isFirstTaskAfter({ from: 9, calls: 1, plain: true }, 15)).toBe(true);
    expect(isFirstTaskAfter({ from: 9, calls: 4, plain: true }, 24)).toBe(true);
  });

  test.each([
    ['a task was given up on the way', { from: 9, calls: 1, plain: true }, 18],
    ['the calls took several tasks', { from: 9, calls: 2, plain: true }, 21],
    ['a call failed, and may have left less', { from: 9, calls: 1, plain: false }, 15],
    ['nothing was dispatched', { from: 9, calls: 0, plain: true }, 12],
    ['another execution goes on with the round', { from: 90, calls: 1, plain: true }, 3],
  ])('is not certain where %s', (_what, trace, length) => {
    expect(isFirstTaskAfter(trace, length)).toBe(false);
  });
});
