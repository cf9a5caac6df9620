/** One fault run, from its first start to the last word of each run. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NAMES } from '../src/contract.ts';
import type { Driver, FinalState } from './drivers/driver.ts';
import { readTasks } from './histories.ts';
import type { Cancel, Evidence, Start } from './judge/facts.ts';
import { readJournals, readProvider } from './kept.ts';
import type { WorkflowTask } from './kill-windows.ts';
import { inLanes, untilItWorks } from './lanes.ts';
import { startNemesis } from './nemesis/nemesis.ts';
import { listenTo } from './listener.ts';
import { Person } from './person.ts';
import type { RunPlan } from './plan.ts';
import { makeThread, tryThread } from './provider-client.ts';
import type { Stage } from './stage.ts';

export interface Play {
  readonly stage: Stage;
  readonly driver: Driver;
  readonly plans: readonly RunPlan[];
  readonly seed: number;
  readonly forMs: number;
  readonly faults: boolean;
  readonly onProgress: (message: string) => void;
}

export interface Played {
  readonly evidence: Evidence;
  readonly tasks: readonly WorkflowTask[];
  readonly endAt: number;
}

const LOOK_MS = 1_000;
/** How long what must work in the end is tried for. */
const PATIENCE_MS = 60_000;
/** Past every deadline of a run. */
const LONGEST_RUN_MS = 930_000;
const SETTLING_MS = 2_000;
const AT_ONCE = 8;

async function sleepUntil(at: number): Promise<void> {
  await sleep(Math.max(at - Date.now(), 0));
}

/** The threads of the runs, each made once, for whoever comes first. */
class Threads {
  readonly #made = new Map<string, Promise<string>>();
  readonly #given: Play;

  constructor(given: Play) {
    this.#given = given;
  }

  of({ id, wire, onThread, follows }: RunPlan): Promise<string | null> {
    if (!onThread) return Promise.resolve(null);
    const { stage, driver } = this.#given;
    const owner = driver.promises.takesTurns ? (follows ?? id) : id;
    const made =
      this.#made.get(owner) ?? untilItWorks(() => makeThread(stage.emulator.url, wire), PATIENCE_MS);
    this.#made.set(owner, made);
    return made;
  }
}

interface Noted {
  readonly threads: Threads;
  readonly starts: Start[];
  readonly cancels: Cancel[];
}

async function playRun(
  { stage, driver }: Play,
  plan: RunPlan,
  begun: number,
  { threads, starts, cancels }: Noted,
): Promise<void> {
  await sleepUntil(begun + plan.startsAfterMs);
  const thread = await threads.of(plan);
  const begunAt = Date.now();
  await untilItWorks(() => driver.start(stage, plan, thread), PATIENCE_MS);
  starts.push({ run: plan.id, thread, begunAt, startedAt: Date.now() });
  if (plan.cancelAfterMs === null) return;
  await sleep(plan.cancelAfterMs);
  const askedAt = Date.now();
  await untilItWorks(() => driver.cancel(stage, plan), PATIENCE_MS);
  cancels.push({ run: plan.id, askedAt, answeredAt: Date.now() });
}

/** Ids of runs whose workflow is open; as of the look before, where Temporal does not answer. */
class OpenRuns {
  #ids: readonly string[] = [];
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  readonly ids = (): readonly string[] => this.#ids;

  async look(): Promise<void> {
    const found: string[] = [];
    // A thread's queue outlives its runs by a minute.
    const query = `ExecutionStatus = 'Running' AND WorkflowType != '${NAMES.turnsWorkflow}'`;
    for await (const { workflowId } of this.#stage.client.workflow.list({ query })) found.push(workflowId);
    this.#ids = found;
  }
}

async function finalOf({ stage, driver }: Play, plan: RunPlan): Promise<FinalState> {
  const nothing: FinalState = { run: plan.id, workflow: null, closedAt: null, word: null };
  try {
    const { status, closeTime } = await untilItWorks(
      () => stage.client.workflow.getHandle(plan.id).describe(),
      10_000,
    );
    const closed = { ...nothing, workflow: status.name, closedAt: closeTime?.getTime() ?? null };
    if (closeTime === undefined) return closed;
    return { ...closed, word: await untilItWorks(() => driver.word(stage, plan), PATIENCE_MS) };
  } catch {
    return nothing;
  }
}

/** Tries every thread that a run stood in. */
async function tryThreads({ stage, plans }: Play): Promise<void> {
  const wires = new Map(plans.map(({ id, wire }) => [id, wire]));
  const threads = new Map(
    readProvider(stage.files).flatMap((entry) =>
      entry.kind === 'status' && entry.thread !== null ? [[entry.thread, entry.model] as const] : [],
    ),
  );
  await inLanes(AT_ONCE, [...threads], async ([thread, model]) => {
    const wire = wires.get(model);
    if (wire !== undefined) await tryThread(stage.emulator.url, wire, thread);
  });
}

/** Plays all of it. Faults stop when their time is over; what is under way then is given time to end. */
export async function play(given: Play): Promise<Played> {
  const { stage, plans, seed, forMs, onProgress } = given;
  const open = new OpenRuns(stage);
  const person = new Person(given, open.ids);
  const begun = Date.now();
  const nemesis = given.faults ? startNemesis({ stage, plans, seed, forMs, open: open.ids }).done : undefined;
  const starts: Start[] = [];
  const cancels: Cancel[] = [];
  const threads = new Threads(given);
  const over = new AbortController();
  const playOne = async (plan: RunPlan): Promise<void> => {
    await playRun(given, plan, begun, { threads, starts, cancels });
    void listenTo(given, plan, over.signal);
  };
  const starting = Promise.all(plans.map(playOne));
  const whole = Promise.all([starting, nemesis]);
  let isOver = false;
  let lastSaid = Date.now();
  void whole.then(() => (isOver = true)).catch(() => undefined);
  const until = begun + forMs + LONGEST_RUN_MS;
  for (;;) {
    await sleep(LOOK_MS);
    const seen = await open.look().then(
      () => true,
      () => false,
    );
    await person.look();
    if (Date.now() - lastSaid > 15_000) {
      lastSaid = Date.now();
      onProgress(
        `${Math.round((lastSaid - begun) / 1_000)} s: ${open.ids().length} runs are under way, ${starts.length} were started`,
      );
    }
    if (isOver && seen && open.ids().length === 0) break;
    if (Date.now() > until) break;
  }
  await whole;
  await sleep(SETTLING_MS);
  over.abort();
  onProgress('everything has ended, or never will: reading');
  const finals: FinalState[] = [];
  await inLanes(AT_ONCE, plans, async (plan) => {
    finals.push(await finalOf(given, plan));
  });
  const endAt = Date.now();
  await tryThreads(given);
  const tasks = given.faults
    ? await readTasks(
        stage.client,
        plans.map(({ id }) => id),
      )
    : [];
  return { endAt, tasks, evidence: { plans, starts, cancels, finals, ...readJournals(stage.files) } };
}
