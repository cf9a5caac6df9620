import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAsked, readWord, type TurnPolicy, type TurnsState } from '../../src/turns.ts';
import { ended, granted, join, left, refused, takeNext } from '../../src/workflows/turn-order.ts';
import { turnsDetails } from '../../src/workflows/turns-details.ts';

const idle: TurnsState = { holder: null, queue: [] };
const held = granted(idle, 'first', 0);
const ids = ({ queue }: TurnsState): readonly string[] => queue.map(({ run_id }) => run_id);

function joinAll(
  state: TurnsState,
  ...asked: readonly (readonly [string, TurnPolicy, number?])[]
): TurnsState {
  return asked.reduce(
    (now, [run_id, policy, since_ms], index) =>
      join(now, { run_id, policy, ...(since_ms === undefined ? {} : { since_ms }) }, 100 + index).state,
    state,
  );
}

describe('who comes next on a thread', () => {
  test('is who came first', () => {
    const state = joinAll(held, ['a', 'enqueue'], ['b', 'reject'], ['c', 'enqueue']);
    expect(ids(state)).toEqual(['a', 'b', 'c']);
    expect(takeNext(ended(state))).toMatchObject({ next: 'a' });
  });

  test('is who interrupts, and it cancels who has the turn and who interrupted before', () => {
    const state = joinAll(held, ['a', 'enqueue'], ['b', 'interrupt']);
    const again = join(state, { run_id: 'c', policy: 'interrupt' }, 200);
    expect(ids(again.state)).toEqual(['b', 'c', 'a']);
    expect(again.cancel).toEqual(['first', 'b']);
    expect(join(idle, { run_id: 'c', policy: 'interrupt' }, 0).cancel).toEqual([]);
  });

  test('is whoever asked first where a queue is made anew', () => {
    const state = joinAll(held, ['late', 'enqueue', 50], ['early', 'enqueue', 10], ['new', 'enqueue']);
    expect(ids(state)).toEqual(['early', 'late', 'new']);
  });

  test('does not change by asking twice; who has the turn is told again', () => {
    const state = joinAll(held, ['a', 'enqueue']);
    expect(join(state, { run_id: 'a', policy: 'interrupt' }, 300)).toEqual({
      state,
      cancel: [],
      tell: false,
    });
    expect(join(state, { run_id: 'first', policy: 'enqueue' }, 300)).toEqual({
      state,
      cancel: [],
      tell: true,
    });
  });

  test('is nobody who would not wait, once the thread is seen to be taken', () => {
    const { ids: told, state } = refused(joinAll(held, ['a', 'reject'], ['b', 'enqueue'], ['c', 'reject']));
    expect(told).toEqual(['a', 'c']);
    expect(ids(state)).toEqual(['b']);
  });

  test('is nobody who left, waiting or not', () => {
    const state = joinAll(held, ['a', 'enqueue'], ['b', 'enqueue']);
    expect(ids(left(state, 'a'))).toEqual(['b']);
    expect(left(state, 'first').holder).toBeNull();
    expect(takeNext(idle)).toBeNull();
  });

  test('loses nobody and serves nobody twice, whatever they ask', () => {
    const policy = fc.constantFrom<TurnPolicy>('enqueue', 'interrupt', 'reject');
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 20 }),
        fc.array(policy),
        (runs, kinds) => {
          const asked = runs.map((run, index) => [run, kinds[index] ?? 'enqueue'] as const);
          let state = joinAll(granted(idle, ' holder', 0), ...asked, ...asked);
          const served: string[] = [];
          for (let taken = takeNext(ended(state)); taken !== null; taken = takeNext(ended(state))) {
            served.push(taken.next);
            state = granted(taken.state, taken.next, 1);
          }
          expect(served.toSorted()).toEqual(runs.toSorted());
          const patient = (list: readonly string[]): readonly string[] =>
            list.filter((run) => asked.some(([id, kind]) => id === run && kind !== 'interrupt'));
          expect(patient(served)).toEqual(patient(runs));
        },
      ),
    );
  });
});

test('the details name who has the turn and who waits', () => {
  const shown = turnsDetails('thread_1', joinAll(held, ['a`', 'enqueue'], ['b', 'interrupt']));
  expect(shown).toContain('- **Its turn**: `first`');
  expect(shown).toContain('1. `b`, interrupt\n2. `a `, enqueue');
  const many = Array.from({ length: 25 }, (_, index) => [`run-${index}`, 'enqueue'] as const);
  expect(turnsDetails('thread_1', joinAll(held, ...many))).toContain('and 5 more');
});

test('what is no asking and no word is told from what is', () => {
  const asked = { run_id: 'a', policy: 'reject', since_ms: 1 };
  expect(readAsked(asked)).toEqual(asked);
  for (const wrong of [
    null,
    7,
    [],
    {},
    { ...asked, run_id: '' },
    { ...asked, policy: 'proceed' },
    { ...asked, since_ms: 'x' },
  ])
    expect(readAsked(wrong)).toBeNull();
  expect(readWord({ word: 'busy', run_id: 'a' })).toEqual({ word: 'busy', run_id: 'a' });
  for (const wrong of [undefined, 'go', {}, { word: 'busy' }, { word: 'stop' }])
    expect(readWord(wrong)).toBeNull();
});
