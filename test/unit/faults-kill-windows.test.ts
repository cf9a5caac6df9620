import { describe, expect, test } from 'vitest';
import { tasksOf } from '../../faults/histories.ts';
import { readFacts } from '../../faults/judge/facts.ts';
import { classifyKills } from '../../faults/kill-windows.ts';
import type { WorkflowTask } from '../../faults/kill-windows.ts';
import { answered, Book, callId, effect, RUN } from '../support/faults-book.ts';

const PID = 7;

/** What a kill of worker 7, or of another one, at this moment falls into. */
function windows(book: Book, options: { at?: number; pid?: number; tasks?: readonly WorkflowTask[] } = {}) {
  const { at = book.now, pid = PID, tasks = [] } = options;
  book.nemesis.push({ kind: 'worker_killed', pid, at, aimed: null });
  return [...classifyKills(readFacts(book.evidence()), tasks).values()][0];
}

const task = (more: Partial<WorkflowTask> = {}): WorkflowTask => ({
  run: RUN,
  pid: PID,
  startedAt: 100,
  endedAt: 10_100,
  completed: false,
  continues: false,
  continued: false,
  ...more,
});

describe('a kill between a create that acted and its answer', () => {
  const book = (): { held: Book; at: number } => {
    const held = new Book();
    const request = held.askCreate(true, PID);
    held.becomes('run_1', 'queued');
    const at = held.now + 5;
    held.wait(100).answer(request, 'run_1', { delivered: false });
    return { held, at };
  };

  test('is one', () => {
    const { held, at } = book();
    expect(windows(held, { at })).toEqual(['create']);
  });

  test('is none of another worker, nor before it acted, nor after its answer', () => {
    for (const more of [{ pid: 8 }, { at: 1_005 }, { at: 9_999 }]) {
      const { held, at } = book();
      expect(windows(held, { at, ...more })).toEqual([]);
    }
  });
});

test('a kill between a submit that acted and its answer, on either wire', () => {
  for (const wire of ['assistants', 'responses'] as const) {
    const book = new Book({ wire }).create('run_1').becomes('run_1', 'requires_action');
    const request = book.askSubmit('run_1', [[callId(0), answered(1)]], PID);
    const made = wire === 'assistants' ? 'run_1' : 'resp_2';
    book.becomes(made, 'queued');
    const at = book.now + 5;
    book.wait(100).answer(request, made, { delivered: false });
    expect(windows(book, { at })).toEqual(['submit']);
  }
});

test('a kill between an effect and its answer', () => {
  const held = effect('pay', { hold_ms: 500 });
  const book = (): Book => new Book().acts(held, 1, { pid: PID });
  expect(windows(book().wait(400))).toEqual(['effect']);
  expect(windows(book().wait(600))).toEqual([]);
  expect(windows(new Book().tool('started', held, 1, { pid: PID }))).toEqual([]);
});

test('a kill inside a wait: its last look showed an attempt that thinks', () => {
  const book = (to: string): Book => new Book().create('run_1').becomes('run_1', to).look('run_1', PID);
  expect(windows(book('in_progress').wait(800))).toEqual(['wait']);
  expect(windows(book('requires_action').wait(800))).toEqual([]);
  expect(windows(book('completed').wait(800))).toEqual([]);
  expect(windows(book('in_progress').look('run_1', 8).wait(800))).toEqual([]);
});

test('a kill inside a workflow task: it started and never completed', () => {
  expect(windows(new Book(), { at: 500, tasks: [task()] })).toEqual(['workflow_task']);
  expect(windows(new Book(), { at: 500, tasks: [task({ completed: true })] })).toEqual([]);
  expect(windows(new Book(), { at: 500, tasks: [task({ pid: 8 })] })).toEqual([]);
  expect(windows(new Book(), { at: 50, tasks: [task()] })).toEqual([]);
});

test('a kill around a continue-as-new, before or after it', () => {
  const before = task({ completed: true, continues: true, startedAt: 1_990, endedAt: 2_000 });
  const after = task({ completed: true, continued: true, startedAt: 2_010, endedAt: 2_500 });
  expect(windows(new Book(), { at: 1_500, tasks: [before] })).toEqual(['continue_as_new']);
  expect(windows(new Book(), { at: 2_800, tasks: [after] })).toEqual(['continue_as_new']);
  expect(windows(new Book(), { at: 4_000, tasks: [before, after] })).toEqual([]);
  expect(windows(new Book(), { at: 2_000, tasks: [task({ completed: true })] })).toEqual([]);
});

test('workflow tasks are read off a history', () => {
  const at = (seconds: number) => ({ eventTime: { seconds, nanos: 0 } }) as object;
  const started = (id: number, seconds: number) => ({
    eventId: id,
    ...at(seconds),
    workflowTaskStartedEventAttributes: { identity: `faults-${PID}` },
  });
  const events = [
    { eventId: 1, ...at(1), workflowExecutionStartedEventAttributes: { continuedExecutionRunId: 'before' } },
    started(3, 2),
    { eventId: 4, ...at(12), workflowTaskTimedOutEventAttributes: { startedEventId: 3 } },
    started(6, 13),
    { eventId: 7, ...at(14), workflowTaskCompletedEventAttributes: { startedEventId: 6 } },
    {
      eventId: 8,
      ...at(14),
      workflowExecutionContinuedAsNewEventAttributes: { workflowTaskCompletedEventId: 7 },
    },
  ];
  expect(tasksOf(RUN, events as unknown as Parameters<typeof tasksOf>[1])).toEqual([
    task({ startedAt: 2_000, endedAt: 12_000, continued: true }),
    task({ startedAt: 13_000, endedAt: 14_000, completed: true, continues: true }),
  ]);
});
