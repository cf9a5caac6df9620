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
import { atLeast, EndedEarly } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { underSteadyLoad } from '../steady-load.ts';
import type { Load } from '../steady-load.ts';
import { median, round, total } from '../statistics.ts';

export interface ThroughputFigures {
  /** At once. */
  readonly in_flight: number;
  readonly batches: readonly Batch[];
}

type Variant = Pick<Batch, 'driver' | 'place'> & { readonly by: WorkflowDriver };

interface Series {
  readonly rounds: number;
  /** In each, every driver has its batch, with one of the floor before and after it. */
  readonly cycles: number;
  readonly places: readonly Place[];
  /** Cycles in which runs take turns, too. */
  readonly inTurn: number;
}

/**
 * What a run leaves at the server comes due up to ten seconds after its end (timeouts of workflow tasks and heartbeats):
 * after such a ramp a load pays for what it leaves, and the batch before is over. Timeouts of a minute, which the floor
 * and the poll loop have for their activities, fall into a later batch: about one millisecond a run of a poll loop.
 */
const STEADY: Load = { inFlight: 100, rampMs: 12_000, measuredMs: 15_000 };
const QUICK: Load = { inFlight: 20, rampMs: 1_000, measuredMs: 3_000 };
/** Turns end half a minute after their thread's last run. */
const TURNS_RAMP_MS = 40_000;
const TURNS_LAST_MS = 120_000;
/** Far more than end. */
const MOST_A_SECOND = { floor: 1_000, runs: 150 } as const;
const THREADS_AT_ONCE = 50;

let lastBatch = 0;

/** Made before: a service's threads are there when it starts a run. */
async function newThreads({ provider }: Stage, count: number): Promise<readonly string[]> {
  const threads: string[] = [];
  while (threads.length < count) {
    const some = Array.from({ length: THREADS_AT_ONCE }, () => provider.newThread());
    threads.push(...(await Promise.all(some)));
  }
  return threads;
}

async function jobsOf(
  stage: Stage,
  place: Place | null,
  rounds: number | null,
  runs: number,
): Promise<readonly Job[]> {
  lastBatch += 1;
  const wire = place?.startsWith('assistants') === true ? 'assistants' : 'responses';
  const hasThread = place === 'assistants, given thread' || place === IN_TURN;
  const threads = hasThread ? await newThreads(stage, runs) : [];
  const jobs = Array.from({ length: runs }, (_, index): Job => {
    const job = { id: `bench-throughput-${lastBatch}-${index}`, wire } as const;
    const threadId = threads[index];
    return threadId === undefined ? job : { ...job, threadId, inTurn: place === IN_TURN };
  });
  if (rounds !== null)
    await stage.provider.define(jobs.map(({ id }) => ({ id, script: scriptOf(rounds, 0) })));
  return jobs;
}

/** What turns leave for half a minute later would slow the next batch down. */
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

async function runBatch(
  stage: Stage,
  { by, driver, place }: Variant,
  of: Pick<Batch, 'rounds' | 'cycle'>,
  load: Load,
): Promise<Batch> {
  const seconds = (load.rampMs + load.measuredMs) / 1_000;
  const jobs = await jobsOf(
    stage,
    place,
    of.rounds,
    Math.ceil(seconds) * MOST_A_SECOND[place === null ? 'floor' : 'runs'],
  );
  const spent = (): CpuMs => ({
    worker: cpuMs(by.pid),
    server: cpuMs(stage.serverPid),
    provider: cpuMs(stage.provider.pid),
    client: cpuMs(process.pid),
  });
  const { runs, before, after, ...took } = await underSteadyLoad(by, jobs, load, spent);
  if (place === IN_TURN) await untilTurnsAreOver(stage, by.taskQueue);
  const each = (who: keyof CpuMs): number => round((after[who] - before[who]) / runs, 1);
  return {
    driver,
    place,
    ...of,
    runs,
    seconds: round(took.seconds),
    cpu_ms: {
      worker: each('worker'),
      server: each('server'),
      provider: each('provider'),
      client: each('client'),
    },
  };
}

