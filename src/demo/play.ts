/** Plays the scenarios at once: starts their runs, tells what happens, kills a worker, waits for every end. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RunClient } from '../client.ts';
import { turnsWorkflowId } from '../client-place.ts';
import type { RunHandle } from '../client.ts';
import type { RunResult } from '../contract.ts';
import type { WorkerChild } from '../dev/worker-child.ts';
import { approveInTime } from './approve.ts';
import type { Approval } from './approve.ts';
import { DemoError } from './demo-error.ts';
import { readRunFacts } from './journal-facts.ts';
import type { Journals, Kill, RunFacts } from './journal-facts.ts';
import { compareWithResult, judge } from './judge.ts';
import type { Finding } from './judge.ts';
import { createNarrator } from './narrate.ts';
import type { Line, Narrator } from './narrate.ts';
import type { Progress } from './progress.ts';
import { SCENARIOS } from './scenarios.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';
import { readToolEntries } from './tool-journal.ts';

const LOOK_MS = 100;
/** By then every run has met its own deadline. */
const GIVE_UP_MS = 60_000;

/** How one run ended. */
export interface Verdict {
  readonly scenario: Scenario;
  readonly runId: string;
  readonly facts: RunFacts;
  /** Null where Drover gave none. */
  readonly result: RunResult | null;
  /** From its start until its result was there, or was given up. Milliseconds. */
  readonly tookMs: number;
  readonly findings: readonly Finding[];
}

/** The workers: one for most runs, one for those whose worker is killed. */
export interface Cast {
  readonly suffix: string;
  readonly steady: WorkerChild;
  /** Replaced when it was killed. */
  doomed: WorkerChild;
}

const queueOf = (suffix: string, doomed: boolean): string =>
  `drover-demo-${suffix}${doomed ? '-doomed' : ''}`;

/** Starts both workers and waits until they take work. */
export async function startCast(stage: Stage): Promise<Cast> {
  // Names of this demo alone: the server may be one that others use, or that has seen a demo before.
  const suffix = randomUUID().slice(0, 4);
  const steady = stage.startWorker(queueOf(suffix, false));
  const doomed = stage.startWorker(queueOf(suffix, true));
  await Promise.all([steady.ready, doomed.ready]).catch(() => {
    throw new DemoError('A worker ended before it took work.');
  });
  return { suffix, steady, doomed };
}

interface Playing {
  readonly scenario: Scenario;
  readonly handle: RunHandle;
  result: RunResult | null;
  endedAt: number | null;
}

interface Play {
  readonly stage: Stage;
  readonly cast: Cast;
  readonly narrator: Narrator;
  readonly progress: Progress;
  readonly running: readonly Playing[];
  readonly startedAt: number;
  readonly kills: Kill[];
  readonly approvals: Approval[];
}

export interface PlayOptions {
  readonly startProgress: (since: number) => Progress;
  /** Aborted where somebody stops the demo. */
  readonly signal: AbortSignal;
  /** How long somebody has to approve a call before the demo does it. @default 2000 */
  readonly patienceMs?: number;
  /** How the CLI is called here. @default 'npx drover' */
  readonly command?: string;
}

const readJournals = ({ stage, kills, approvals }: Play): Journals => ({
  provider: stage.emulator.journal(),
  tools: readToolEntries(stage.toolJournal),
  kills,
  approvals,
});

function verdictOf(play: Play, { scenario, handle, result, endedAt }: Playing): Verdict {
  const facts = readRunFacts(handle.id, readJournals(play));
  const findings = [...judge(scenario, facts), ...compareWithResult(result, facts)];
  const tookMs = (endedAt ?? Date.now()) - play.startedAt;
  return { scenario, runId: handle.id, facts, result, tookMs, findings };
}

/** A thread at the provider, as a service would have one. */
async function makeThread({ emulator }: Stage): Promise<string> {
  const answer = await fetch(`${emulator.url}/threads`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'openai-beta': 'assistants=v2' },
    body: '{}',
  });
  const { id } = (await answer.json()) as { readonly id: string };
  return id;
}

