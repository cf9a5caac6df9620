/** Many runs that wait in one worker process: memory, processor time, heartbeats that came too late. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NAMES } from '../../src/contract.ts';
import { findFreePorts } from '../../src/dev/ports.ts';
import type { Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import { cpuMs, residentMb } from '../process-facts.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atMost, below } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import { fetchSeries, sumOf } from '../server-counters.ts';
import type { Stage } from '../stage.ts';
import { mean, quantile, round } from '../statistics.ts';

export interface InFlightRow {
  readonly runs: number;
  readonly think_s: number;
  /** From the start of the worker until the provider had been asked for all of them. */
  readonly creating_s: number;
  /** At once, at most. */
  readonly waiting: number;
  readonly resident_mb: { readonly before: number; readonly most: number };
  /** Share of one core that the worker used while all of them waited. */
  readonly cpu_share: number;
  /** Slots of activities in use while all of them waited: the mean and the most. */
  readonly slots: { readonly mean: number; readonly most: number };
  /** Activities of the run that the server gave up for want of a heartbeat. */
  readonly missed_heartbeats: number;
  readonly lag_p99_s: number;
}

export interface InFlightFigures {
  readonly rows: readonly InFlightRow[];
}

interface Load {
  readonly runs: number;
  readonly think_s: number;
}

const LANES = 50;
const SAMPLE_MS = 1_000;

async function eachInLanes(jobs: readonly Job[], act: (job: Job) => Promise<void>): Promise<void> {
  const left = jobs.values();
  const lane = async (): Promise<void> => {
    for (const job of left) await act(job);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function missedHeartbeats(stage: Stage, taskQueue: string): Promise<number> {
  const queue = `taskqueue="${taskQueue.replaceAll('-', '_')}"`;
  return sumOf(
    await fetchSeries(stage.serverMetrics),
    'activity_task_timeout',
    queue,
    'timeout_type="Heartbeat"',
  );
}

interface Sample {
  readonly at: number;
  readonly cpu_ms: number;
  readonly resident_mb: number;
  readonly slots: number;
}

/** Looks at the worker each second until the signal. */
async function watch(pid: number, metrics: string, signal: AbortSignal): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (!signal.aborted) {
    const series = await fetchSeries(metrics).catch(() => []);
    samples.push({
      at: Date.now(),
      cpu_ms: cpuMs(pid),
      resident_mb: residentMb(pid),
      slots: sumOf(series, 'temporal_worker_task_slots_used', 'worker_type="ActivityWorker"'),
    });
    await sleep(SAMPLE_MS);
  }
  return samples;
}

async function measure(
  stage: Stage,
  { runs, think_s }: Load,
  say: (message: string) => void,
): Promise<InFlightRow> {
  const [port = 0] = await findFreePorts(1);
  const drover = await startDrover(stage, { env: { DROVER_METRICS: `127.0.0.1:${port}` } });
  try {
    const jobs = Array.from({ length: runs }, (_, index): Job => {
      return { id: `bench-in-flight-${think_s}-${index}`, wire: 'responses' };
    });
    await stage.provider.define(jobs.map(({ id }) => ({ id, script: scriptOf(0, think_s * 1_000) })));
    // Started while there is no worker, so that it finds all of them at once.
    await drover.kill();
    say(`${runs} runs that think for ${think_s} s, on a worker that finds them all at once`);
    await eachInLanes(jobs, (job) => drover.start(job));
    const mark = stage.provider.mark();
    const missedBefore = await missedHeartbeats(stage, drover.taskQueue);
    const begun = Date.now();
    await drover.restart();
    const before = residentMb(drover.pid);
    const over = new AbortController();
    const watching = watch(drover.pid, `http://127.0.0.1:${port}/metrics`, over.signal);
    await eachInLanes(jobs, (job) => drover.ended(job));
    over.abort();
    const samples = await watching;
    const missed = (await missedHeartbeats(stage, drover.taskQueue)) - missedBefore;
    const facts = jobFacts(stage.provider.since(mark));
    const created = [...facts.values()].map(({ createdAt }) => createdAt).sort((a, b) => a - b);
    const ended = [...facts.values()].flatMap(({ endedAt }) => endedAt ?? []).sort((a, b) => a - b);
    const [allCreated = 0, firstEnded = 0] = [created.at(-1), ended[0]];
    const whole = samples.filter(({ at }) => at > allCreated && at < firstEnded);
    const [first, last] = [whole[0], whole.at(-1)];
    const lags: number[] = [];
    await eachInLanes(
      jobs.filter((_, index) => index % 10 === 0),
      async (job) => {
        const end = facts.get(job.id)?.endedAt ?? Number.NaN;
        lags.push(((await drover.knownAt(job)) - end) / 1_000);
      },
    );
    return {
      runs,
      think_s,
      creating_s: round((allCreated - begun) / 1_000, 1),
      waiting: Math.max(...created.map((at, index) => index + 1 - ended.filter((end) => end <= at).length)),
      resident_mb: {
        before: round(before, 0),
        most: round(Math.max(...samples.map(({ resident_mb }) => resident_mb)), 0),
      },
      cpu_share:
        first === undefined || last === undefined
          ? Number.NaN
          : round((last.cpu_ms - first.cpu_ms) / (last.at - first.at), 2),
      slots: {
        mean: round(mean(whole.map(({ slots }) => slots)), 0),
        most: Math.max(...whole.map(({ slots }) => slots)),
      },
      missed_heartbeats: missed,
      lag_p99_s: round(quantile(lags, 0.99)),
    };
  } finally {
    await drover.stop();
  }
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<InFlightFigures> {
  const loads: readonly Load[] = quick
    ? [{ runs: 100, think_s: 12 }]
    : [
        { runs: 2_000, think_s: 100 },
        { runs: 2_000, think_s: 300 },
      ];
  const rows: InFlightRow[] = [];
  for (const load of loads) rows.push(await measure(stage, load, say));
  return { rows };
}

const MOST_MB = 700;

function judge({ rows }: InFlightFigures): readonly Target[] {
  return rows.flatMap(({ runs, think_s, waiting, resident_mb, missed_heartbeats }) => {
    const what = `${runs} runs that think for ${think_s} s in one worker`;
    return [
      below(`memory in MB, ${what}`, resident_mb.most, MOST_MB),
      atMost(`missed heartbeats, ${what}`, missed_heartbeats, 0),
      atMost(`runs that did not wait at the same time, ${what}`, runs - waiting, 0),
    ];
  });
}

function tables({ rows }: InFlightFigures): readonly Table[] {
  return [
    {
      title: 'In flight',
      note: `Runs on the Responses wire that wait at the same time in one worker process, which found all of them when it started. Memory is the most that the process held in RAM; the share of a core and the slots of activities are those while all of them waited. Missed heartbeats are ${NAMES.activities.awaitRun} and all else that Temporal's server gave up, by its own counters. The lag is that of every tenth run: all end within a short time.`,
      head: [
        'runs',
        'thinking s',
        'at once',
        'all created after s',
        'MB before',
        'MB most',
        'share of a core',
        'slots mean',
        'slots most',
        'missed heartbeats',
        'lag p99 s',
      ],
      rows: rows.map((row) => [
        row.runs,
        row.think_s,
        row.waiting,
        row.creating_s,
        row.resident_mb.before,
        row.resident_mb.most,
        row.cpu_share,
        row.slots.mean,
        row.slots.most,
        row.missed_heartbeats,
        row.lag_p99_s,
      ]),
    },
  ];
}

export const inFlight: Scenario<InFlightFigures> = { name: 'in_flight', run, judge, tables };
