/** What webhooks bring a run that waits: the same thinking times with them and without, in one worker. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { responses } from '../../src/backends.ts';
import { createLogger } from '../../src/logger.ts';
import { WebhookReceiver } from '../../src/webhooks/receive.ts';
import { serveWebhooks } from '../../src/webhooks/serve.ts';
import type { WebhookServer } from '../../src/webhooks/serve.ts';
import { drawTimes, endOfMs, playDraws } from '../draws.ts';
import type { Draw } from '../draws.ts';
import type { Driver, Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import { getsOf, lagsOf, SAMPLE_HEAD, sampleCells, sampleOf } from '../lag-samples.ts';
import type { LagSample } from '../lag-samples.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { startProvider } from '../provider/provider.ts';
import type { Provider } from '../provider/provider.ts';
import { scriptOf } from '../provider/script.ts';
import { PUSHED, PUSHED_URL, WEBHOOK_SECRET } from '../pushed.ts';
import { below } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { mean, median, round } from '../statistics.ts';

export interface WebhooksRow {
  /** Its waits expect webhooks, and its provider sends them. */
  readonly webhooks: boolean;
  readonly about_s: number;
  readonly samples: readonly LagSample[];
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

/** One of both ways to wait. Each has a provider of its own: one tells of all its responses, or of none. */
interface Side {
  readonly webhooks: boolean;
  readonly provider: Provider;
}

interface Planned extends Side {
  readonly draw: Draw;
  readonly job: Job;
}

function plan(side: Side, what: string, list: readonly Draw[]): readonly Planned[] {
  const name = side.webhooks ? 'pushed' : 'plain';
  return list.map((draw, index) => ({
    ...side,
    draw,
    job: { id: `bench-${what}-${name}-${index}`, wire: 'responses', pushed: side.webhooks },
  }));
}

async function define({ provider }: Side, plans: readonly Planned[]): Promise<void> {
  const mine = plans.filter((one) => one.provider === provider);
  await provider.define(mine.map(({ job, draw }) => ({ id: job.id, script: scriptOf(0, draw.think_ms) })));
}

async function receive(stage: Stage, provider: Provider): Promise<WebhookServer> {
  const backend = responses({ baseURL: provider.url, webhookSecret: WEBHOOK_SECRET })(PUSHED);
  const receiver = new WebhookReceiver({ client: stage.client, backends: new Map([[PUSHED, backend]]) });
  const write = (line: string): void => appendFileSync(join(stage.folder, 'webhooks.log'), line);
  const logger = createLogger({ level: 'warn', format: 'json', destination: { write } });
  const server = await serveWebhooks({ receiver, logger, host: '127.0.0.1', port: 0 });
  await provider.setWebhooks({ url: `${server.url}/webhooks/${PUSHED}`, secret: WEBHOOK_SECRET });
  return server;
}

async function play(driver: Driver, plans: readonly Planned[]): Promise<void> {
  await playDraws(plans, ({ job }) => driver.start(job));
  for (const { job } of plans) await driver.ended(job);
}

/** Of the runs of both sides, by side and thinking time. */
async function readRows(
  driver: Driver,
  sides: readonly (Side & { readonly mark: number })[],
  plans: readonly Planned[],
): Promise<readonly WebhooksRow[]> {
  const rows: WebhooksRow[] = [];
  for (const { webhooks: isPushed, provider, mark } of sides) {
    const jobs = jobFacts(provider.since(mark));
    const mine = plans.filter((one) => one.provider === provider);
    for (const [about_s, same] of Map.groupBy(mine, ({ draw }) => draw.about_s)) {
      const samples: LagSample[] = [];
      for (const { job } of same) samples.push(sampleOf(job.id, jobs.get(job.id), await driver.knownAt(job)));
      rows.push({ webhooks: isPushed, about_s, samples });
    }
  }
  return rows;
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<WebhooksFigures> {
  const telling = await startProvider(join(stage.folder, 'provider-webhooks.jsonl'));
  let server: WebhookServer | null = null;
  let driver: Driver | null = null;
  try {
    server = await receive(stage, telling);
    driver = await startDrover(stage, { env: { [PUSHED_URL]: telling.url } });
    const sides: readonly Side[] = [
      { webhooks: false, provider: stage.provider },
      { webhooks: true, provider: telling },
    ];
    const warming = Array.from({ length: WARMING_RUNS }, (): Draw => ({
      about_s: 0,
      think_ms: WARMING_MS,
      start_ms: 0,
    }));
    const list = draws(quick);
    const warmUps = sides.flatMap((side) => plan(side, 'webhooks-warming', warming));
    const plans = sides.flatMap((side) => plan(side, 'webhooks', list));
    for (const side of sides) await define(side, [...warmUps, ...plans]);
    // The first runs of a process pay for its loading and compiling.
    await play(driver, warmUps);
    const marked = sides.map((side) => ({ ...side, mark: side.provider.mark() }));
    say(`${plans.length} runs, spread over ${Math.ceil(endOfMs(list) / 1_000)} s`);
    await play(driver, plans);
    // It answers what has come: its own looks are in the journal then.
    await server.close();
    return { rows: await readRows(driver, marked, plans) };
  } finally {
    await driver?.stop();
    await telling.stop();
    await server?.close();
  }
}

/** From these thinking times on a target is set: before, looks come so close together that webhooks bring little. */
const FEWER_LOOKS_S = 5;
const LESS_LAG_S = 60;

function judge({ rows }: WebhooksFigures): readonly Target[] {
  const targets: Target[] = [];
  for (const { about_s, samples } of rows.filter((row) => row.webhooks)) {
    const plain = rows.find((row) => !row.webhooks && row.about_s === about_s)?.samples;
    if (about_s >= LESS_LAG_S) {
      targets.push(
        below(
          `median lag with webhooks at about ${about_s} s, against that without`,
          round(median(lagsOf(samples))),
          round(median(lagsOf(plain))),
        ),
      );
    }
    if (about_s >= FEWER_LOOKS_S) {
      targets.push(
        below(
          `GETs of a run with webhooks at about ${about_s} s, against those without`,
          round(mean(getsOf(samples)), 1),
          round(mean(getsOf(plain)), 1),
        ),
      );
    }
  }
  return targets;
}

function tables({ rows }: WebhooksFigures): readonly Table[] {
  return [
    {
      title: 'Webhooks',
      note: "Runs of one worker on the Responses wire, on a backend that expects webhooks and on one that does not, with the same thinking times; lag and T are as above. The provider sends a webhook as soon as a response has ended, over the loopback; the receiver's own GET counts as one of the run's. Most of the lag with webhooks is Temporal's: its server hands out a wait that was reset within a second (`history.timerProcessorMaxTimeShift`).",
      head: ['webhooks', 'T s', ...SAMPLE_HEAD],
      rows: rows.map((row) => [row.webhooks ? 'yes' : 'no', row.about_s, ...sampleCells(row.samples)]),
    },
  ];
}

export const webhooks: Scenario<WebhooksFigures> = { name: 'webhooks', run, judge, tables };
