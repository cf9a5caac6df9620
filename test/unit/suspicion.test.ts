import { describe, expect, test } from 'vitest';
import {
  readStanding,
  standingAt,
  type HistoryEvent,
  type Reading,
  type Standing,
} from '../../src/activities/suspicion.ts';

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

/**
 * Executions by run id, each with its events in the order in which they came.
 *
 * @param events of the execution when the workflow came to the step
 */
const standingIn = (
  executions: Record<string, readonly object[]>,
  events = Infinity,
  scheduledMs = 0,
): Promise<Standing> =>
  readStanding(
    async function* (runId) {
      const numbered = (executions[runId] ?? []).map((event, index) => ({ ...event, eventId: index + 1 }));
      yield* numbered.toReversed() as unknown as HistoryEvent[];
    },
    { runId: 'this', identity: 'me', events, scheduledMs },
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

describe('a workflow task that began long ago', () => {
  const reading: Reading = { turn: 'ours', suspect: false, begunMs: 10_000 };

  test('may be over before the server is told what was made in it', () => {
    expect(standingAt(reading, 12_501)).toEqual({ turn: 'unknown', suspect: false });
  });

  test('is ours until then, also where the clocks of worker and server differ the other way', () => {
    expect(standingAt(reading, 12_500)).toEqual({ turn: 'ours', suspect: false });
    expect(standingAt(reading, 1_000)).toEqual({ turn: 'ours', suspect: false });
  });

  test('of another worker stays that', () => {
    expect(standingAt({ ...reading, turn: 'not_ours' }, 60_000).turn).toBe('not_ours');
  });

  test('is known by the time of its start', async () => {
    const at = { eventTime: { seconds: 12, nanos: 250_000_000 } };
    const events = [{ ...taskOf('me'), ...at, eventId: 3 }] as unknown as HistoryEvent[];
    const read = readStanding(
      async function* () {
        yield* events;
      },
      { runId: 'this', identity: 'me', events: 3, scheduledMs: 0 },
    );
    expect((await read).begunMs).toBe(12_250);
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

describe('a step of a task that a stopped worker still holds', () => {
  const marker = { markerRecordedEventAttributes: {} };
  const before = [started(), completed, scheduled, taskOf('me')];

  test('is not its turn where the workflow has gone on, though the task under way is its own', async () => {
    const gone = [timedOut(START_TO_CLOSE), scheduled, taskOf('other'), completed, marker, other, scheduled];
    const events = [...before, ...gone, taskOf('me')];
    expect((await standingIn({ this: events }, before.length)).turn).toBe('not_ours');
    expect((await standingIn({ this: events }, events.length)).turn).toBe('ours');
  });

  test('is its turn, and suspect, where the task was given to it again and this step is of that task', async () => {
    const mine = { ...taskOf('me'), eventTime: { seconds: 10, nanos: 500_000_000 } };
    const events = [...before, timedOut(START_TO_CLOSE), scheduled, mine];
    expect(await standingIn({ this: events }, before.length, 10_600)).toMatchObject({
      turn: 'ours',
      suspect: true,
    });
    // Older than the task under way, which has a step like it: an overloaded worker came to it too late.
    expect(await standingIn({ this: events }, before.length, 9_000)).toMatchObject({
      turn: 'unknown',
      suspect: true,
    });
  });

  test('is its turn where its task was only kept alive, and what was lost before stays suspect', async () => {
    const alive = [completed, scheduled, taskOf('me')];
    expect(await standingIn({ this: [...before, ...alive] }, before.length)).toMatchObject({
      turn: 'ours',
      suspect: false,
    });
    const lost = [started(), completed, scheduled, taskOf('other'), failed, scheduled, taskOf('me')];
    expect(await standingIn({ this: [...lost, ...alive] }, lost.length)).toMatchObject({
      turn: 'ours',
      suspect: true,
    });
  });
});
