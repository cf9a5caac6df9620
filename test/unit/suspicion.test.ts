import { describe, expect, test } from 'vitest';
import { readStanding, type HistoryEvent, type Standing } from '../../src/activities/suspicion.ts';

const started = (before = ''): object => ({
  workflowExecutionStartedEventAttributes: { continuedExecutionRunId: before },
});
const completed = { workflowTaskCompletedEventAttributes: {} };
const failed = { workflowTaskFailedEventAttributes: {} };
const timedOut = (timeoutType: number): object => ({ workflowTaskTimedOutEventAttributes: { timeoutType } });
const START_TO_CLOSE = 1;
const SCHEDULE_TO_START = 2;
const terminated = { workflowExecutionTerminatedEventAttributes: {} };
const other = { activityTaskCompletedEventAttributes: {} };

const taskOf = (identity: string): object => ({ workflowTaskStartedEventAttributes: { identity } });

/** Executions by run id, each with its events in the order in which they came. */
const standingIn = (executions: Record<string, readonly object[]>): Promise<Standing> =>
  readStanding(
    async function* (runId) {
      yield* (executions[runId] ?? []).toReversed() as HistoryEvent[];
    },
    'this',
    'me',
  );
const lostIn = async (executions: Record<string, readonly object[]>): Promise<boolean> =>
  (await standingIn(executions)).suspect;

const scheduled = { workflowTaskScheduledEventAttributes: {} };

describe('a workflow task', () => {
  test.each([
    ['that started for this worker is ours', [started(), taskOf('me')], 'ours'],
    [
      'that started for another worker is not',
      [started(), taskOf('me'), completed, taskOf('other')],
      'not_ours',
    ],
    ['that has not started is not', [started(), taskOf('me'), completed, other, scheduled], 'not_ours'],
    [
      'that has yet to come, for news there are, is not',
      [started(), taskOf('me'), completed, other],
      'not_ours',
    ],
    ['that leaves no event, without news, may be', [started(), taskOf('me'), completed], 'unknown'],
    ['that was given up, and is tried again, may be', [started(), taskOf('me'), failed], 'unknown'],
    ['of a closed workflow may be', [started(), taskOf('me'), terminated], 'unknown'],
    ['of a workflow without a history may be', [], 'unknown'],
  ])('%s', async (_what, events, turn) => {
    expect((await standingIn({ this: events })).turn).toBe(turn);
  });
});

describe('a workflow task that was given up', () => {
  test.each([
    ['failed', failed],
    ['timed out while it was worked on', timedOut(START_TO_CLOSE)],
  ])('is seen where it %s after the last one that completed', async (_how, event) => {
    expect(await lostIn({ this: [started(), completed, other, event, other] })).toBe(true);
    expect(await lostIn({ this: [started(), event] })).toBe(true);
  });

  test('is none where it was never started, or where a later one completed', async () => {
    expect(await lostIn({ this: [started(), completed, timedOut(SCHEDULE_TO_START)] })).toBe(false);
    expect(await lostIn({ this: [started(), failed, completed, other] })).toBe(false);
    expect(await lostIn({ this: [started()] })).toBe(false);
  });

  test('is looked for before the task that continued as new, where no task of this execution has completed', async () => {
    const last = [other, failed, completed];
    expect(await lostIn({ before: [started(), completed, ...last], this: [started('before')] })).toBe(true);
    expect(
      await lostIn({ before: [started(), failed, completed, other, completed], this: [started('before')] }),
    ).toBe(false);
    expect(await lostIn({ before: [started(), ...last], this: [started('before'), completed] })).toBe(false);
  });
});