/** Each cycle begins at another place and with the other driver: a batch is slower after a heavy one. */
function ordered(variants: readonly Variant[], turn: number): readonly Variant[] {
  const places = [...Map.groupBy(variants, ({ place }) => place).values()];
  const by = turn % places.length;
  const turned = [...places.slice(by), ...places.slice(0, by)];
  return turned.flatMap((beside) => (turn % 2 === 0 ? beside : beside.toReversed()));
}

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
  const load = quick ? QUICK : STEADY;
  const all: readonly Series[] = quick
    ? [{ rounds: 1, cycles: 1, places: PLACES, inTurn: 0 }]
    : [
        { rounds: 1, cycles: 3, places: PLACES, inTurn: 1 },
        { rounds: 3, cycles: 1, places: ['responses'], inTurn: 0 },
        { rounds: 9, cycles: 1, places: ['responses'], inTurn: 0 },
      ];
  const measured: Batch[] = [];
  let cycle = 0;
  try {
    for (const variant of variants.filter(({ place }) => place !== IN_TURN))
      await runBatch(stage, variant, { rounds: 1, cycle }, { ...load, measuredMs: 1 });
    for (const { rounds, cycles, places, inTurn } of all) {
      for (let turn = 0; turn < cycles; turn += 1) {
        say(`runs with ${rounds} round(s) each, cycle ${turn + 1} of ${cycles}`);
        cycle += 1;
        const wanted = turn < inTurn ? [...places, IN_TURN] : places;
        const takePart = variants.filter(({ place }) => place !== null && wanted.includes(place));
        for (const variant of ordered(takePart, turn)) {
          measured.push(await runBatch(stage, floor, { rounds: null, cycle }, load));
          const rampMs = variant.place === IN_TURN ? TURNS_RAMP_MS : load.rampMs;
          const batch = await runBatch(stage, variant, { rounds, cycle }, { ...load, rampMs });
          measured.push(batch);
          say(`${variant.driver}, ${variant.place ?? ''}: ${round(rateOf(batch), 1)} runs a second`);
        }
        measured.push(await runBatch(stage, floor, { rounds: null, cycle }, load));
      }
    }
    return { in_flight: load.inFlight, batches: measured };
  } catch (error) {
    if (measured.length === 0) throw error;
    throw new EndedEarly({ in_flight: load.inFlight, batches: measured } satisfies ThroughputFigures, error);
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
      note: `${in_flight} runs at once, the model does not think, workers are warm. Every driver has a batch in each cycle, and the floor has one before and after each of them: others use the machine too, and its speed changes by the minute. Each cycle of runs with one round begins at another place and with the other driver. A batch keeps so many runs under way for twelve seconds before it is measured for fifteen, and what ends meanwhile counts: by then it pays for what its runs leave for later (timers of workflow tasks and heartbeats), next to nothing is left of the batch before (timers of a minute, which the floor and the poll loop have for their activities), and it has neither a beginning nor an end. Medians; a ratio to noop is that to the mean of the floor's two batches around, one to textbook that of such ratios in one cycle. Processor time is that of each process, in milliseconds a run. A run on a new thread costs Drover a signal and a workflow task more: the thread stands in the history before anything runs on it (decision 026). Runs on a given thread take no turns (policy proceed), as the poll loop takes none. Those in turn have no target, as nothing they are compared with does that; their turns leave work for half a minute later (decision 020), so that they are measured after forty seconds.`,
      head: HEAD,
      rows: sorted.flatMap((mine) => {
        const [first] = mine;
        if (first === undefined) return [];
        const { driver, place, rounds } = first;
        const cpu = (who: keyof CpuMs): number => round(median(mine.map(({ cpu_ms }) => cpu_ms[who])), 1);
        const all = mine.map(({ cpu_ms }) => total(Object.values(cpu_ms)));
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