/** One after the other: of those on one thread, the first that is started has the first turn. */
async function startRuns(
  { client }: Stage,
  { suffix }: Cast,
  thread_id: string,
): Promise<readonly Playing[]> {
  const runs = new RunClient({ client });
  const playing: Playing[] = [];
  for (const scenario of SCENARIOS) {
    const { request, onThread, expected } = scenario;
    const handle = await runs.start(onThread === true ? { ...request, thread_id } : request, {
      id: `${scenario.model}-${suffix}`,
      taskQueue: queueOf(suffix, expected.workerKilled === true),
    });
    playing.push({ scenario, handle, result: null, endedAt: null });
  }
  return playing;
}

async function follow(play: Play, one: Playing): Promise<void> {
  // A run that Drover lost has no result: the verdict says so.
  one.result = await one.handle.outcome().catch(() => null);
  one.endedAt = Date.now();
  const code = one.result === null ? 'no result' : one.result.code;
  if (code !== null) {
    play.progress.line({
      scenario: one.scenario.name,
      at: one.endedAt,
      text: `Drover ends it: ${code}`,
      weight: 'end',
    });
  }
  play.progress.ended(one.scenario.name, verdictOf(play, one).findings.length === 0);
}

/** Where the CLI finds Temporal by itself. */
const USUAL_ADDRESS = '127.0.0.1:7233';
const PATIENCE_MS = 2_000;

/** Sees to it that a run that waits for an approval gets it. */
async function approve(
  { stage, progress, approvals }: Play,
  { scenario, handle }: Playing,
  options: PlayOptions,
): Promise<void> {
  const { patienceMs = PATIENCE_MS, command = 'npx drover', signal } = options;
  const say = (text: string): void =>
    progress.line({ scenario: scenario.name, at: Date.now(), text, weight: 'event' });
  const where = stage.address === USUAL_ADDRESS ? '' : `TEMPORAL_ADDRESS=${stage.address} `;
  const approval = await approveInTime(handle, {
    patienceMs,
    signal,
    waits: ({ name }) => {
      say(`${name} waits for approval, by itself in ${Math.round(patienceMs / 1_000)} s, or by`);
      say(`approve it: ${where}${command} approve ${handle.id}`);
    },
    approved: ({ name }, by) =>
      say(`${name} is approved${by === 'demo' ? ', as nobody else did' : ' by hand'}`),
  });
  if (approval !== null) approvals.push(approval);
}

/** Kills the worker of a run right after its tool has acted, and starts another. */
async function replaceWorker(play: Play, scenario: Scenario): Promise<void> {
  const { stage, cast, narrator, progress } = play;
  const { pid, exited } = cast.doomed;
  cast.doomed.kill('SIGKILL');
  const { signal } = await exited;
  if (signal !== 'SIGKILL') throw new DemoError(`Worker ${pid} ended before it could be killed.`);
  const kill = { pid, at: Date.now() };
  play.kills.push(kill);
  progress.line(narrator.killed(scenario, kill));
  cast.doomed = stage.startWorker(queueOf(cast.suffix, true));
  await cast.doomed.ready.catch(() => {
    throw new DemoError('The worker that should replace the killed one ended before it took work.');
  });
  progress.line(narrator.replaced(scenario, cast.doomed.pid, Date.now()));
}

/** Gives the lines of what came into the journals since the last look. */
function createReader({ stage, narrator }: Play): () => readonly Line[] {
  let providerSeen = 0;
  let toolsSeen = 0;
  return () => {
    const provider = stage.emulator.journal().slice(providerSeen);
    const tools = readToolEntries(stage.toolJournal).slice(toolsSeen);
    providerSeen += provider.length;
    toolsSeen += tools.length;
    const told = [
      ...provider.map((entry) => ({ at: entry.at, tell: () => narrator.provider(entry) })),
      ...tools.map((entry) => ({ at: entry.at, tell: () => narrator.tool(entry) })),
    ].sort((a, b) => a.at - b.at);
    return told.flatMap(({ tell }) => tell() ?? []);
  };
}

