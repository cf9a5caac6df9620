import { describe, expect, test } from 'vitest';
import type { RunFacts } from '../../faults/judge/facts.ts';
import { endsByTurns, judgeOrder } from '../../faults/judge/turns.ts';
import type { TurnPolicy } from '../../src/turns.ts';
import { Book } from '../support/faults-book.ts';

interface Told {
  readonly policy?: TurnPolicy;
  /** When its start began and was answered. */
  readonly start: readonly [number, number];
  /** When its attempt began; null: it never had one. */
  readonly born: number | null;
  readonly closed: number | null;
  readonly thread?: string;
}

function run(id: string, { policy = 'enqueue', start, born, closed, thread = 'thread_1' }: Told): RunFacts {
  const [plan] = new Book({ onThread: true }).evidence().plans;
  const life = { id: `run_${id}`, thread, bornAt: born ?? 0, bornSeq: born ?? 0 };
  return {
    plan: { ...plan!, id, onBusyThread: policy },
    start: { run: id, thread, begunAt: start[0], startedAt: start[1] },
    cancel: null,
    known: new Set(),
    final: { run: id, workflow: 'COMPLETED', closedAt: closed, word: null },
    lives: born === null ? [] : [{ ...life, endedAt: closed, endedSeq: closed, status: 'completed' }],
    statuses: [],
    exchanges: [],
    tools: [],
    people: [],
    heard: [],
    threads: [thread],
    calls: new Map(),
  };
}

const first = run('first', { start: [0, 10], born: 100, closed: 500 });
const second = run('second', { start: [20, 30], born: 600, closed: 900 });
const found = (...runs: readonly RunFacts[]): readonly string[] =>
  runs.flatMap((one) => judgeOrder(one, runs).map(({ what }) => what));

describe('order_violations', () => {
  test('there are none where each began after the one before had closed', () => {
    expect(found(first, second)).toEqual([]);
    expect(
      found(first, run('elsewhere', { start: [20, 30], born: 200, closed: 300, thread: 'thread_2' })),
    ).toEqual([]);
    expect(found(first, run('refused', { start: [20, 30], born: null, closed: 90 }))).toEqual([]);
  });

  test('a run that began while another one had the turn', () => {
    const hasty = run('hasty', { start: [20, 30], born: 400, closed: 900 });
    expect(judgeOrder(hasty, [first, hasty])).toMatchObject([{ kind: 'order_violations', run: 'hasty' }]);
    expect(found(first, run('hasty', { start: [20, 30], born: 400, closed: 900 }))).toEqual([
      'it began while the turn was that of first',
    ]);
    expect(found(run('open', { start: [0, 10], born: 100, closed: null }), second)).toHaveLength(1);
  });

  test('a run that began after one whose start came later, unless that one interrupts', () => {
    const ahead = { start: [40, 50], born: 550, closed: 590 } as const;
    expect(found(first, second, run('ahead', ahead))).toEqual([
      'it was started before, and began after, ahead',
    ]);
    expect(found(first, second, run('ahead', { ...ahead, policy: 'interrupt' }))).toEqual([]);
    // Their starts overlapped: either may come first.
    expect(found(first, second, run('beside', { ...ahead, start: [25, 50] }))).toEqual([]);
  });
});

describe('ends that other runs of the thread explain', () => {
  test('are a cancel where one interrupts before it has closed', () => {
    const interrupts = (at: number): RunFacts =>
      run('urgent', { policy: 'interrupt', start: [at, at + 10], born: 700, closed: 900 });
    expect(endsByTurns(first, [first, interrupts(300)])).toEqual(['cancelled']);
    expect(endsByTurns(first, [first, interrupts(501)])).toEqual([]);
    expect(endsByTurns(first, [first, second])).toEqual([]);
    // One that had closed before this one was started has interrupted nobody.
    expect(
      endsByTurns(run('after', { start: [901, 910], born: 920, closed: 990 }), [interrupts(300)]),
    ).toEqual([]);
  });

  test('are a busy thread where it would not wait, and somebody was there', () => {
    const told = { policy: 'reject', start: [20, 30], born: null, closed: 90 } as const;
    const impatient = run('impatient', told);
    expect(endsByTurns(impatient, [first, impatient])).toEqual(['thread_busy']);
    expect(endsByTurns(impatient, [impatient])).toEqual([]);
    const late = run('late', { ...told, start: [500 + 6_000, 500 + 6_010], closed: 500 + 6_100 });
    expect(endsByTurns(late, [first, late])).toEqual([]);
  });
});
