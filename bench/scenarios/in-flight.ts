/** Many runs that wait in one worker process: memory, processor time, heartbeats that came too late. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NAMES } from '../../src/contract.ts';
import { findFreePorts } from '../../src/dev/ports.ts';
import type { Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import type { WorkflowDriver } from '../drivers/workflow-driver.ts';
import { cpuMs, residentMb } from '../process-facts.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atMost, below } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import { fetchSeries, sumOf } from '../server-counters.ts';
import type { Stage } from '../stage.ts';
import { mean, most, quantile, round } from '../statistics.ts';

export interface InFlightRow {
  readonly runs: number;
  /** For how long all of them were to wait. */
  readonly together_s: number;
  /** From the first start to the last one. */
  readonly starting_s: number;
  /** From the start of a run until the provider had been asked for it. */
  readonly create_p99_s: number;
  /** At once, at most. */
  readonly waiting: number;
  /** Before the first start, and the most of what was seen each second until the provider ended the last run. */
  readonly resident_mb: { readonly before: number; readonly most: number };
  /** Shares of one core that were used while all of them waited. */
  readonly cpu_share: { readonly worker: number; readonly server: number; readonly provider: number };
  /** Slots of activities in use while all of them waited: the mean and the most. */
  readonly slots: { readonly mean: number; readonly most: number };
  /** Tries of any activity of the worker that the server gave up for want of a heartbeat. */
  readonly missed_heartbeats: number;
  readonly lag_p99_s: number;
}

export interface InFlightFigures {
  readonly rows: readonly InFlightRow[];
}

interface Load {
  readonly runs: number;
  /** All wait together for so long once the last one is started. */
  readonly together_s: number;
}

const LANES = 50;
/** Starts a second: below what one worker drives. */
const STARTS = 10;
/** Ends a second, so that the lag is not that of a herd. */
const ENDS = 20;
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
  /** Of worker, server and provider. */
  readonly cpu_ms: readonly [number, number, number];
  readonly resident_mb: number;
  readonly slots: number;
}

/** Looks at the worker each second until the signal. */
async function watch(
  stage: Stage,
  pid: number,
  metrics: string,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  while (!signal.aborted) {
    const series = await fetchSeries(metrics).catch(() => []);
    samples.push({
      at: Date.now(),
      cpu_ms: [cpuMs(pid), cpuMs(stage.serverPid), cpuMs(stage.provider.pid)],
      resident_mb: residentMb(pid),
      slots: sumOf(series, 'temporal_worker_task_slots_used', 'worker_type="ActivityWorker"'),
    });
    await sleep(SAMPLE_MS);
  }
  return samples;
}

/** The nth run ends so long after its start that all wait together, and end one after the other. */
function thinkMs(index: number, { runs, together_s }: Load): number {
  const left = (runs - index) / STARTS;
  return Math.round(1_000 * (left + together_s + index / ENDS));
}

async function startPaced(
  drover: WorkflowDriver,
  jobs: readonly Job[],
): Promise<ReadonlyMap<string, number>> {
  const begun = Date.now();
  const starts = new Map<string, number>();
  await Promise.all(
    jobs.map(async (job, index) => {
      await sleep((index * 1_000) / STARTS - (Date.now() - begun));
      starts.set(job.id, Date.now());
      await drover.start(job);
    }),
  );
  return starts;
}

