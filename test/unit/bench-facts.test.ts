/** What the bench reads from histories and journals, and how it sums it up. */
import { describe, expect, test } from 'vitest';
import { drawTimes, endOfMs, playDraws } from '../../bench/draws.ts';
import { billableActions, countText, historyFacts, lastCompletedAt } from '../../bench/history-facts.ts';
import type { HistoryEvent } from '../../bench/history-facts.ts';
import { sampleOf } from '../../bench/lag-samples.ts';
import { jobFacts } from '../../bench/provider/job-facts.ts';
import { scriptOf } from '../../bench/provider/script.ts';
import { readSeries, sumOf } from '../../bench/server-counters.ts';
import { median, quantile, seededRandom } from '../../bench/statistics.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { JournalEntry } from '../../src/emulator/index.ts';

/** A history of these events: each by the kind of its attributes. */
function historyOf(...events: readonly (readonly [kind: string, attributes?: object])[]): HistoryEvent[] {
  return events.map(([kind, attributes = {}], index) => ({
    eventId: index + 1,
    eventTime: { seconds: 1_000 + index, nanos: 5e6 },
    [`${kind}EventAttributes`]: attributes,
  })) as unknown as HistoryEvent[];
}

describe('what a history says of its cost', () => {
  const events = historyOf(
    ['workflowExecutionStarted'],
    ['workflowTaskScheduled'],
    ['workflowTaskStarted'],
    // Only to keep a local activity alive.
    ['workflowTaskCompleted'],
    ['workflowTaskScheduled'],
    ['workflowTaskStarted'],
    ['workflowTaskCompleted'],
    ['markerRecorded', { workflowTaskCompletedEventId: 7 }],
    ['markerRecorded', { workflowTaskCompletedEventId: 7 }],
    ['upsertWorkflowSearchAttributes'],
    ['activityTaskScheduled', { activityType: { name: 'wait' } }],
    ['timerStarted'],
    ['activityTaskStarted', { attempt: 4 }],
    ['activityTaskCompleted', { scheduledEventId: 11 }],
    ['activityTaskScheduled', { activityType: { name: 'tool' } }],
    ['activityTaskStarted', { attempt: 1 }],
    ['activityTaskCompleted', { scheduledEventId: 15 }],
    ['workflowExecutionSignaled'],
    ['workflowExecutionUpdateAccepted'],
    ['workflowExecutionUpdateCompleted'],
  );

  test('counts each try of an activity, and markers once a workflow task', () => {
    expect(historyFacts(events)).toEqual({
      events: 20,
      workflow_tasks: 2,
      activity_tries: 5,
      timers: 1,
      upserts: 1,
      told: 2,
      marker_tasks: 2,
    });
  });

  test('bills the start, what it was told, and heartbeats that reached the server', () => {
    expect(billableActions(historyFacts(events), 0)).toBe(1 + 5 + 1 + 1 + 2 + 2);
    expect(billableActions(historyFacts(events), 20)).toBe(32);
  });

  test('tells when the last activity of a type was completed', () => {
    expect(lastCompletedAt(events, 'wait')).toBe(1_013_005);
    expect(lastCompletedAt(events, 'never')).toBeNull();
  });

  test('finds a text in payloads, as often as it stands there', () => {
    const payload = { data: Buffer.from('"secret, and secret again"') };
    expect(countText(historyOf(['markerRecorded', { details: { payload } }]), 'secret')).toBe(2);
  });
});

