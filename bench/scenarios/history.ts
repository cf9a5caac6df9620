/** What a run leaves behind and costs: events, bytes, billable actions, looks at the provider. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES } from '../../src/search-attributes.ts';
import { startCallCounter } from '../call-counter.ts';
import type { CallCounter } from '../call-counter.ts';
import { startCreateAndPoll } from '../drivers/create-and-poll.ts';
import type { Driver, Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import { startTextbook } from '../drivers/textbook.ts';
import { billableActions, countText, historyFacts } from '../history-facts.ts';
import type { HistoryFacts } from '../history-facts.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atLeast, atMost } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { round } from '../statistics.ts';

type Thread = 'none' | 'given' | 'new';

/** What a run is like. */
interface Shape {
  readonly wire: Job['wire'];
  readonly thread: Thread;
  readonly rounds: number;
  /** Thinking time of the first turn, in seconds. */
  readonly think_s: number;
  readonly instructions_kb: number;
}

interface Row extends Shape {
  readonly driver: string;
  /** Null for a driver without a history, as all that follows. */
  readonly events: number | null;
  readonly bytes: number | null;
  /** That reached the server. */
  readonly heartbeats: number | null;
  readonly actions: number | null;
  readonly parts: Omit<HistoryFacts, 'events'> | null;
  /** How often the instructions stand in the history. */
  readonly instructions_count: number | null;
  readonly gets: number;
  readonly posts: number;
}

export interface HistoryFigures {
  readonly rows: readonly Row[];
  /** A waiting run was found by its attempt's id. */
  readonly searchable: boolean;
}

/** Thinking time of the turns after the first one. */
const LATER_S = 2;
const KILOBYTE = 1_000;

function shapes(wire: Job['wire'], thread: Thread, quick: boolean): readonly Shape[] {
  const shape = (rounds: number, think_s: number, instructions_kb = 0): Shape => {
    return { wire, thread, rounds, think_s, instructions_kb };
  };
  const short = (quick ? [0, 1, 3] : [0, 1, 3, 9]).map((rounds) => shape(rounds, LATER_S));
  const long = (quick ? [21] : [60, 600]).map((think) => shape(1, think));
  return [...short, ...long, shape(1, LATER_S, 100)];
}

interface Planned {
  readonly shape: Shape;
  readonly job: Job;
  readonly driver: Driver;
}

let planned = 0;

async function plan(stage: Stage, driver: Driver, list: readonly Shape[]): Promise<readonly Planned[]> {
  const plans: Planned[] = [];
  for (const shape of list) {
    const id = `bench-history-${(planned += 1)}`;
    plans.push({
      shape,
      driver,
      job: {
        id,
        wire: shape.wire,
        ...(shape.thread === 'given' ? { threadId: await stage.provider.newThread() } : {}),
        ...(shape.instructions_kb === 0 ? {} : { instructions: instructionsOf(id, shape.instructions_kb) }),
      },
    });
  }
  return plans;
}

const marker = (id: string): string => `instructions of ${id};`;
const instructionsOf = (id: string, kilobytes: number): string =>
  marker(id).padEnd(kilobytes * KILOBYTE, ' Be kind to whoever asks.');

async function measure(
  stage: Stage,
  { driver, job, shape }: Planned,
  counter: CallCounter,
): Promise<Omit<Row, keyof Shape | 'driver' | 'gets' | 'posts'>> {
  if (driver.history === null) {
    return {
      events: null,
      bytes: null,
      heartbeats: null,
      actions: null,
      parts: null,
      instructions_count: null,
    };
  }
  const events = await driver.history(job);
  const { historySize } = await stage.client.workflow.getHandle(job.id).describe();
  const { events: count, ...parts } = historyFacts(events);
  const heartbeats = counter.count(job.id, 'RecordActivityTaskHeartbeat');
  return {
    events: count,
    bytes: historySize ?? null,
    heartbeats,
    actions: billableActions({ events: count, ...parts }, heartbeats),
    parts,
    instructions_count: shape.instructions_kb === 0 ? null : countText(events, marker(job.id)),
  };
}

/** Whether a run that waits is found by the id that its attempt has at the provider. */
async function isSearchable(stage: Stage, job: Job, mark: number): Promise<boolean> {
  const until = Date.now() + 15_000;
  while (Date.now() < until) {
    await sleep(500);
    const seen = stage.provider
      .since(mark)
      .find((entry) => entry.kind === 'status' && entry.model === job.id);
    if (seen?.kind !== 'status') continue;
    const query = `${SEARCH_ATTRIBUTES.attemptId.name} = '${seen.id}' AND ExecutionStatus = 'Running'`;
    if ((await stage.client.workflow.count(query)).count > 0) return true;
  }
  return false;
}

