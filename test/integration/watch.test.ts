/** Watching runs: events as they happen, from any place, by many. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../src/client.ts';
import { InvalidOffsetError } from '../../src/client-errors.ts';
import { RunNotFoundError } from '../../src/errors.ts';
import type { RunEvent, RunEventType } from '../../src/run-events.ts';
import { startDrive, WIRES, type Drive } from '../support/drive-harness.ts';
import { resetRun } from '../support/reset-run.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

async function collect(run: RunHandle, after?: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch(after === undefined ? {} : { after })) events.push(event);
  return events;
}

/** Watches until so many events of a type were told. */
async function eventsUntil(run: RunHandle, type: RunEventType, count: number): Promise<readonly RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of run.watch()) {
    seen.push(event);
    if (seen.filter((one) => one.type === type).length === count) break;
  }
  return seen;
}

const framesOf = (told: readonly RunEvent[]): readonly RunEventType[] =>
  told.map(({ type }) => type).filter((type) => ['started', 'reset', 'ended'].includes(type));

/** Statuses that only a heartbeat tells are told by chance. */
const lasting = (events: readonly RunEvent[]): readonly string[] =>
  events
    .map(({ type, offset }) => `${type} ${offset}`)
    .filter((line, at, all) => all.indexOf(line) === at && !line.startsWith('status_changed'));

const order = call('get_order', { order_id: '7' });

