/** Today's workflow code against the histories of runs that were recorded before, and changed code against them. */
import { readdirSync, readFileSync } from 'node:fs';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import { FAILURES } from '../../src/failures.ts';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';
import { alterWorkflows } from '../support/altered-workflows.ts';
import type { AlteredWorkflows, Edit } from '../support/altered-workflows.ts';
import { marksOf, nameOf, readHistory, recordedNames } from './history-file.ts';
import { SHAPES } from './shapes.ts';

const names = recordedNames();
const quiet = new DefaultLogger('ERROR', () => undefined);

/** Replays each history by the code of a bundle, and gives what went wrong, by name. */
async function replay(
  code: string,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, Error | undefined>> {
  const histories = wanted.map((name) => readHistory(name));
  const ended = new Map<string, Error | undefined>();
  // In their order: a name stands for several executions of one workflow.
  const results = Worker.runReplayHistories({ workflowBundle: { code } }, histories);
  for await (const { error } of results) ended.set(wanted[ended.size] ?? '', error);
  return ended;
}

beforeAll(() => {
  Runtime.install({ logger: quiet, telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
});

describe('a history that was recorded', () => {
  let ended: ReadonlyMap<string, Error | undefined>;
  beforeAll(async () => {
    ended = await replay((await bundleWorkflows()).code, names);
  });

  test.each(names.map((name) => [name]))('%s replays', (name) => {
    expect(ended.has(name)).toBe(true);
    expect(ended.get(name)).toBeUndefined();
  });
});

test('every shape of run and every scenario of the demo has its history: `npm run record` adds what is missing', () => {
  const shapes = SHAPES.flatMap(({ name, wires }) => wires.map((wire) => nameOf(name, wire)));
  const demo = SCENARIOS.map(({ name, wire }) => nameOf(`demo-${name}`, wire));
  expect([...shapes, ...demo].filter((name) => !names.includes(name))).toEqual([]);
});

/** Ends that no recorded run has. */
const NOT_RECORDED: Readonly<Record<string, string>> = {
  result_too_large: 'its history would be megabytes; too-large.test.ts ends runs by it',
  internal: 'no run ends by it unless Drover has a mistake',
};

test('every way to end has its history', () => {
  const ends = new Set<string | null>(SHAPES.map(({ ends: code }) => code));
  const missing = Object.keys(FAILURES).filter((code) => !ends.has(code));
  expect(missing.sort()).toEqual(Object.keys(NOT_RECORDED).sort());
});

const SOURCES = new URL('../../src/workflows/', import.meta.url);

test('every patch of the workflow stands in a history', () => {
  const sources = readdirSync(SOURCES).map((file) => readFileSync(new URL(file, SOURCES), 'utf8'));
  const patches = sources.flatMap((text) =>
    [...text.matchAll(/patched\('([^']+)'\)/g)].map(([, name]) => `patch ${name}`),
  );
  const recorded = new Set(names.flatMap((name) => [...marksOf(readHistory(name).history)]));
  expect(patches.length).toBeGreaterThan(0);
  expect(patches.filter((patch) => !recorded.has(patch))).toEqual([]);
});

interface Mutation extends Edit {
  readonly what: string;
  /** A history that holds the commands that are changed. */
  readonly caughtBy: string;
}

const SUBMIT = [
  "if (live?.submitted === false && (await submitRound(context, live)) === 'gone') {",
  "    return conclude(context, 'gone', null);",
  '  }',
].join('\n');
const WAIT = 'const seen = await waitForAttempt(context);';

/** Each is one change of a line; where the line is not there any more, the test says so. */
const MUTATIONS: readonly Mutation[] = [
  {
    what: 'two tools of a round swapped',
    file: 'run-tools.ts',
    from: 'dispatches.filter((dispatch) => !asked.includes(dispatch)),',
    to: 'dispatches.toReversed(),',
    caughtBy: 'parallel-tools.assistants',
  },
  {
    what: 'the wait before the submit',
    file: 'drive-attempts.ts',
    from: `${SUBMIT}\n  ${WAIT}`,
    to: `${WAIT}\n  ${SUBMIT}`,
    caughtBy: 'two-rounds.responses',
  },
  {
    what: 'the search attributes of an attempt left out',
    file: 'publish.ts',
    from: 'if (!state.search_attributes) return;',
    to: 'return;',
    caughtBy: 'plain-answer.responses',
  },
];

describe('changed workflow code', () => {
  let altered: AlteredWorkflows;
  beforeAll(async () => {
    altered = await alterWorkflows();
  });
  afterAll(() => altered[Symbol.asyncDispose]());

  test('that is an unchanged copy replays', async () => {
    const wanted = MUTATIONS.map(({ caughtBy }) => caughtBy);
    const ended = await replay(await altered.bundle('unchanged'), wanted);
    expect([...ended.values()].filter((error) => error !== undefined)).toEqual([]);
    expect(ended.size).toBe(new Set(wanted).size);
  });

  test.each(MUTATIONS.map((mutation) => [mutation.what, mutation] as const))(
    'with %s does not',
    async (what, mutation) => {
      const code = await altered.bundle(what.replaceAll(' ', '-'), [mutation]);
      const ended = await replay(code, [mutation.caughtBy]);
      expect(ended.get(mutation.caughtBy)?.name).toBe('DeterminismViolationError');
    },
  );
});