async function run(stage: Stage, { quick, say, quiet }: ScenarioOptions): Promise<HistoryFigures> {
  const counter = await startCallCounter(stage.address);
  const { address } = counter;
  const [drover, textbook, createAndPoll] = await Promise.all([
    startDrover(stage, { address }),
    startTextbook(stage, { address }),
    startCreateAndPoll(stage),
  ]);
  try {
    const plans = [
      ...(await plan(stage, drover, shapes('responses', 'none', quick))),
      ...(await plan(stage, drover, shapes('assistants', 'given', quick))),
      ...(await plan(stage, drover, shapes('assistants', 'new', quick))),
      ...(await plan(stage, textbook, shapes('assistants', 'new', quick))),
      ...(await plan(
        stage,
        createAndPoll,
        shapes('assistants', 'new', quick).filter((shape) => shape.instructions_kb === 0),
      )),
    ];
    const scripts = plans.map(({ job, shape }) => ({
      id: job.id,
      script: scriptOf(shape.rounds, shape.think_s * 1_000, LATER_S * 1_000),
    }));
    await stage.provider.define(scripts);
    const mark = stage.provider.mark();
    say(
      `${plans.length} runs side by side, the longest for ${Math.max(...plans.map(({ shape }) => shape.think_s))} s`,
    );
    for (const { driver, job } of plans) await driver.start(job);
    const longest = plans.find(({ driver, shape }) => driver === drover && shape.think_s > 20);
    const searchable = longest !== undefined && (await isSearchable(stage, longest.job, mark));
    const isLong = ({ shape }: Planned): boolean => shape.think_s > LATER_S;
    await Promise.all(plans.filter((one) => !isLong(one)).map(({ driver, job }) => driver.ended(job)));
    quiet();
    await Promise.all(plans.filter(isLong).map(({ driver, job }) => driver.ended(job)));
    const jobs = jobFacts(stage.provider.since(mark));
    const rows: Row[] = [];
    for (const one of plans) {
      const seen = jobs.get(one.job.id);
      rows.push({
        driver: one.driver.name,
        ...one.shape,
        ...(await measure(stage, one, counter)),
        gets: seen?.gets ?? 0,
        posts: seen?.posts ?? 0,
      });
    }
    return { rows, searchable };
  } finally {
    await Promise.all([drover.stop(), textbook.stop(), createAndPoll.stop()]);
    await counter.stop();
  }
}

const PLACES: readonly (readonly [
  place: string,
  where: Pick<Shape, 'wire' | 'thread'>,
  mostEvents: number,
])[] = [
  ['responses', { wire: 'responses', thread: 'none' }, 26],
  ['assistants, given thread', { wire: 'assistants', thread: 'given' }, 26],
  // A thread that Drover makes is on record before a run is: docs/decisions/003.
  ['assistants, new thread', { wire: 'assistants', thread: 'new' }, 32],
];

function judge({ rows, searchable }: HistoryFigures): readonly Target[] {
  const targets: Target[] = [];
  for (const [place, { wire, thread }, mostEvents] of PLACES) {
    const mine = rows.filter(
      (row) => row.driver === 'drover' && row.wire === wire && row.thread === thread && row.rounds === 1,
    );
    const plain = mine.filter((row) => row.instructions_kb === 0);
    const eventsOf = (row: Row | undefined): number => row?.events ?? Number.NaN;
    const short = plain.find((row) => row.think_s === LATER_S);
    const longest = plain.reduce<Row | undefined>(
      (a, b) => ((a?.think_s ?? 0) > b.think_s ? a : b),
      undefined,
    );
    targets.push(
      atMost(`events of a run with one round (${place})`, eventsOf(short), mostEvents),
      atMost(
        `events that it has more at ${longest?.think_s} s of thinking (${place})`,
        eventsOf(longest) - eventsOf(short),
        0,
      ),
      atMost(
        `times that its instructions stand in the history, with one attempt (${place})`,
        mine.find((row) => row.instructions_kb > 0)?.instructions_count ?? Number.NaN,
        3,
      ),
    );
  }
  targets.push(atLeast("waiting runs found by their attempt's id (of 1)", searchable ? 1 : 0, 1));
  return targets;
}

function tables({ rows }: HistoryFigures): readonly Table[] {
  return [
    {
      title: 'History and cost of a run',
      note: `Thinking time is that of the first turn; each further turn thinks for ${LATER_S} s. Actions are billable ones by the rules of Temporal Cloud (https://docs.temporal.io/cloud/actions), with the heartbeats that a proxy before the server saw; tries, upserts, timers, signals, and workflow tasks with markers of local activities are the rest of them, and the start. The turn that Drover takes on a given thread is a workflow of its own, which is not in these (decision 020). GETs and POSTs are those of the run, its thread and its messages, in the provider's journal.`,
      head: [
        'driver',
        'wire',
        'thread',
        'rounds',
        'thinking s',
        'instructions kB',
        'events',
        'kB',
        'workflow tasks',
        'tries',
        'heartbeats',
        'actions',
        'GETs',
        'POSTs',
      ],
      rows: rows.map((row) => [
        row.driver,
        row.wire,
        row.thread,
        row.rounds,
        row.think_s,
        row.instructions_kb,
        row.events,
        row.bytes === null ? null : round(row.bytes / KILOBYTE, 1),
        row.parts?.workflow_tasks ?? null,
        row.parts?.activity_tries ?? null,
        row.heartbeats,
        row.actions,
        row.gets,
        row.posts,
      ]),
    },
  ];
}

export const history: Scenario<HistoryFigures> = { name: 'history', aside: true, run, judge, tables };
