/** What webhooks bring a run that waits: the same thinking times for each way to hear of an end, side by side. */
import { drawTimes, endOfMs, playDraws } from '../draws.ts';
import type { Draw } from '../draws.ts';
import type { Job } from '../drivers/driver.ts';
import { getsOf, lagsOf, SAMPLE_HEAD, sampleCells, sampleOf } from '../lag-samples.ts';
import type { LagSample } from '../lag-samples.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atMost, below } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { mean, median, round } from '../statistics.ts';
import { startTelling, TOLD } from '../telling.ts';
import type { Telling, Told } from '../telling.ts';

export interface WebhooksSample extends LagSample {
  /** Of its history. */
  readonly events: number;
}

export interface WebhooksRow {
  readonly told: Told;
  readonly about_s: number;
  readonly samples: readonly WebhooksSample[];
}

export interface WebhooksFigures {
  readonly rows: readonly WebhooksRow[];
}

const SEED = 6;
const WARMING_RUNS = 10;
const WARMING_MS = 500;

const draws = (quick: boolean): readonly Draw[] =>
  quick
    ? drawTimes({ seed: SEED, times: [1, 2], samples: 10, spareMs: 500 })
    : drawTimes({ seed: SEED, times: [1, 5, 20, 60], samples: 40 });

interface Planned {
  readonly draw: Draw;
  readonly job: Job;
}

function plan({ told }: Telling, what: string, list: readonly Draw[]): readonly Planned[] {
  const name = `bench-${what}-${TOLD.indexOf(told)}`;
  return list.map((draw, index) => ({
    draw,
    job: { id: `${name}-${index}`, wire: 'responses', pushed: told !== 'looks' },
  }));
}

/** Defines, begins and awaits all that is planned of one way. */
async function play({ provider, driver }: Telling, plans: readonly Planned[]): Promise<void> {
  await provider.define(plans.map(({ job, draw }) => ({ id: job.id, script: scriptOf(0, draw.think_ms) })));
  await playDraws(plans, ({ job }) => driver.start(job));
  for (const { job } of plans) await driver.ended(job);
}

/** Of the runs of one way, by thinking time. */
async function readRows(
  { told, provider, driver }: Telling,
  mark: number,
  plans: readonly Planned[],
): Promise<readonly WebhooksRow[]> {
  const jobs = jobFacts(provider.since(mark));
  const rows: WebhooksRow[] = [];
  for (const [about_s, same] of Map.groupBy(plans, ({ draw }) => draw.about_s)) {
    const samples: WebhooksSample[] = [];
    for (const { job } of same) {
      const { length: events } = await driver.history(job);
      samples.push({ ...sampleOf(job.id, jobs.get(job.id), await driver.knownAt(job)), events });
    }
    rows.push({ told, about_s, samples });
  }
  return rows;
}

async function measure(ways: readonly Telling[], { quick, say }: ScenarioOptions): Promise<WebhooksFigures> {
  const warming = Array.from({ length: WARMING_RUNS }, (): Draw => ({
    about_s: 0,
    think_ms: WARMING_MS,
    start_ms: 0,
  }));
  // The first runs of a process pay for its loading and compiling.
  await Promise.all(ways.map((way) => play(way, plan(way, 'webhooks-warming', warming))));
  const list = draws(quick);
  const planned = ways.map((way) => ({ way, mark: way.provider.mark(), plans: plan(way, 'webhooks', list) }));
  say(
    `${list.length} runs of each of ${ways.length} ways, spread over ${Math.ceil(endOfMs(list) / 1_000)} s`,
  );
  await Promise.all(planned.map(({ way, plans }) => play(way, plans)));
  const rows: WebhooksRow[] = [];
  for (const { way, mark, plans } of planned) {
    await way.settle();
    rows.push(...(await readRows(way, mark, plans)));
  }
  return { rows };
}

async function run(stage: Stage, options: ScenarioOptions): Promise<WebhooksFigures> {
  const ways: Telling[] = [];
  try {
    for (const told of TOLD) ways.push(await startTelling(stage, told));
    return await measure(ways, options);
  } finally {
    for (const way of ways) await way.stop();
  }
}

/** From these thinking times on a target is set: before, looks come so close together that webhooks bring little. */
const FEWER_LOOKS_S = 5;
const LESS_LAG_S = 60;
/** What "at once" may take: the webhook, the receiver's own look, a workflow task or two, the run's look. */
const AT_ONCE_S = 0.3;
const AT_ONCE: readonly Told[] = ['reset, prompt server', 'signal'];

function judge({ rows }: WebhooksFigures): readonly Target[] {
  const targets: Target[] = [];
  for (const { told, about_s, samples } of rows.filter((row) => row.told !== 'looks')) {
    const plain = rows.find((row) => row.told === 'looks' && row.about_s === about_s)?.samples;
    const where = `with webhooks (${told}) at about ${about_s} s`;
    const lag = round(median(lagsOf(samples)));
    if (AT_ONCE.includes(told)) targets.push(atMost(`median lag ${where}`, lag, AT_ONCE_S));
    if (about_s >= LESS_LAG_S)
      targets.push(below(`median lag ${where}, against that without`, lag, round(median(lagsOf(plain)))));
    if (about_s >= FEWER_LOOKS_S) {
      const gets = round(mean(getsOf(samples)), 1);
      targets.push(
        below(`GETs of a run ${where}, against those without`, gets, round(mean(getsOf(plain)), 1)),
      );
    }
  }
  return targets;
}

function tables({ rows }: WebhooksFigures): readonly Table[] {
  return [
    {
      title: 'Webhooks',
      note: "Runs on the Responses wire, each way with a worker and a provider of its own, side by side: one that only looks, and three whose provider sends a webhook over the loopback as soon as a response has ended; lag and T are as above. `drover webhooks` resets the wait, which Temporal's server hands out up to a second later, or up to 0.1 s where it is prompt (`history.timerProcessorMaxTimeShift`, as `drover dev` and docker-compose.yml set it); or it signals the run (`--wake signal`). The receiver's own GET counts as one of the run's.",
      head: ['told by', 'T s', ...SAMPLE_HEAD, 'events mean'],
      rows: rows.map(({ told, about_s, samples }) => [
        told,
        about_s,
        ...sampleCells(samples),
        round(mean(samples.map(({ events }) => events)), 1),
      ]),
    },
  ];
}

export const webhooks: Scenario<WebhooksFigures> = { name: 'webhooks', run, judge, tables };
