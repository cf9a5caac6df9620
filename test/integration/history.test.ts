/** What a run leaves in Temporal: the shape of its history, what does not grow, and what can be searched for. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { RunClient, RunListing } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import type { Step } from '../../src/emulator/index.ts';
import { startDrive, WIRES, type Drive, type Wire } from '../support/drive-harness.ts';
import { countIn, kindOf, rawEvents, type RawEvent } from '../support/raw-history.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

const ALL_WIRES = [...WIRES, 'foreground'] as const satisfies readonly Wire[];

const round: Step = { call: [call('get_order', { order_id: '7' })] };

/** An event's kind; of an activity that is scheduled also its type. */
const describeEvent = (event: RawEvent): string => {
  const type = event.activityTaskScheduledEventAttributes?.activityType?.name;
  return type ? `${kindOf(event)} ${type}` : kindOf(event);
};

const TASK = ['workflowTaskScheduled', 'workflowTaskStarted', 'workflowTaskCompleted'];
const activity = (type: string) => [
  `activityTaskScheduled ${type}`,
  'activityTaskStarted',
  'activityTaskCompleted',
];
const { awaitRun } = NAMES.activities;

/**
 * Every event of a run with one round of one call. Creates and submits are local activities, which leave a
 * marker; on the Assistants wire a run that is to have a new thread tells its own workflow of it by a signal.
 */
const BEGINNING: Readonly<Record<Wire, readonly string[]>> = {
  responses: ['markerRecorded', 'upsertWorkflowSearchAttributes', ...activity(awaitRun)],
  foreground: ['markerRecorded', 'upsertWorkflowSearchAttributes', ...activity(awaitRun)],
  streamed: ['markerRecorded', 'upsertWorkflowSearchAttributes', ...activity(awaitRun)],
  pushed: ['markerRecorded', 'upsertWorkflowSearchAttributes', ...activity(awaitRun)],
  assistants: [
    'markerRecorded',
    'upsertWorkflowSearchAttributes',
    `activityTaskScheduled ${awaitRun}`,
    'workflowExecutionSignaled',
    ...TASK,
    'activityTaskStarted',
    'activityTaskCompleted',
  ],
};
const shapeOf = (wire: Wire): readonly string[] => [
  'workflowExecutionStarted',
  ...TASK,
  ...BEGINNING[wire],
  ...TASK,
  ...activity('get_order'),
  ...TASK,
  'markerRecorded',
  ...activity(awaitRun),
  ...TASK,
  'workflowExecutionCompleted',
];

describe('the history of a run with one round of calls', () => {
  let drives: ReadonlyMap<Wire, Drive>;
  beforeAll(async () => {
    const { tools } = recordingTools();
    const started = ALL_WIRES.map(async (wire) => [wire, await startDrive(wire, { tools })] as const);
    drives = new Map(await Promise.all(started));
  });
  afterAll(async () => {
    for (const drive of drives.values()) await drive[Symbol.asyncDispose]();
  });

  /** A run whose model thinks for so long before its call, and again before its answer. */
  async function shapeAfter(wire: Wire, thinkMs: number): Promise<readonly string[]> {
    const drive = drives.get(wire);
    if (drive === undefined) throw new Error('It was not started.');
    const model = `thinks-${thinkMs}`;
    drive.play(model, {
      attempts: [{ steps: [{ think_ms: thinkMs }, round, { think_ms: thinkMs }, { answer: 'Ok.' }] }],
    });
    const id = drive.id(model);
    const result = await drive.runs.execute({ assistant_id: 'bot', model, input: 'Go' }, { id });
    expect([result.output_text, result.tool_calls.length]).toEqual(['Ok.', 1]);
    return (await rawEvents(drive.client, id)).map(describeEvent);
  }

  test('has the same events whether the run takes two seconds or two minutes, on each wire', async () => {
    const shapes = ALL_WIRES.flatMap((wire) =>
      [1_000, 60_000].map(async (thinkMs) => [wire, thinkMs, await shapeAfter(wire, thinkMs)] as const),
    );
    for (const [wire, thinkMs, shape] of await Promise.all(shapes)) {
      expect([wire, thinkMs, shape]).toEqual([wire, thinkMs, shapeOf(wire)]);
    }
  }, 240_000);

  test('has 26 events on the Responses wire, and four more for a new thread on the Assistants wire', () => {
    expect(shapeOf('responses')).toHaveLength(26);
    expect(shapeOf('assistants')).toHaveLength(30);
  });
});

