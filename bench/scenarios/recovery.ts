/** From kill -9 of the only worker, and its restart, to the next step of its runs. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Script } from '../../src/emulator/index.ts';
import type { Job } from '../drivers/driver.ts';
import { startDrover } from '../drivers/drover.ts';
import type { WorkflowDriver } from '../drivers/workflow-driver.ts';
import { jobFacts } from '../provider/job-facts.ts';
import { scriptOf } from '../provider/script.ts';
import { atMost } from '../scenario.ts';
import type { Scenario, ScenarioOptions, Table, Target } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { median, most, round } from '../statistics.ts';

/** What a run was at when its worker was killed. */
const WINDOWS = ['short wait', 'long wait', 'tool', 'create', 'submit'] as const;
type Window = (typeof WINDOWS)[number];

export interface RecoveryRow {
  readonly wire: Job['wire'];
  readonly window: Window;
  /** From the kill to the next step of each run. */
  readonly seconds: readonly number[];
}

export interface RecoveryFigures {
  /** From each kill until the new worker took work. */
  readonly restart_s: readonly number[];
  readonly rows: readonly RecoveryRow[];
}

interface Planned {
  readonly window: Window;
  readonly job: Job;
}

/** Long enough that nothing ends by itself between the kill and the next step. */
const LONG_MS = 90_000;
/** A request that the dead worker sent may arrive a little later. */
const ON_THE_WAY_MS = 200;
const LAST_STARTS_MS = 4_000;
/** What a run needs to come to where it is killed. */
const REACH_MS = 1_000;
const GIVE_UP_MS = 60_000;
const LOOK_MS = 100;
/** Of a wait that is as long as the long ones here. */
const BETWEEN_LOOKS_MS = 4_000;

function scriptFor(window: Window): Script {
  if (window === 'short wait' || window === 'long wait') return scriptOf(0, LONG_MS);
  if (window === 'tool') {
    const call = [{ name: 'work_long', arguments: { ms: LONG_MS } }];
    return { attempts: [{ steps: [{ call }, { answer: 'Done.' }] }] };
  }
  return scriptOf(1, 0);
}

/** Holds the answer back to what the run is killed in, after it has acted. */
async function holdAnswer(stage: Stage, { window, job }: Planned): Promise<void> {
  if (window !== 'create' && window !== 'submit') return;
  const match =
    job.wire === 'responses'
      ? { path: '/\\/responses$/', nth: window === 'create' ? 1 : 2 }
      : { path: window === 'create' ? '/\\/runs$/' : 'submit_tool_outputs', nth: 1 };
  await stage.provider.addFault({
    match: { method: 'POST', model: job.id, ...match },
    do: { latency_ms: LONG_MS, after: true },
  });
}

/** When the tool was started for each run: the times of all starts. */
function toolStarts(file: string, id: string): readonly number[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return lines.filter((line) => line.startsWith(`${id} `)).map((line) => Number(line.split(' ')[1]));
}

function stepsOf(
  stage: Stage,
  mark: number,
  plans: readonly Planned[],
): ReadonlyMap<string, readonly number[]> {
  const jobs = jobFacts(stage.provider.since(mark));
  return new Map(
    plans.map(({ window, job: { id } }) => [
      id,
      window === 'tool'
        ? toolStarts(stage.toolJournal, id)
        : (jobs.get(id)?.requests ?? []).map(({ at }) => at),
    ]),
  );
}

async function nextSteps(
  stage: Stage,
  mark: number,
  plans: readonly Planned[],
  killedAt: number,
): Promise<ReadonlyMap<string, number>> {
  const until = killedAt + GIVE_UP_MS;
  for (;;) {
    const steps = stepsOf(stage, mark, plans);
    const next = new Map(
      plans.flatMap(({ job: { id } }) => {
        const at = steps.get(id)?.find((time) => time > killedAt + ON_THE_WAY_MS);
        return at === undefined ? [] : [[id, at] as const];
      }),
    );
    if (next.size === plans.length || Date.now() > until) return next;
    await sleep(LOOK_MS);
  }
}