describe.each(WIRES)('a watch, on the %s wire', (wire) => {
  let drive: Drive;
  beforeAll(async () => {
    drive = await startDrive(wire, { tools: recordingTools().tools });
  });
  afterAll(() => drive[Symbol.asyncDispose]());

  const start = (label: string, fields: object = {}): Promise<RunHandle> =>
    drive.runs.start({ assistant_id: 'bot', input: 'Go', ...fields }, { id: drive.id(label) });

  test('tells what happens while it happens, a status that only a worker sees too', async () => {
    drive.play('bot', {
      attempts: [{ steps: [{ call: [order] }, { think_ms: 12_000 }, { answer: 'Done.' }] }],
    });
    const run = await start('live');
    const seen: RunEvent[] = [];
    const standing: string[] = [];
    for await (const event of run.watch()) {
      seen.push(event);
      if (event.type === 'tool_started') standing.push((await run.describe()).workflowStatus);
    }
    expect(standing).toEqual(['RUNNING']);
    const types = seen.map(({ type }) => type);
    for (const type of [
      'started',
      'attempt_created',
      'tool_started',
      'tool_finished',
      'outputs_submitted',
      'attempt_ended',
      'ended',
    ] as const)
      expect(types).toContain(type);
    expect(seen.some((event) => event.type === 'status_changed' && event.status === 'in_progress')).toBe(
      true,
    );
    expect(seen.at(-1)).toMatchObject({ type: 'ended', code: null });
  });

  test('goes on after any event, in a run that was continued as new too, for ten who watch at once', async () => {
    drive.play('bot', {
      attempts: [{ steps: [...Array.from({ length: 6 }, () => ({ call: [order] })), { answer: 'Done.' }] }],
    });
    const run = await start('again', { limits: { history_events: 15 } });
    const all = await Promise.all(Array.from({ length: 10 }, () => collect(run)));
    const [whole = []] = all;
    expect(whole.filter(({ type }) => type === 'started')).toHaveLength(1);
    expect(whole.filter(({ type }) => type === 'tool_finished')).toHaveLength(6);
    expect(new Set(whole.map(({ offset }) => offset.split('.')[0])).size).toBeGreaterThan(1);
    for (const one of all) expect(lasting(one)).toEqual(lasting(whole));
    for (const [at, { offset }] of whole.entries()) {
      const rest = whole.slice(at + 1).filter((event) => event.offset !== offset);
      expect(lasting(await collect(run, offset))).toEqual(lasting(rest));
    }
  });

  test('tells a reset and what is done again after it, from any offset', async () => {
    drive.play('bot', {
      attempts: [{ steps: [{ call: [order] }, { hang: true }] }, { steps: [{ hang: true }] }],
    });
    const run = await start('reset');
    const live = collect(run);
    const submitted = (async () => {
      for await (const { type } of run.watch()) if (type === 'outputs_submitted') return;
    })();
    await submitted;
    await resetRun(drive.client, run);
    let isReset = false;
    for await (const { type } of run.watch()) {
      isReset ||= type === 'reset';
      if (isReset && type === 'attempt_created') await run.cancel();
    }
    const whole = await collect(run);
    const types = whole.map(({ type }) => type);
    expect(types.filter((type) => ['started', 'reset', 'ended'].includes(type))).toEqual([
      'started',
      'reset',
      'ended',
    ]);
    expect(types.slice(types.indexOf('reset'))).toContain('attempt_created');
    expect(whole.at(-1)).toMatchObject({ code: 'cancelled' });
    expect(lasting(await live)).toEqual(lasting(whole));
    for (const [at, { offset }] of whole.slice(0, -1).entries()) {
      const rest = whole.slice(at + 1).filter((event) => event.offset !== offset);
      expect(lasting(await collect(run, offset))).toEqual(lasting(rest));
    }
    expect(await collect(run, whole.at(-1)?.offset)).toEqual([]);
  });

  test('tells a reset to before the run continued as new, from any offset', async () => {
    drive.play('bot', {
      attempts: Array.from({ length: 3 }, () => ({
        steps: [{ call: [order] }, { call: [order] }, { hang: true }],
      })),
    });
    const run = await start('reset-continued', { limits: { history_events: 12 } });
    const live = collect(run);
    const { workflowRunId: execution } = await run.describe();
    await eventsUntil(run, 'outputs_submitted', 2);
    await resetRun(drive.client, run, { execution });
    await eventsUntil(run, 'attempt_created', 2);
    await run.cancel();
    const whole = await collect(run);
    expect(framesOf(whole)).toEqual(['started', 'reset', 'ended']);
    expect(new Set(whole.map(({ offset }) => offset.split('.')[0])).size).toBeGreaterThan(2);
    expect(whole.at(-1)).toMatchObject({ code: 'cancelled' });
    expect(lasting(await live)).toEqual(lasting(whole));
    for (const [at, { offset }] of whole.entries()) {
      const rest = whole.slice(at + 1).filter((event) => event.offset !== offset);
      expect(lasting(await collect(run, offset))).toEqual(lasting(rest));
    }
  });

  test('tells one reset after the other of the same execution, from an offset in between too', async () => {
    drive.play('bot', { attempts: Array.from({ length: 3 }, () => ({ steps: [{ hang: true }] })) });
    const run = await start('reset-twice');
    const seen: RunEvent[] = [];
    const live = (async () => {
      for await (const event of run.watch()) seen.push(event);
    })();
    const { workflowRunId: execution } = await run.describe();
    const created = () => seen.filter(({ type }) => type === 'attempt_created');
    for (const count of [1, 2]) {
      await expect.poll(() => created().length, { timeout: 15_000 }).toBe(count);
      await resetRun(drive.client, run, { execution });
    }
    await expect.poll(() => created().length, { timeout: 15_000 }).toBe(3);
    await run.cancel();
    await live;
    expect(framesOf(seen)).toEqual(['started', 'reset', 'reset', 'ended']);
    const between = created()[1];
    const rest = seen.slice(seen.indexOf(between!) + 1);
    expect(lasting(await collect(run, between?.offset))).toEqual(lasting(rest));
  });

  test('goes on with a retry behind the end of what was retried', async () => {
    drive.play('bot', {
      attempts: [
        {
          steps: [
            { call: [order] },
            { fail: { code: 'insufficient_quota', message: 'Your quota is empty.' } },
          ],
        },
        { steps: [{ call: [order] }, { answer: 'Done.' }] },
      ],
    });
    const run = await start('retried');
    const first = await collect(run);
    expect(first.at(-1)).toMatchObject({ code: 'quota_exceeded' });
    await drive.runs.retry(run.id);
    const second = await collect(run);
    expect(second.at(0)).toMatchObject({ type: 'started' });
    expect(second.at(-1)).toMatchObject({ code: null });
    expect(lasting(await collect(run, first.at(-1)?.offset))).toEqual(lasting(second));
    expect(lasting(await collect(run, first.at(0)?.offset))).toEqual(lasting(first.slice(1)));
    const foreign = first.at(-1)?.offset.replace(/^\w{4}/, '0000');
    await expect(collect(run, foreign)).rejects.toThrow(InvalidOffsetError);
  });

  test.runIf(process.env['DROVER_TEST_SLOW'] === '1')(
    'tells ten who watch each of 2,000 events, of many executions',
    { timeout: 600_000 },
    async () => {
      const calls = Array.from({ length: 8 }, (_, n) => call('get_order', { order_id: String(n) }));
      const rounds = Array.from({ length: 125 }, () => ({ call: calls }));
      drive.play('bot', { attempts: [{ steps: [...rounds, { answer: 'Done.' }] }] });
      const run = await start('long', { limits: { rounds: 200, history_events: 500 } });
      const all = await Promise.all(Array.from({ length: 10 }, () => collect(run)));
      const [whole = []] = all;
      expect(lasting(whole).length).toBeGreaterThan(2_000);
      expect(new Set(lasting(whole)).size).toBe(lasting(whole).length);
      expect(new Set(whole.map(({ offset }) => offset.split('.')[0])).size).toBeGreaterThan(4);
      for (const one of all) expect(lasting(one)).toEqual(lasting(whole));
      const middle = whole[Math.floor(whole.length / 2)];
      const rest = whole.slice(whole.indexOf(middle!) + 1).filter(({ offset }) => offset !== middle?.offset);
      expect(lasting(await collect(run, middle?.offset))).toEqual(lasting(rest));
    },
  );

  test('ends by its signal, and is told of a run that is none and an offset that is none', async () => {
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const run = await start('stuck');
    const leaving = new AbortController();
    const types: string[] = [];
    for await (const { type } of run.watch({ signal: leaving.signal })) {
      types.push(type);
      if (type === 'attempt_created') leaving.abort();
    }
    expect(types).toEqual(['started', 'attempt_created']);
    await run.cancel();
    await expect(collect(drive.runs.getHandle(drive.id('nobody')))).rejects.toThrow(RunNotFoundError);
    await expect(collect(run, 'Where it was')).rejects.toThrow(InvalidOffsetError);
  });
});