describe.each(ALL_WIRES)('instructions of 100 KB on the %s wire', (wire) => {
  const MARK = 'marked-instructions';
  const instructions = `${MARK} ${'x'.repeat(100_000)}`;

  test.each([1, 3])(
    'stand at most twice in the history, and once for each of %i attempts',
    async (attempts) => {
      await using drive = await startDrive(wire, { tools: recordingTools().tools });
      const fails: Step = { incomplete: 'max_completion_tokens' };
      const rounds = wire === 'foreground' ? [round] : [round, round];
      drive.play('bot', {
        attempts: Array.from({ length: attempts }, (_, n) => ({
          steps: [...rounds, n === attempts - 1 ? { answer: 'Ok.' } : fails],
        })),
      });
      const id = drive.id('instructions');
      const result = await drive.runs.execute({ assistant_id: 'bot', input: 'Go', instructions }, { id });
      expect(result.attempts).toHaveLength(attempts);
      expect(result.run.instructions).toBe(instructions);
      const events = await rawEvents(drive.client, id);
      const standing = countIn(events, MARK);
      expect(standing).toBeGreaterThan(0);
      expect(standing).toBeLessThanOrEqual(2 + attempts);
    },
  );
});

/** What visibility says to a query, as soon as it says anything. */
async function findRun(runs: RunClient, query: string): Promise<RunListing> {
  const found: RunListing[] = [];
  await expect
    .poll(
      async () => {
        found.splice(0);
        for await (const listing of runs.list(query)) found.push(listing);
        return found.length;
      },
      { timeout: 30_000 },
    )
    .toBe(1);
  const [only] = found;
  if (only === undefined) throw new Error('It was listed, and then it was not.');
  return only;
}

describe.each(WIRES)('search attributes of a run on the %s wire', (wire) => {
  test('find it by its attempt while it waits and once it has completed', async () => {
    await using drive = await startDrive(wire, { tools: recordingTools().tools });
    drive.play('bot', { attempts: [{ steps: [round, { hang: true }] }, { steps: [{ answer: 'Ok.' }] }] });
    const id = drive.id('searched');
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Go', limits: { attempt_seconds: 6 } },
      { id },
    );
    await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    const created = drive.emulator.journal().find((entry) => entry.kind === 'status' && entry.from === null);
    const first = created?.kind === 'status' ? created : null;
    const waiting = await findRun(drive.runs, `DroverAttemptId = '${first?.id}'`);
    expect(waiting).toMatchObject({
      id,
      workflowStatus: 'RUNNING',
      status: 'in_progress',
      assistantId: 'bot',
      backend: wire,
      threadId: first?.thread,
    });

    const result = await handle.result();
    const last = result.attempts.at(-1)?.id;
    expect(result.attempts).toHaveLength(2);
    const ended = await findRun(
      drive.runs,
      `DroverAttemptId = '${last}' AND ExecutionStatus = 'Completed' AND DroverStatus IS NULL`,
    );
    expect(ended).toMatchObject({
      id,
      workflowStatus: 'COMPLETED',
      status: 'completed',
      threadId: result.run.thread_id,
    });
  });

  test('say of a run that did not complete how it ended', async () => {
    await using drive = await startDrive(wire);
    drive.play('bot', { attempts: [{ steps: [{ incomplete: 'content_filter' }] }] });
    const id = drive.id('filtered');
    const handle = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id });
    expect((await handle.outcome()).code).toBe('content_filter');
    const ended = await findRun(drive.runs, `WorkflowId = '${id}' AND DroverStatus = 'incomplete'`);
    expect(ended).toMatchObject({ id, workflowStatus: 'FAILED', status: 'incomplete' });
  });
});

describe('a namespace without Drover’s search attributes', () => {
  test('drives runs all the same, and holds none of them', async () => {
    const { cli } = inject('temporal');
    const server = await startTemporalServer({ cli, uiPort: null, searchAttributes: false });
    try {
      await using drive = await startDrive('responses', {
        address: server.address,
        tools: recordingTools().tools,
      });
      drive.play('bot', { attempts: [{ steps: [round, { answer: 'Ok.' }] }] });
      const id = drive.id('bare');
      const result = await drive.runs.execute({ assistant_id: 'bot', input: 'Go' }, { id });
      expect(result.output_text).toBe('Ok.');
      const shape = (await rawEvents(drive.client, id)).map(describeEvent);
      expect(shape).toEqual(shapeOf('responses').filter((event) => !event.startsWith('upsert')));
      expect(await findRun(drive.runs, `WorkflowId = '${id}'`)).toMatchObject({
        status: null,
        assistantId: null,
        backend: null,
        threadId: null,
        attemptId: null,
      });
    } finally {
      await server.stop();
    }
  });
});
