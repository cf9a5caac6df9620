/** From the provider's end of a run to the driver's knowing it. */
import { drawTimes, endOfMs, playDraws } from '../draws.ts';
import type { Draw } from '../draws.ts';
import { startCreateAndPoll } from '../drivers/create-and-poll.ts';
import type { Driver, Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import { startTextbook } from '../drivers/textbook.ts';
import { lagsOf, SAMPLE_HEAD, sampleCells, sampleOf } from '../lag-samples.ts';
import type { LagSample } from '../lag-samples.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atMost, below } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { known, mean, median, most, quantile, round } from '../statistics.ts';

export interface LagRow {
  readonly driver: string;
  readonly about_s: number;
  readonly samples: readonly LagSample[];
}

export interface LagFigures {
  readonly rows: readonly LagRow[];
}

const SEED = 4;
/** The poll loop has one run in so many: its looks would load the server that all share. */
const TEXTBOOK_EVERY = 10;

const draws = (quick: boolean): readonly Draw[] =>
  drawTimes({ seed: SEED, times: quick ? [0.2, 1, 5] : [0.2, 1, 5, 20, 60, 120], samples: quick ? 20 : 120 });

interface Planned {
  readonly driver: Driver;
  readonly draw: Draw;
  readonly job: Job;
}

function plan(driver: Driver, list: readonly Draw[]): readonly Planned[] {
  const every = driver.name === 'textbook' ? TEXTBOOK_EVERY : 1;
  return list
    .filter((_, index) => index % every === 0)
    .map((draw, index) => {
      const id = `bench-lag-${driver.name.toLowerCase()}-${index}`;
      return { driver, draw, job: { id, wire: 'assistants' } };
    });
}

const WARMING_RUNS = 10;

/** The first runs of a process pay for its loading and compiling. */
async function warmUp(stage: Stage, drivers: readonly Driver[]): Promise<void> {
  const jobs = drivers.flatMap((driver) =>
    Array.from({ length: WARMING_RUNS }, (_, index): readonly [Driver, Job] => {
      return [driver, { id: `bench-warming-${driver.name.toLowerCase()}-${index}`, wire: 'assistants' }];
    }),
  );
  await stage.provider.define(jobs.map(([, { id }]) => ({ id, script: scriptOf(0, 0) })));
  for (const [driver, job] of jobs) await driver.start(job);
  await Promise.all(jobs.map(([driver, job]) => driver.ended(job)));
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<LagFigures> {
  const drivers = await Promise.all([startDrover(stage), startTextbook(stage), startCreateAndPoll(stage)]);
  try {
    const list = draws(quick);
    const plans = drivers.flatMap((driver) => plan(driver, list));
    await stage.provider.define(
      plans.map(({ job, draw }) => ({ id: job.id, script: scriptOf(0, draw.think_ms) })),
    );
    await warmUp(stage, drivers);
    const mark = stage.provider.mark();
    say(`${plans.length} runs, spread over ${Math.ceil(endOfMs(list) / 1_000)} s`);
    await playDraws(plans, ({ driver, job }) => driver.start(job));
    for (const { driver, job } of plans) await driver.ended(job);
    const jobs = jobFacts(stage.provider.since(mark));
    const rows = new Map<string, { driver: string; about_s: number; samples: LagSample[] }>();
    for (const { driver, draw, job } of plans) {
      const key = `${driver.name} ${draw.about_s}`;
      const row = rows.get(key) ?? { driver: driver.name, about_s: draw.about_s, samples: [] };
      rows.set(key, row);
      row.samples.push(sampleOf(job.id, jobs.get(job.id), await driver.knownAt(job)));
    }
    return { rows: [...rows.values()] };
  } finally {
    await Promise.all(drivers.map((driver) => driver.stop()));
  }
}

/** From this waiting time on, looks are compared with those of createAndPoll. */
const LONG_S = 100;

function judge({ rows }: LagFigures): readonly Target[] {
  const of = (driver: string, about_s: number): LagRow | undefined =>
    rows.find((row) => row.driver === driver && row.about_s === about_s);
  const mine = rows.filter(({ driver }) => driver === 'drover');
  const targets = mine.flatMap((row) => {
    const over = row.samples.map(({ lag_s, waited_s }) => known(lag_s) - waited_s / 10);
    const floor = median(lagsOf(of('createAndPoll', row.about_s)?.samples));
    return [
      atMost(
        `lag beyond a tenth of the wait, p99 at about ${row.about_s} s`,
        round(quantile(over, 0.99)),
        0.3,
      ),
      below(
        `median lag at about ${row.about_s} s, against createAndPoll's`,
        round(median(lagsOf(row.samples))),
        round(floor),
      ),
    ];
  });
  const all = mine.flatMap((row) => row.samples);
  const beyond = most(all.map(({ gets, waited_s }) => known(gets) - waited_s / 2));
  targets.push(atMost('GETs of a run beyond half of its seconds', round(beyond, 1), 15));
  const longGets = (driver: string): readonly number[] =>
    rows
      .filter((row) => row.driver === driver)
      .flatMap((row) => row.samples)
      .filter(({ waited_s }) => waited_s >= LONG_S)
      .map(({ gets }) => gets);
  if (longGets('drover').length > 0) {
    const ratio = round(mean(longGets('drover')) / mean(longGets('createAndPoll')), 2);
    targets.push(atMost(`GETs of runs of ${LONG_S} s and more, against createAndPoll's`, ratio, 2));
  }
  return targets;
}

function tables({ rows }: LagFigures): readonly Table[] {
  return [
    {
      title: 'Lag',
      note: `From the end of the run in the provider's journal to the completion of the activity that saw it (Temporal's event time), or to the return of the official helper. Thinking times are drawn from half to one and a half of T, the same ones for drover and createAndPoll; textbook has one in ${TEXTBOOK_EVERY} of them.`,
      head: ['driver', 'T s', ...SAMPLE_HEAD],
      rows: rows.map(({ driver, about_s, samples }) => [driver, about_s, ...sampleCells(samples)]),
    },
  ];
}

export const lag: Scenario<LagFigures> = { name: 'lag', run, judge, tables };
