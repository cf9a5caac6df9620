/** What a local activity reads off its run's history before it acts. */
import { describe, expect, test } from 'vitest';
import { readTaskEvents } from '../../src/activities/suspicion.ts';
import type { HistoryEvent } from '../../src/activities/suspicion.ts';

const US = 'us@here';
const SCHEDULE_TO_START = 2;
const START_TO_CLOSE = 1;

const scheduled = { workflowTaskScheduledEventAttributes: {} };
const started = (identity = US) => ({ workflowTaskStartedEventAttributes: { identity } });
const completed = { workflowTaskCompletedEventAttributes: {} };
const timedOut = (timeoutType: number) => ({ workflowTaskTimedOutEventAttributes: { timeoutType } });
const failed = { workflowTaskFailedEventAttributes: {} };
const toolDone = { activityTaskCompletedEventAttributes: {} };
const begun = { workflowExecutionStartedEventAttributes: {} };

/** Reads a history that is told oldest first, as it happened. */
const read = (...events: readonly object[]) => readTaskEvents([...events].toReversed(), US);

describe('a local activity', () => {
  test('acts in the first task of its worker', () => {
    expect(read(begun, scheduled, started())).toBe('first');
    expect(read(completed, toolDone, scheduled, started())).toBe('first');
    expect(read(completed, scheduled, started(), toolDone)).toBe('first');
  });

  test('looks first where a task before it started and did not complete', () => {
    const lost = [completed, scheduled, started('dead'), timedOut(START_TO_CLOSE)];
    expect(read(...lost)).toBe('again');
    expect(read(...lost, scheduled, started())).toBe('again');
    expect(read(completed, scheduled, started('dead'), failed)).toBe('again');
  });

  test('takes a task that never started for none', () => {
    const passed = [completed, scheduled, timedOut(SCHEDULE_TO_START), scheduled];
    expect(read(...passed, started())).toBe('first');
  });

  test('does not act where another worker has the task', () => {
    expect(read(completed, toolDone, scheduled, started('other'))).toBe('not_ours');
    expect(read(completed, scheduled, started(), timedOut(START_TO_CLOSE), scheduled, started('other'))).toBe(
      'not_ours',
    );
  });

  test('does not act where no worker has a task: a query made the workflow go on', () => {
    expect(read(completed, toolDone, scheduled)).toBe('not_ours');
    expect(read(completed, toolDone, scheduled, timedOut(SCHEDULE_TO_START), scheduled)).toBe('not_ours');
    expect(read(completed, toolDone)).toBe('not_ours');
  });

  test('reads on from page to page', () => {
    expect(readTaskEvents([toolDone, started()] as HistoryEvent[], US)).toEqual({ isOpen: false });
    expect(readTaskEvents([scheduled, completed] as HistoryEvent[], US, false)).toBe('first');
    expect(readTaskEvents([toolDone] as HistoryEvent[], US)).toEqual({ isOpen: true });
  });
});
