/**
 * Records the histories. No test: `scripts/record-histories.ts` runs it by vitest, for its Temporal server.
 * A run that did not take its shape is not written.
 */
import { expect, inject, test } from 'vitest';
import { playAll, startCast } from '../../src/demo/play.ts';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import { setStage } from '../../src/demo/stage.ts';
import { startDrive, type Wire } from '../support/drive-harness.ts';
import { recordingTools } from '../support/recording-tools.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import { fetchHistories, isRecorded, marksOf, nameOf, writeHistory, type History } from './history-file.ts';
import type { Shape, Stage } from './shape.ts';
import { SHAPES } from './shapes.ts';

declare module 'vitest' {
  interface ProvidedContext {
    record: { readonly force: boolean; readonly only: readonly string[] };
  }
}

const { force, only } = inject('record');
const isWanted = (shape: string, wire: string): boolean =>
  only.length > 0 && !only.includes(shape) ? false : force || !isRecorded(nameOf(shape, wire));

function write(shape: string, wire: string, histories: readonly History[]): void {
  histories.forEach((history, index) => writeHistory(nameOf(shape, wire, index + 1), history));
}

interface Played {
  readonly code: string | null;
  /** What the shape should show and this run did not, and the other way round. */
  readonly missing: readonly string[];
  readonly surplus: readonly string[];
  readonly histories: readonly History[];
}

async function playShape(shape: Shape, wire: Wire): Promise<Played> {
  const shop = recordingTools(shape.onUnknown);
  const tools = [...shop.tools, ...(shape.options?.tools ?? [])];
  await using drive = await startDrive(wire, { ...shape.options, tools });
  drive.play('bot', shape.script);
  const stage: Stage = { wire, drive, shop };
  shape.prepare?.(stage);
  const request = { assistant_id: 'bot', input: 'Go', ...shape.request };
  const { handle, client, code } =
    (await shape.drive?.(stage)) ??
    (await (async () => {
      const started = await drive.runs.start(request, { id: drive.id(shape.name) });
      await shape.act?.(started, stage);
      return { handle: started, client: drive.client, code: (await started.outcome()).code };
    })());
  const histories = await fetchHistories(client, handle.id);
  const marks = new Set(histories.flatMap((history) => [...marksOf(history)]));
  const missing = (shape.shows ?? []).filter((mark) => !marks.has(mark));
  const surplus = (shape.lacks ?? []).filter((mark) => marks.has(mark));
  return { code, missing, surplus, histories };
}

const wanted = SHAPES.flatMap((shape) =>
  shape.wires.filter((wire) => isWanted(shape.name, wire)).map((wire) => [shape.name, wire, shape] as const),
);

test.skipIf(only.length === 0)('each name that was given is that of a shape', () => {
  const names = [...SHAPES.map(({ name }) => name), ...SCENARIOS.map(({ name }) => `demo-${name}`)];
  expect(only.filter((name) => !names.includes(name))).toEqual([]);
});

test.skipIf(wanted.length === 0).each(wanted)('%s on the %s wire', async (_name, wire, shape) => {
  const { histories, ...played } = await playShape(shape, wire);
  expect(played).toEqual({ code: shape.ends, missing: [], surplus: [] });
  write(shape.name, wire, histories);
});

const demo = SCENARIOS.filter(({ name, wire }) => isWanted(`demo-${name}`, wire));

test.skipIf(demo.length === 0)('the scenarios of the demo', async () => {
  const env = await connectTestEnv();
  const before = process.env['TEMPORAL_ADDRESS'];
  process.env['TEMPORAL_ADDRESS'] = env.address;
  const stage = await setStage();
  try {
    const verdicts = await playAll(stage, await startCast(stage), {
      signal: new AbortController().signal,
      startProgress: () => ({
        line: () => undefined,
        tick: () => undefined,
        ended: () => undefined,
        close: () => undefined,
      }),
    });
    for (const { scenario, runId, findings } of verdicts) {
      expect([scenario.name, findings]).toEqual([scenario.name, []]);
      if (!demo.includes(scenario)) continue;
      write(`demo-${scenario.name}`, scenario.wire, await fetchHistories(env.client, runId));
    }
  } finally {
    await stage.stop();
    stage.tidy();
    await env.close();
    if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
    else process.env['TEMPORAL_ADDRESS'] = before;
  }
});