describe('what a journal says of a job', () => {
  const status = (from: string | null, to: string, at: number, id = 'resp_1'): JournalEntry => ({
    seq: at,
    at,
    kind: 'status',
    wire: 'responses',
    id,
    from,
    to,
    metadata: {},
    thread: 'conv_1',
    model: 'bench-a',
    attempt: 0,
  });
  const request = (method: string, path: string, body: unknown = null): JournalEntry => ({
    seq: 1,
    at: 1,
    kind: 'request',
    wire: 'responses',
    method,
    path,
    query: {},
    body,
    headers: {},
  });

  test('finds its requests by model, run and thread, and the end of its last response', () => {
    const entries = [
      request('POST', '/v1/responses', { model: 'bench-a' }),
      status(null, 'queued', 10),
      request('GET', '/v1/responses/resp_1'),
      status('in_progress', 'completed', 20),
      request('GET', '/v1/conversations/conv_1/items'),
      request('GET', '/v1/responses/resp_other'),
      status(null, 'queued', 30, 'resp_2'),
    ];
    expect(jobFacts(entries).get('bench-a')).toEqual({
      createdAt: 10,
      endedAt: null,
      created: 2,
      gets: 2,
      posts: 1,
      requests: [entries[0], entries[2], entries[4]],
    });
    expect(jobFacts([...entries, status('queued', 'completed', 40, 'resp_2')]).get('bench-a')?.endedAt).toBe(
      40,
    );
  });

  test('finds the request that made its thread, which only the answer names', async () => {
    const emulator = await startEmulator();
    const headers = { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' };
    const post = async (path: string, body: object): Promise<string> => {
      const answer = await fetch(`${emulator.url}${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return ((await answer.json()) as { readonly id: string }).id;
    };
    try {
      emulator.setScript('bench-a', scriptOf(0, 0));
      emulator.createAssistant({ id: 'bench-a', model: 'bench-a' });
      await post('/threads', {});
      const thread = await post('/threads', {});
      await post(`/threads/${thread}/messages`, { role: 'user', content: 'Hello.' });
      await post(`/threads/${thread}/runs`, { assistant_id: 'bench-a' });
      const job = jobFacts(emulator.journal()).get('bench-a');
      const own = `/v1/threads/${thread}`;
      expect(job?.requests.map(({ path }) => path)).toEqual([
        '/v1/threads',
        `${own}/messages`,
        `${own}/runs`,
      ]);
      expect(job?.posts).toBe(3);
    } finally {
      await emulator.close();
    }
  });
});

test("reads the server's counters by name and labels", () => {
  const text = `# TYPE timeouts counter
timeouts{queue="a",type="Heartbeat"} 4
timeouts{queue="a",type="StartToClose"} 2
timeouts{queue="b",type="Heartbeat"} 1.5e+01
plain 7
`;
  const series = readSeries(text);
  expect(sumOf(series, 'timeouts')).toBe(21);
  expect(sumOf(series, 'timeouts', 'queue="a"', 'type="Heartbeat"')).toBe(4);
  expect([sumOf(series, 'plain'), sumOf(series, 'none')]).toEqual([7, 0]);
});

test('a script has one call a round, and thinks before each turn', () => {
  const [attempt] = scriptOf(2, 60_000, 2_000).attempts;
  const steps = attempt?.steps ?? [];
  expect(steps.flatMap((step) => ('think_ms' in step ? [step.think_ms] : []))).toEqual([
    60_000, 2_000, 2_000,
  ]);
  expect(steps.filter((step) => 'call' in step)).toHaveLength(2);
  expect(steps.at(-1)).toEqual({ answer: 'Done.' });
});

describe('thinking times', () => {
  const wanted = { seed: 4, times: [0.2, 1, 5], samples: 20 };
  const drawn = drawTimes(wanted);

  test('are the same for the same seed, lie about what was wanted, and are over in time', () => {
    expect(drawTimes(wanted)).toEqual(drawn);
    expect(drawTimes({ ...wanted, seed: 5 })).not.toEqual(drawn);
    expect(drawn.map(({ about_s }) => about_s)).toEqual([0.2, 1, 5].flatMap((s) => Array(20).fill(s)));
    for (const { about_s, think_ms, start_ms } of drawn) {
      expect(think_ms / about_s).toBeGreaterThanOrEqual(500);
      expect(think_ms / about_s).toBeLessThanOrEqual(1_500);
      expect(start_ms).toBeGreaterThanOrEqual(0);
    }
    expect(endOfMs(drawn)).toBeLessThanOrEqual(5 * 1_500 + 5_000);
    expect(endOfMs(drawTimes({ ...wanted, spareMs: 0 }))).toBeLessThanOrEqual(5 * 1_500);
  });

  test('begin in turn, and are waited for until the last one is over', async () => {
    const begun = Date.now();
    const started: number[] = [];
    const one = (start_ms: number) => ({ draw: { about_s: 0, think_ms: 100, start_ms } });
    await playDraws([one(40), one(0)], ({ draw }) => {
      started.push(draw.start_ms);
      return Promise.resolve();
    });
    expect(started).toEqual([0, 40]);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(138);
  });

  test('make samples of what was waited and what was lost, of runs that have ended', () => {
    const facts = { createdAt: 1_000, endedAt: 3_500, created: 1, gets: 4, posts: 1, requests: [] };
    expect(sampleOf('bench-a', facts, 3_625)).toEqual({ waited_s: 2.5, lag_s: 0.125, gets: 4 });
    expect(() => sampleOf('bench-a', { ...facts, endedAt: null }, 3_625)).toThrow('bench-a');
    expect(() => sampleOf('bench-a', undefined, 3_625)).toThrow('bench-a');
  });
});

describe('sums over samples', () => {
  test('a quantile is a sample that so many do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile(hundred, 1)]).toEqual([50, 99, 100]);
    expect(quantile([], 0.5)).toBeNaN();
  });

  test('the median of an even number lies between the two in the middle', () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5]);
  });

  test('random numbers are the same for the same seed, and lie in their range', () => {
    const draw = (seed: number): readonly number[] => Array.from({ length: 500 }, seededRandom(seed));
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(draw(1).every((value) => value >= 0 && value < 1)).toBe(true);
    expect(median(draw(1))).toBeCloseTo(0.5, 1);
  });
});
