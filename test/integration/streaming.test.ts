/** Streaming: a wait listens instead of looking, and watchers are told what the model says, once. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunHandle } from '../../src/client.ts';
import { NAMES } from '../../src/contract.ts';
import type { RequestEntry } from '../../src/emulator/index.ts';
import type { RunEvent } from '../../src/run-events.ts';
import { startDrive, type Drive } from '../support/drive-harness.ts';
import { encryptingCodec, ENCRYPTED } from '../support/encrypting-codec.ts';
import { call, recordingTools } from '../support/recording-tools.ts';

type Delta = Extract<RunEvent, { type: 'text_delta' }>;

const LONG = Array.from({ length: 120 }, (_, n) => `word${n}`).join(' ');
const order = call('get_order', { order_id: '7' });

let drive: Drive;
beforeAll(async () => {
  drive = await startDrive('streamed', { tools: recordingTools().tools, emulator: { deltaMs: 30 } });
});
afterAll(() => drive[Symbol.asyncDispose]());
afterEach(() => drive.emulator.clearFaults());

const start = (label: string): Promise<RunHandle> =>
  drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id(label) });

async function collect(run: RunHandle, after?: string): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch(after === undefined ? {} : { after })) events.push(event);
  return events;
}

const deltasOf = (events: readonly RunEvent[]): readonly Delta[] =>
  events.filter((event) => event.type === 'text_delta');

/** Each character once, in their order. */
function expectWhole(deltas: readonly Delta[], text: string, from = 0): void {
  let at = from;
  for (const delta of deltas) {
    expect(delta.from).toBe(at);
    at += delta.text.length;
  }
  expect(deltas.map((delta) => delta.text).join('')).toBe(text.slice(from));
}

/** What was asked of the run's responses. */
const requests = (id: string): readonly RequestEntry[] =>
  drive.emulator
    .journal()
    .filter((entry) => entry.kind === 'request')
    .filter(
      ({ method, path }) =>
        method === 'GET' && attemptIds(id).some((attempt) => path.endsWith(`/${attempt}`)),
    );
const attemptIds = (id: string): readonly string[] => [
  ...new Set(
    drive.emulator
      .journal()
      .flatMap((entry) => (entry.kind === 'status' && entry.metadata['drover_run'] === id ? [entry.id] : [])),
  ),
];