async function terminate(stage: Stage, { id }: Job): Promise<void> {
  try {
    await stage.client.workflow.getHandle(id).terminate('measured');
  } catch (error) {
    // It may have ended since.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Starts them in small steps before the kill: how much of a timeout has passed by then decides what is left of it. */
async function startApart(drover: WorkflowDriver, jobs: readonly Job[], overMs: number): Promise<void> {
  // Neighbours are of one window; they are to be apart.
  const step = overMs / jobs.length;
  const apart = jobs.map((job, index) => ({ job, place: (index * 5) % jobs.length }));
  for (const { job } of apart.sort((a, b) => a.place - b.place)) {
    await drover.start(job);
    await sleep(step);
  }
}

interface Killed {
  readonly restart_s: number;
  readonly rows: readonly RecoveryRow[];
}

interface Size {
  /** Runs of each wire in each window. */
  readonly each: number;
  /** For how long the long waits have waited at the kill. Null for none: they take the longest to set up. */
  readonly longWaitMs: number | null;
}

async function killOnce(
  stage: Stage,
  drover: WorkflowDriver,
  turn: number,
  { each, longWaitMs }: Size,
): Promise<Killed> {
  const windows = WINDOWS.filter((window) => longWaitMs !== null || window !== 'long wait');
  const plans = (['responses', 'assistants'] as const).flatMap((wire) =>
    windows.flatMap((window) =>
      Array.from({ length: each }, (_, index): Planned => {
        const id = `bench-recovery-${turn}-${wire}-${window.replace(' ', '-')}-${index}`;
        return { window, job: { id, wire } };
      }),
    ),
  );
  await stage.provider.define(plans.map(({ window, job }) => ({ id: job.id, script: scriptFor(window) })));
  for (const one of plans) await holdAnswer(stage, one);
  const mark = stage.provider.mark();
  const jobsOf = (isLong: boolean): readonly Job[] =>
    plans.flatMap(({ window, job }) => ((window === 'long wait') === isLong ? [job] : []));
  // The kill is to fall anywhere between two of their looks.
  await startApart(drover, jobsOf(true), BETWEEN_LOOKS_MS);
  await sleep(longWaitMs ?? 0);
  await startApart(drover, jobsOf(false), LAST_STARTS_MS);
  await sleep(REACH_MS);
  const killedAt = Date.now();
  await drover.kill();
  await drover.restart();
  const restart_s = round((Date.now() - killedAt) / 1_000);
  const next = await nextSteps(stage, mark, plans, killedAt);
  await Promise.all(plans.map(({ job }) => terminate(stage, job)));
  const secondsOf = ({ job: { id } }: Planned): number =>
    round(((next.get(id) ?? killedAt + GIVE_UP_MS) - killedAt) / 1_000);
  const rows = (['responses', 'assistants'] as const).flatMap((wire) =>
    windows.map((window): RecoveryRow => {
      const mine = plans.filter((one) => one.window === window && one.job.wire === wire);
      return { wire, window, seconds: mine.map(secondsOf) };
    }),
  );
  return { restart_s, rows };
}

async function run(stage: Stage, { quick, say }: ScenarioOptions): Promise<RecoveryFigures> {
  const drover = await startDrover(stage);
  const kills = quick ? 1 : 3;
  const killed: Killed[] = [];
  try {
    for (let count = 1; count <= kills; count += 1) {
      say(`kill ${count} of ${kills}`);
      killed.push(
        await killOnce(stage, drover, count, { each: quick ? 2 : 4, longWaitMs: quick ? null : 40_000 }),
      );
    }
  } finally {
    await drover.stop();
  }
  const rows = killed.flatMap((one) => one.rows);
  const places = [...new Set(rows.map(({ wire, window }) => `${wire} ${window}`))];
  return {
    restart_s: killed.map((one) => one.restart_s),
    rows: places.flatMap((place) => {
      const mine = rows.filter(({ wire, window }) => `${wire} ${window}` === place);
      return mine[0] === undefined ? [] : [{ ...mine[0], seconds: mine.flatMap(({ seconds }) => seconds) }];
    }),
  };
}

function judge({ rows }: RecoveryFigures): readonly Target[] {
  return rows.map(({ wire, window, seconds }) =>
    atMost(`seconds from a kill in a ${window} to the next step, at most (${wire})`, most(seconds), 7),
  );
}

function tables({ restart_s, rows }: RecoveryFigures): readonly Table[] {
  return [
    {
      title: 'Recovery',
      note: `From kill -9 of the only worker to the next step of its runs: the next request at the provider, or the next start of the tool. The first row is the restart of the worker alone, which is in all others. A run that had made no step after ${GIVE_UP_MS / 1_000} s counts as that.`,
      head: ['wire', 'killed in', 'runs', 'median s', 'most s'],
      rows: [
        ['–', 'restart', restart_s.length, round(median(restart_s)), most(restart_s)],
        ...rows.map(({ wire, window, seconds }) => [
          wire,
          window,
          seconds.length,
          round(median(seconds)),
          most(seconds),
        ]),
      ],
    },
  ];
}

export const recovery: Scenario<RecoveryFigures> = { name: 'recovery', run, judge, tables };