async function measure(stage: Stage, load: Load, say: (message: string) => void): Promise<InFlightRow> {
  const { runs, together_s } = load;
  const [port = 0] = await findFreePorts(1);
  const drover = await startDrover(stage, { env: { DROVER_METRICS: `127.0.0.1:${port}` } });
  const over = new AbortController();
  try {
    const jobs = Array.from({ length: runs }, (_, index): Job => {
      return { id: `bench-in-flight-${together_s}-${index}`, wire: 'responses' };
    });
    await stage.provider.define(
      jobs.map(({ id }, index) => ({ id, script: scriptOf(0, thinkMs(index, load)) })),
    );
    say(`${runs} runs, ${STARTS} started a second, that wait together for ${together_s} s`);
    const mark = stage.provider.mark();
    const missedBefore = await missedHeartbeats(stage, drover.taskQueue);
    const before = residentMb(drover.pid);
    const watching = watch(stage, drover.pid, `http://127.0.0.1:${port}/metrics`, over.signal);
    const starts = await startPaced(drover, jobs);
    await sleep((together_s + runs / ENDS) * 1_000);
    over.abort();
    const samples = await watching;
    await eachInLanes(jobs, (job) => drover.ended(job));
    const missed = (await missedHeartbeats(stage, drover.taskQueue)) - missedBefore;
    const journal = jobFacts(stage.provider.since(mark));
    // Other scenarios may have left runs behind that end meanwhile.
    const facts = new Map([...journal].filter(([id]) => starts.has(id)));
    const all = [...facts.values()];
    const created = all.map(({ createdAt }) => createdAt).sort((a, b) => a - b);
    const ended = all.flatMap(({ endedAt }) => endedAt ?? []).sort((a, b) => a - b);
    const together = samples.filter(({ at }) => at > (created.at(-1) ?? 0) && at < (ended[0] ?? 0));
    const lags: number[] = [];
    await eachInLanes(
      jobs.filter((_, index) => index % 10 === 0),
      async (job) => {
        lags.push(((await drover.knownAt(job)) - (facts.get(job.id)?.endedAt ?? Number.NaN)) / 1_000);
      },
    );
    const times = [...starts.values()];
    return {
      runs,
      together_s,
      starting_s: round((Math.max(...times) - Math.min(...times)) / 1_000, 1),
      create_p99_s: round(
        quantile(
          [...facts].map(([id, { createdAt }]) => (createdAt - (starts.get(id) ?? Number.NaN)) / 1_000),
          0.99,
        ),
      ),
      waiting: mostAtOnce(created, ended),
      resident_mb: {
        before: round(before, 0),
        most: round(most(samples.map((one) => one.resident_mb)), 0),
      },
      cpu_share: cpuShare(together),
      slots: {
        mean: round(mean(together.map(({ slots }) => slots)), 0),
        most: most(together.map(({ slots }) => slots)),
      },
      missed_heartbeats: missed,
      lag_p99_s: round(quantile(lags, 0.99)),
    };
  } finally {
    over.abort();
    await drover.stop();
  }
}

/** Of times in order. */
function mostAtOnce(begins: readonly number[], ends: readonly number[]): number {
  return Math.max(0, ...begins.map((at, index) => index + 1 - ends.filter((end) => end <= at).length));
}

function cpuShare(samples: readonly Sample[]): InFlightRow['cpu_share'] {
  const [first, last] = [samples[0], samples.at(-1)];
  const share = (who: 0 | 1 | 2): number =>
    first === undefined || last === undefined
      ? Number.NaN
      : round((last.cpu_ms[who] - first.cpu_ms[who]) / (last.at - first.at), 2);
  return { worker: share(0), server: share(1), provider: share(2) };
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<InFlightFigures> {
  const loads: readonly Load[] = quick
    ? [{ runs: 50, together_s: 5 }]
    : [
        { runs: 2_000, together_s: 15 },
        { runs: 2_000, together_s: 180 },
      ];
  const rows: InFlightRow[] = [];
  for (const load of loads) rows.push(await measure(stage, load, say));
  return { rows };
}

const MOST_MB = 700;

function judge({ rows }: InFlightFigures): readonly Target[] {
  return rows.flatMap(({ runs, together_s, waiting, resident_mb, missed_heartbeats }) => {
    const what = `${runs} runs that wait together for ${together_s} s in one worker`;
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
      note: `Runs on the Responses wire in one worker process, ${STARTS} started a second, that all wait together for a time. Memory is what the process held in RAM before the first start, and the most that a look each second saw until about the last run's end at the provider; shares of a core and slots of activities are those while all of them waited. Missed heartbeats are tries of ${NAMES.activities.awaitRun}, or of another activity of the worker, that Temporal's server gave up for want of one, by its own counters. Create is from a run's start until the provider was asked for it. The lag is that of every tenth run; ${ENDS} end a second.`,
      head: [
        'runs',
        'together s',
        'at once',
        'create p99 s',
        'MB before',
        'MB most',
        'worker cores',
        'server cores',
        'provider cores',
        'slots mean',
        'slots most',
        'missed heartbeats',
        'lag p99 s',
      ],
      rows: rows.map((row) => [
        row.runs,
        row.together_s,
        row.waiting,
        row.create_p99_s,
        row.resident_mb.before,
        row.resident_mb.most,
        row.cpu_share.worker,
        row.cpu_share.server,
        row.cpu_share.provider,
        row.slots.mean,
        row.slots.most,
        row.missed_heartbeats,
        row.lag_p99_s,
      ]),
    },
  ];
}

export const inFlight: Scenario<InFlightFigures> = { name: 'in_flight', run, judge, tables };