/** The run that waits for its worker's death: its tool has acted. */
function findDoomed(play: Play): Scenario | null {
  const entries = readToolEntries(play.stage.toolJournal);
  const found = play.running.find(
    ({ scenario, handle }) =>
      scenario.expected.workerKilled === true &&
      entries.some(({ run_id: runId, event }) => runId === handle.id && event === 'done'),
  );
  return found?.scenario ?? null;
}

async function watch(play: Play, done: AbortSignal, signal: AbortSignal): Promise<void> {
  const { progress } = play;
  const read = createReader(play);
  let replacing: Promise<void> | null = null;
  const broken = new AbortController();
  const over = AbortSignal.any([done, signal, broken.signal]);
  while (!over.aborted && Date.now() - play.startedAt < GIVE_UP_MS) {
    await sleep(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
    for (const line of read()) progress.line(line);
    progress.tick();
    const doomed = replacing === null ? findDoomed(play) : null;
    if (doomed === null) continue;
    replacing = replaceWorker(play, doomed);
    replacing.catch(() => broken.abort());
  }
  for (const line of read()) progress.line(line);
  if (!signal.aborted) await replacing;
}

/** Rejects where something that all runs need ends by itself. */
async function failEarly({ steady }: Cast, stage: Stage): Promise<never> {
  const server = stage.serverGone.then(() => 'The Temporal server ended by itself.');
  const worker = steady.exited.then(({ code, signal }) => `A worker ended by itself (${signal ?? code}).`);
  throw new DemoError(await Promise.race([server, worker]));
}

/**
 * Plays all of it.
 *
 * @returns a verdict for each scenario, in their order
 * @throws {DemoError} where it cannot go on
 */
export async function playAll(stage: Stage, cast: Cast, options: PlayOptions): Promise<readonly Verdict[]> {
  const startedAt = Date.now();
  const thread = await makeThread(stage);
  const running = await startRuns(stage, cast, thread);
  const scenarios = new Map(running.map(({ handle, scenario }) => [handle.id, scenario]));
  const progress = options.startProgress(startedAt);
  const narrator = createNarrator(scenarios);
  const play: Play = { stage, cast, narrator, progress, running, startedAt, kills: [], approvals: [] };
  const done = new AbortController();
  const failure = failEarly(cast, stage);
  failure.catch(() => undefined);
  try {
    const over = AbortSignal.any([options.signal, done.signal]);
    const approving = Promise.all(
      running
        .filter(({ scenario }) => scenario.expected.approved === true)
        .map((one) => approve(play, one, { ...options, signal: over })),
    );
    approving.catch(() => undefined);
    void Promise.all(running.map((one) => follow(play, one))).then(() => done.abort());
    await Promise.race([watch(play, done.signal, options.signal), failure]);
    if (options.signal.aborted) progress.close();
    const verdicts = running.map((one) => verdictOf(play, one));
    for (const { scenario, findings } of verdicts) progress.ended(scenario.name, findings.length === 0);
    return verdicts;
  } finally {
    done.abort();
    progress.close();
    if (options.signal.aborted) await abandon(running);
    await closeQueue(stage, thread);
  }
}

/** The thread's queue would close by itself a while later, if there were a worker then. */
async function closeQueue({ client }: Stage, thread: string): Promise<void> {
  const queue = client.workflow.getHandle(turnsWorkflowId(thread));
  await queue.terminate('The demo is over.').catch(() => undefined);
}

/** The server may be one that goes on after the demo: nothing is left open there. */
async function abandon(running: readonly Playing[]): Promise<void> {
  const open = running.filter(({ endedAt }) => endedAt === null);
  await Promise.allSettled(open.map(({ handle }) => handle.workflow.terminate('The demo was stopped.')));
}