describe('a run whose backend streams', () => {
  test('listens instead of looking, and shows what the model says while it says it', async () => {
    drive.play('bot', {
      attempts: [{ steps: [{ think_ms: 2_000 }, { call: [order] }, { think_ms: 500 }, { answer: LONG }] }],
    });
    const run = await start('live');
    const events = await collect(run);
    const deltas = deltasOf(events);
    expect(deltas.length).toBeGreaterThan(1);
    expectWhole(deltas, LONG);
    expect((await run.result()).output_text).toBe(LONG);
    // For each turn: a look, a stream, and a look at what the stream told of.
    expect(requests(run.id)).toHaveLength(6);
    const [first] = deltas;
    const end = events.find(({ type }) => type === 'attempt_ended');
    expect((end?.at_ms ?? 0) - (first?.at_ms ?? 0)).toBeGreaterThan(500);
  });

  test('tells who comes back what is missing, and nothing twice', async () => {
    drive.play('bot', { attempts: [{ steps: [{ answer: LONG }] }] });
    const run = await start('resumed');
    const seen: RunEvent[] = [];
    for (let after: string | undefined; seen.at(-1)?.type !== 'ended';) {
      const leaving = new AbortController();
      const watched = run.watch({ ...(after === undefined ? {} : { after }), signal: leaving.signal });
      for await (const event of watched) {
        seen.push(event);
        after = event.offset;
        if (event.type === 'text_delta') leaving.abort();
      }
    }
    expect(deltasOf(seen).length).toBeGreaterThan(1);
    expectWhole(deltasOf(seen), LONG);
    // Who comes when it is over is told all of it, or the rest.
    expectWhole(deltasOf(await collect(run)), LONG);
    const half = deltasOf(seen)[0];
    expectWhole(
      deltasOf(await collect(run, half?.offset)),
      LONG,
      (half?.from ?? 0) + (half?.text.length ?? 0),
    );
  });

  test('tells nothing twice to who comes back behind another event than a text', async () => {
    drive.play('bot', { attempts: [{ steps: [{ answer: LONG }] }] });
    const run = await start('resumed-behind-another');
    const seen: RunEvent[] = [];
    for await (const event of run.watch()) {
      seen.push(event);
      if (event.type === 'turn_given') break;
      // Means nothing to a run that has its turn, and is told.
      if (event.type === 'text_delta') await run.workflow.signal(NAMES.signals.turn, { word: 'go' });
    }
    expect(seen.at(-1)?.type).toBe('turn_given');
    expect(deltasOf(seen).length).toBeGreaterThan(0);
    const rest = await collect(run, seen.at(-1)?.offset);
    expectWhole(deltasOf([...seen, ...rest]), LONG);
    expect(deltasOf(rest).length).toBeGreaterThan(0);
  });

  test('goes on listening where its stream was cut, and shows nothing twice', async () => {
    const cut = { match: { method: 'GET', path: '/responses/' }, do: { cut_after_events: 15 } };
    drive.emulator.addFault({ ...cut, times: 4 });
    drive.play('bot', { attempts: [{ steps: [{ answer: LONG }] }] });
    const run = await start('cut');
    const deltas = deltasOf(await collect(run));
    expectWhole(deltas, LONG);
    const streams = requests(run.id).filter(({ query }) => 'stream' in query);
    expect(streams.length).toBeGreaterThan(2);
    expect(streams.slice(1).every(({ query }) => 'starting_after' in query)).toBe(true);
  });

  test('looks at its own pace where nothing can be listened to', async () => {
    drive.emulator.addFault({
      match: { method: 'GET', path: '/responses/', nth: 2 },
      times: 1,
      do: { status: 400 },
    });
    drive.play('bot', { attempts: [{ steps: [{ think_ms: 1_500 }, { answer: 'Done.' }] }] });
    const run = await start('deaf');
    expect((await run.result()).output_text).toBe('Done.');
    expect(requests(run.id).length).toBeGreaterThan(3);
  });

  test('goes on after its worker was replaced in the middle of an answer', async () => {
    drive.play('bot', { attempts: [{ steps: [{ answer: LONG }] }] });
    const run = await start('replaced');
    const events: RunEvent[] = [];
    let isReplaced = false;
    for await (const event of run.watch()) {
      events.push(event);
      if (event.type !== 'text_delta' || isReplaced) continue;
      isReplaced = true;
      await drive.stopWorkers();
      await drive.startWorker();
    }
    expect(isReplaced).toBe(true);
    expectWhole(deltasOf(events), LONG);
  });

  test('is cancelled while it listens', async () => {
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const run = await start('cancelled');
    for await (const { type } of run.watch()) if (type === 'attempt_created') await run.cancel();
    expect((await run.outcome()).code).toBe('cancelled');
    expect(drive.emulator.liveRuns()).toEqual([]);
  });
});

test('what the model says stands encrypted in heartbeats where payloads are', async () => {
  const codec = encryptingCodec(randomBytes(32));
  await using secret = await startDrive('streamed', {
    config: { dataConverter: { payloadCodecs: [codec] } },
    emulator: { deltaMs: 30 },
  });
  secret.play('bot', { attempts: [{ steps: [{ answer: LONG }] }] });
  const run = await secret.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: secret.id('encrypted') });
  const deltas: Delta[] = [];
  let raw = '';
  for await (const event of run.watch()) {
    if (event.type !== 'text_delta') continue;
    deltas.push(event);
    const { pendingActivities } = (await run.workflow.describe()).raw;
    raw += JSON.stringify(pendingActivities?.map(({ heartbeatDetails }) => heartbeatDetails?.payloads));
    raw += pendingActivities
      ?.flatMap(({ heartbeatDetails }) => heartbeatDetails?.payloads ?? [])
      .map(({ data }) => Buffer.from(data ?? []).toString())
      .join();
  }
  expectWhole(deltas, LONG);
  expect(raw).toContain(Buffer.from(ENCRYPTED).toString('base64'));
  expect(raw).not.toContain('word1');
});
