/** Runs a second through one worker process on one server, beside the engine's floor and a poll loop. */
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

/** Processor time a run, by who spends it. */
interface CpuMs {
  readonly worker: number;
  readonly server: number;
  readonly provider: number;
  /** The bench itself, which starts runs and waits for them. */
  readonly client: number;
}

export interface Batch {
  readonly variant: string;
  /** Null for the floor, which has none. */
  readonly rounds: number | null;
  readonly runs: number;
  readonly seconds: number;
  readonly cpu_ms: CpuMs;
}

export interface ThroughputFigures {
  /** At once. */
  readonly in_flight: number;
  readonly batches: readonly Batch[];
}

interface Variant {
  readonly name: string;
  readonly driver: WorkflowDriver;
  readonly wire: Job['wire'];
}

interface Load {
  readonly rounds: number;
  readonly runs: number;
  /** In each, every driver has its batch. */
  readonly cycles: number;
}

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

interface Size {
  readonly runs: number;
  readonly inFlight: number;
}

async function runBatch(
  stage: Stage,
  { name, driver, wire }: Variant,
  rounds: number | null,
  { runs, inFlight }: Size,
): Promise<Batch> {
  lastBatch += 1;
  const jobs = Array.from({ length: runs }, (_, index): Job => {
    return { id: `bench-throughput-${lastBatch}-${index}`, wire };
  });
  if (rounds !== null)
    await stage.provider.define(jobs.map(({ id }) => ({ id, script: scriptOf(rounds, 0) })));
  const spent = (): CpuMs => ({
    worker: cpuMs(driver.pid),
    server: cpuMs(stage.serverPid),
    provider: cpuMs(stage.provider.pid),
    client: cpuMs(process.pid),
  });
  const before = spent();
  const begun = performance.now();
  await drive(driver, jobs, inFlight);
  const seconds = (performance.now() - begun) / 1_000;
  const after = spent();
  const each = (who: keyof CpuMs): number => round((after[who] - before[who]) / runs, 1);
  return {
    variant: name,
    rounds,
    runs,
    seconds: round(seconds),
    cpu_ms: {
      worker: each('worker'),
      server: each('server'),
      provider: each('provider'),
      client: each('client'),
    },
  };
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<ThroughputFigures> {
  const [noop, drover, textbook] = await Promise.all([
    startNoop(stage),
    startDrover(stage),
    startTextbook(stage),
  ]);
  const variants: readonly Variant[] = [
    { name: 'drover, responses', driver: drover, wire: 'responses' },
    { name: 'drover, assistants', driver: drover, wire: 'assistants' },
    { name: 'textbook', driver: textbook, wire: 'assistants' },
  ];
  const floor: Variant = { name: 'noop', driver: noop, wire: 'responses' };
  const inFlight = quick ? 20 : 100;
  const loads: readonly Load[] = quick
    ? [{ rounds: 1, runs: 40, cycles: 1 }]
    : [
        { rounds: 1, runs: 200, cycles: 5 },
        { rounds: 3, runs: 100, cycles: 3 },
        { rounds: 9, runs: 60, cycles: 2 },
      ];
  const warming = quick ? 20 : 100;
  const measured: Batch[] = [];
  try {
    for (const variant of [floor, ...variants])
      await runBatch(stage, variant, 1, { runs: warming, inFlight });
    for (const { rounds, runs, cycles } of loads) {
      for (let cycle = 1; cycle <= cycles; cycle += 1) {
        say(`${runs} runs with ${rounds} round(s) each, cycle ${cycle} of ${cycles}`);
        measured.push(await runBatch(stage, floor, null, { runs: quick ? 100 : 300, inFlight }));
        for (const variant of variants)
          measured.push(await runBatch(stage, variant, rounds, { runs, inFlight }));
      }
    }
    return { in_flight: inFlight, batches: measured };
  } finally {
    await Promise.all([noop.stop(), drover.stop(), textbook.stop()]);
  }
}

const FLOOR = 'noop';
const LOOP = 'textbook';

const ratesOf = (batches: readonly Batch[], variant: string, rounds: number | null): readonly number[] =>
  batches
    .filter((batch) => batch.variant === variant && batch.rounds === rounds)
    .map(({ runs, seconds }) => runs / seconds);

function judge({ batches }: ThroughputFigures): readonly Target[] {
  const rate = (variant: string, rounds: number | null): number => median(ratesOf(batches, variant, rounds));
  return ['drover, responses', 'drover, assistants'].flatMap((variant) => [
    atLeast(
      `runs a second with one round, as a ratio to noop's (${variant})`,
      round(rate(variant, 1) / rate(FLOOR, null), 2),
      0.5,
    ),
    atLeast(
      `runs a second with one round, as a ratio to textbook's (${variant})`,
      round(rate(variant, 1) / rate(LOOP, 1), 2),
      1.3,
    ),
  ]);
}

function tables({ in_flight, batches }: ThroughputFigures): readonly Table[] {
  const kinds = new Map(batches.map((batch) => [`${batch.variant} ${batch.rounds}`, batch]));
  const sorted = [...kinds.values()].sort((a, b) => (a.rounds ?? 0) - (b.rounds ?? 0));
  return [
    {
      title: 'Throughput',
      note: `${in_flight} runs at once, the model does not think, workers are warm. Medians of batches that took turns; processor time is that of each process, in milliseconds a run. The poll loop and Drover on the Assistants wire make a thread for each run.`,
      head: [
        'driver',
        'rounds',
        'batches',
        'runs a second',
        'to noop',
        'to textbook',
        'worker ms',
        'server ms',
        'provider ms',
        'client ms',
        'all ms',
      ],
      rows: sorted.map(({ variant, rounds }) => {
        const mine = batches.filter((batch) => batch.variant === variant && batch.rounds === rounds);
        const rate = median(ratesOf(batches, variant, rounds));
        const cpu = (who: keyof CpuMs): number => round(median(mine.map(({ cpu_ms }) => cpu_ms[who])), 1);
        return [
          variant,
          rounds,
          mine.length,
          round(rate, 1),
          round(rate / median(ratesOf(batches, FLOOR, null)), 2),
          rounds === null ? null : round(rate / median(ratesOf(batches, LOOP, rounds)), 2),
          cpu('worker'),
          cpu('server'),
          cpu('provider'),
          cpu('client'),
          round(median(mine.map(({ cpu_ms: of }) => of.worker + of.server + of.provider + of.client)), 1),
        ];
      }),
    },
  ];
}

export const throughput: Scenario<ThroughputFigures> = { name: 'throughput', run, judge, tables };
