/** Runs a second through one worker process on one server, beside the engine's floor and a poll loop. */
import { setTimeout } from 'node:timers/promises';
import { NAMES } from '../../src/contract.ts';
import { IN_TURN, PLACES, rateOf, ratio, spread } from '../batches.ts';
import type { Batch, CpuMs, Place } from '../batches.ts';
import type { Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import { startNoop } from '../drivers/noop.ts';
import { startTextbook } from '../drivers/textbook.ts';
import type { WorkflowDriver } from '../drivers/workflow-driver.ts';
import { cpuMs } from '../process-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atLeast } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { median, round } from '../statistics.ts';

export interface ThroughputFigures {
  /** At once. */
  readonly in_flight: number;
  readonly batches: readonly Batch[];
}

type Variant = Pick<Batch, 'driver' | 'place'> & { readonly by: WorkflowDriver };

interface Load {
  readonly rounds: number;
  readonly runs: number;
  /** Of the floor's batches. */
  readonly floorRuns: number;
  /** In each, every driver has its batch, with one of the floor before and after it. */
  readonly cycles: number;
  readonly places: readonly Place[];
  /** Cycles in which runs take turns, too. */
  readonly inTurn: number;
}

const TURNS_LAST_MS = 120_000;

/**
 * Timers of workflow tasks and heartbeats come due some seconds later, those of workflows that have ended too. A batch of
 * some twenty seconds pays for most of its own, as a steady load does; what it leaves behind must not fall into the next
 * one, which is another driver's.
 */
const SETTLE_MS = 11_000;

let lastBatch = 0;

async function drive(driver: WorkflowDriver, jobs: readonly Job[], inFlight: number): Promise<void> {
  const left = jobs.values();
  const lane = async (): Promise<void> => {
    // One iterator for all lanes: each takes what comes next.
    for (const job of left) {
      await driver.start(job);
      await driver.ended(job);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function jobsOf(
  { provider }: Stage,
  place: Place | null,
  rounds: number | null,
  runs: number,
): Promise<readonly Job[]> {
  lastBatch += 1;
  const jobs: Job[] = [];
  for (let index = 0; index < runs; index += 1) {
    const id = `bench-throughput-${lastBatch}-${index}`;
    const wire = place?.startsWith('assistants') === true ? 'assistants' : 'responses';
    const hasThread = place === 'assistants, given thread' || place === IN_TURN;
    const given = hasThread ? { threadId: await provider.newThread(), inTurn: place === IN_TURN } : {};
    jobs.push({ id, wire, ...given });
  }
  if (rounds !== null) await provider.define(jobs.map(({ id }) => ({ id, script: scriptOf(rounds, 0) })));
  return jobs;
}

/** Each turn leaves work for half a minute later. It is the batch's own, and would slow the next one down. */
async function untilTurnsAreOver({ client }: Stage, taskQueue: string): Promise<void> {
  // Other scenarios may have runs that take turns, too.
  const turns = `WorkflowType = '${NAMES.turnsWorkflow}' AND TaskQueue = '${taskQueue}'`;
  const query = `${turns} AND ExecutionStatus = 'Running'`;
  const endsMs = performance.now() + TURNS_LAST_MS;
  while ((await client.workflow.count(query)).count > 0) {
    if (performance.now() > endsMs)
      throw new Error(`Threads have turns ${TURNS_LAST_MS} ms after their runs.`);
    await setTimeout(1_000);
  }
}

type Size = Pick<Batch, 'rounds' | 'cycle' | 'runs'> & { readonly inFlight: number };

async function runBatch(
  stage: Stage,
  { by, driver, place }: Variant,
  { inFlight, ...size }: Size,
): Promise<Batch> {
  const { runs } = size;
  const jobs = await jobsOf(stage, place, size.rounds, runs);
  const spent = (): CpuMs => ({
    worker: cpuMs(by.pid),
    server: cpuMs(stage.serverPid),
    provider: cpuMs(stage.provider.pid),
    client: cpuMs(process.pid),
  });
  const before = spent();
  const begun = performance.now();
  await drive(by, jobs, inFlight);
  const seconds = (performance.now() - begun) / 1_000;
  if (place === IN_TURN) await untilTurnsAreOver(stage, by.taskQueue);
  const after = spent();
  await setTimeout(SETTLE_MS);
  const each = (who: keyof CpuMs): number => round((after[who] - before[who]) / runs, 1);
  return {
    driver,
    place,
    ...size,
    seconds: round(seconds),
    cpu_ms: {
      worker: each('worker'),
      server: each('server'),
      provider: each('provider'),
      client: each('client'),
    },
  };
}

/** Each cycle begins with another one: a batch is slower after a heavy one. */
const turned = <T>(items: readonly T[], by: number): readonly T[] => [
  ...items.slice(by % items.length),
  ...items.slice(0, by % items.length),
];

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<ThroughputFigures> {
  const [noop, drover, textbook] = await Promise.all([
    startNoop(stage),
    startDrover(stage),
    startTextbook(stage),
  ]);
  const floor: Variant = { driver: 'noop', place: null, by: noop };
  const variants: readonly Variant[] = [
    floor,
    ...PLACES.flatMap((place): readonly Variant[] => [
      { driver: 'drover', place, by: drover },
      { driver: 'textbook', place, by: textbook },
    ]),
    { driver: 'drover', place: IN_TURN, by: drover },
  ];
  const inFlight = quick ? 20 : 100;
  const loads: readonly Load[] = quick
    ? [{ rounds: 1, runs: 40, floorRuns: 100, cycles: 1, places: PLACES, inTurn: 0 }]
    : [
        { rounds: 1, runs: 600, floorRuns: 900, cycles: 3, places: PLACES, inTurn: 1 },
        { rounds: 3, runs: 300, floorRuns: 900, cycles: 1, places: ['responses'], inTurn: 0 },
        { rounds: 9, runs: 120, floorRuns: 900, cycles: 1, places: ['responses'], inTurn: 0 },
      ];
  const warming = quick ? 20 : 200;
  const measured: Batch[] = [];
  let cycle = 0;
  try {
    for (const variant of variants.filter(({ place }) => place !== IN_TURN))
      await runBatch(stage, variant, { rounds: 1, cycle, runs: warming, inFlight });
    for (const { rounds, runs, floorRuns, cycles, places, inTurn } of loads) {
      for (let turn = 0; turn < cycles; turn += 1) {
        say(`${runs} runs with ${rounds} round(s) each, cycle ${turn + 1} of ${cycles}`);
        cycle += 1;
        const wanted = turn < inTurn ? [...places, IN_TURN] : places;
        const takePart = variants.filter(({ place }) => place !== null && wanted.includes(place));
        const onFloor = { rounds: null, runs: floorRuns, cycle, inFlight };
        for (const variant of turned(takePart, turn)) {
          measured.push(await runBatch(stage, floor, onFloor));
          measured.push(await runBatch(stage, variant, { rounds, runs, cycle, inFlight }));
        }
        measured.push(await runBatch(stage, floor, onFloor));
      }
    }
    return { in_flight: inFlight, batches: measured };
  } finally {
    await Promise.all([noop.stop(), drover.stop(), textbook.stop()]);
  }
}

function judge({ batches }: ThroughputFigures): readonly Target[] {
  return PLACES.flatMap((wanted) => {
    const mine = batches.filter(
      ({ driver, place, rounds }) => driver === 'drover' && place === wanted && rounds === 1,
    );
    const name = 'runs a second with one round, as a ratio to';
    return [
      atLeast(`${name} noop's (${wanted})`, ratio(batches, mine, 'noop'), 0.5),
      atLeast(`${name} textbook's (${wanted})`, ratio(batches, mine, 'textbook'), 1.3),
    ];
  });
}

const HEAD = [
  'driver',
  'place',
  'rounds',
  'batches',
  'runs a second',
  'to noop',
  'in its cycles',
  'to textbook',
  'worker ms',
  'server ms',
  'provider ms',
  'client ms',
  'all ms',
] as const;

function tables({ in_flight, batches }: ThroughputFigures): readonly Table[] {
  const kind = ({ driver, place, rounds }: Batch): string => `${rounds} ${driver} ${place}`;
  const kinds = Map.groupBy(batches, kind);
  const sorted = [...kinds.values()].sort(([a], [b]) => (a?.rounds ?? 0) - (b?.rounds ?? 0));
  return [
    {
      title: 'Throughput',
      note: `${in_flight} runs at once, the model does not think, workers are warm. Every driver has a batch in each cycle, and the floor has one before and after each of them: others use the machine too, and its speed changes by the minute. Each cycle begins with another driver. A batch lasts some twenty seconds, so that it pays for most of what its runs leave for later (timers of tasks and heartbeats), as under a steady load; then there is a pause until the server has done the rest. Medians; a ratio to noop is that to the mean of the floor's two batches around, one to textbook that of two batches of one cycle. Processor time is that of each process, in milliseconds a run, without that rest. A run on a new thread costs Drover a signal and a workflow task more: the thread stands in the history before anything runs on it (decision 026). Runs on a given thread take no turns (policy proceed), as the poll loop takes none. Those in turn have no target, as nothing they are compared with does that; their processor time has in it what their turns leave for half a minute later (decision 020), and the idle time until then.`,
      head: HEAD,
      rows: sorted.flatMap((mine) => {
        const [first] = mine;
        if (first === undefined) return [];
        const { driver, place, rounds } = first;
        const cpu = (who: keyof CpuMs): number => round(median(mine.map(({ cpu_ms }) => cpu_ms[who])), 1);
        const all = mine.map(({ cpu_ms: of }) => of.worker + of.server + of.provider + of.client);
        return [
          [
            driver,
            place,
            rounds,
            mine.length,
            round(median(mine.map(rateOf)), 1),
            place === null ? 1 : ratio(batches, mine, 'noop'),
            place === null || mine.length < 2 ? null : spread(batches, mine, 'noop'),
            place === null ? null : ratio(batches, mine, 'textbook'),
            cpu('worker'),
            cpu('server'),
            cpu('provider'),
            cpu('client'),
            round(median(all), 1),
          ],
        ];
      }),
    },
  ];
}

export const throughput: Scenario<ThroughputFigures> = { name: 'throughput', run, judge, tables };
