/** What the journals show, run by run. Pure; no driver is asked. */
import type { AnswerEntry, JournalEntry, RequestEntry, StatusEntry } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import type { FinalState } from '../drivers/driver.ts';
import type { NemesisEntry } from '../nemesis-journal.ts';
import type { HeardEntry } from '../heard-journal.ts';
import type { PeopleEntry } from '../people-journal.ts';
import type { RunPlan } from '../plan.ts';
import { readRequest } from '../requests.ts';
import type { ReadRequest, RequestKind } from '../requests.ts';
import type { PlannedCall } from '../script.ts';
import type { ToolEntry } from '../tool-journal.ts';

/** What the harness itself saw of a run's start. Epoch milliseconds. */
export interface Start {
  readonly run: string;
  readonly thread: string | null;
  /** Its first try began. */
  readonly begunAt: number;
  /** It was answered. */
  readonly startedAt: number;
}

/** A cancel that the run's service asked for. Epoch milliseconds. */
export interface Cancel {
  readonly run: string;
  readonly askedAt: number;
  /** From here on the run knows. */
  readonly answeredAt: number;
}

/** All that is judged. */
export interface Evidence {
  readonly plans: readonly RunPlan[];
  /** The emulator's journal. */
  readonly provider: readonly JournalEntry[];
  readonly tools: readonly ToolEntry[];
  readonly nemesis: readonly NemesisEntry[];
  readonly people: readonly PeopleEntry[];
  /** What those who watch were told of what the models say, in that order. */
  readonly heard: readonly HeardEntry[];
  readonly starts: readonly Start[];
  readonly cancels: readonly Cancel[];
  readonly finals: readonly FinalState[];
}

/** A request and what became of it. */
export interface Exchange extends ReadRequest {
  readonly seq: number;
  readonly at: number;
  readonly answer: AnswerEntry | null;
  /** Of the object that it made or changed. */
  readonly made: string | null;
}

/** A run or response at the provider, from its making to its end. */
export interface Life {
  readonly id: string;
  readonly thread: string | null;
  readonly bornAt: number;
  readonly bornSeq: number;
  endedAt: number | null;
  endedSeq: number | null;
  status: string;
}

export interface RunFacts {
  readonly plan: RunPlan;
  readonly start: Start | null;
  readonly cancel: Cancel | null;
  readonly final: FinalState;
  /** In the order in which they were made. */
  readonly lives: readonly Life[];
  readonly statuses: readonly StatusEntry[];
  readonly exchanges: readonly Exchange[];
  readonly tools: readonly ToolEntry[];
  readonly people: readonly PeopleEntry[];
  readonly heard: readonly HeardEntry[];
  /** Runs and responses that a worker has looked at, handed in to, gone on from or cancelled: it knew of them. */
  readonly known: ReadonlySet<string>;
  /** Threads and conversations that its attempts stood in. */
  readonly threads: readonly string[];
  /** Every call that its model may make, by id. */
  readonly calls: ReadonlyMap<string, PlannedCall & { readonly attempt: number; readonly round: number }>;
}

/** Answered, acted or not, of this run or of nobody's. */
export interface Facts {
  readonly runs: readonly RunFacts[];
  readonly exchanges: readonly Exchange[];
  readonly nemesis: readonly NemesisEntry[];
  /** What tools did for nobody's run. */
  readonly strays: readonly ToolEntry[];
}

function exchangesOf(provider: readonly JournalEntry[]): readonly Exchange[] {
  const answers = new Map(
    provider.flatMap((entry) => (entry.kind === 'answer' ? [[entry.request, entry] as const] : [])),
  );
  return provider
    .filter((entry): entry is RequestEntry => entry.kind === 'request')
    .map((entry) => {
      const answer = answers.get(entry.seq) ?? null;
      return { ...readRequest(entry), seq: entry.seq, at: entry.at, answer, made: answer?.id ?? null };
    });
}

function livesOf(statuses: readonly StatusEntry[]): readonly Life[] {
  const lives = new Map<string, Life>();
  for (const { id, thread, at, seq, to } of statuses) {
    const life = lives.get(id) ?? {
      id,
      thread,
      bornAt: at,
      bornSeq: seq,
      endedAt: null,
      endedSeq: null,
      status: to,
    };
    lives.set(id, life);
    life.status = to;
    if (isTerminal(to)) {
      life.endedAt ??= at;
      life.endedSeq ??= seq;
    }
  }
  return [...lives.values()];
}

function callsOf(plan: RunPlan): RunFacts['calls'] {
  return new Map(
    plan.attempts.flatMap(({ rounds }, attempt) =>
      rounds.flatMap((calls, round) => calls.map((call) => [call.id, { ...call, attempt, round }] as const)),
    ),
  );
}

const groupBy = <K, V>(all: readonly V[], keyOf: (value: V) => K): ReadonlyMap<K, readonly V[]> => {
  const groups = new Map<K, V[]>();
  for (const value of all) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
};

const KNOWING: readonly RequestKind[] = ['look', 'submit', 'cancel'];

/** Who receives webhooks is no worker: it looks at what nobody has found. */
const knownIn = (exchanges: readonly Exchange[]): ReadonlySet<string> =>
  new Set(
    exchanges.flatMap(({ kind, subject, pid }) =>
      pid !== null && KNOWING.includes(kind) && subject !== null ? [subject] : [],
    ),
  );

const nothing = (run: string): FinalState => ({ run, workflow: null, closedAt: null, word: null });

export function readFacts(evidence: Evidence): Facts {
  const { plans, provider, tools, nemesis, people, heard, starts, cancels, finals } = evidence;
  const exchanges = exchangesOf(provider);
  const statuses = groupBy(
    provider.filter((entry): entry is StatusEntry => entry.kind === 'status'),
    ({ model }) => model,
  );
  const runOfSubject = new Map(
    [...statuses].flatMap(([model, entries]) => entries.map(({ id }) => [id, model] as const)),
  );
  const ofThread = groupBy([...statuses.values()].flat(), ({ thread }) => thread);
  /** Whoever was at work on the thread last; of what came before all of them, the first. */
  const runOfThread = (thread: string | null, at: number): string | undefined => {
    const entries = thread === null ? [] : (ofThread.get(thread) ?? []);
    const before = entries.filter((entry) => entry.at <= at);
    return before.toSorted((one, other) => one.seq - other.seq).at(-1)?.model ?? entries[0]?.model;
  };
  const runOf = ({ model, subject, thread, made, at }: Exchange): string | null =>
    model ??
    runOfSubject.get(subject ?? '') ??
    runOfThread(thread, at) ??
    runOfSubject.get(made ?? '') ??
    runOfThread(made, at) ??
    null;
  const byRun = groupBy(exchanges, runOf);
  const toolsByRun = groupBy(tools, ({ told }) => told.run);
  const peopleByRun = groupBy(people, ({ run }) => run);
  const heardByRun = groupBy(heard, ({ run }) => run);
  const ids = new Set(plans.map(({ id }) => id));
  const startByRun = new Map(starts.map((start) => [start.run, start]));
  const cancelByRun = new Map(cancels.map((cancel) => [cancel.run, cancel]));
  const finalByRun = new Map(finals.map((final) => [final.run, final]));
  return {
    exchanges,
    nemesis,
    strays: tools.filter(({ told }) => !ids.has(told.run)),
    runs: plans.map((plan): RunFacts => {
      const own = statuses.get(plan.id) ?? [];
      const lives = livesOf(own);
      const asked = byRun.get(plan.id) ?? [];
      return {
        plan,
        start: startByRun.get(plan.id) ?? null,
        cancel: cancelByRun.get(plan.id) ?? null,
        final: finalByRun.get(plan.id) ?? nothing(plan.id),
        lives,
        statuses: own,
        exchanges: asked,
        known: knownIn(asked),
        tools: toolsByRun.get(plan.id) ?? [],
        people: peopleByRun.get(plan.id) ?? [],
        heard: heardByRun.get(plan.id) ?? [],
        threads: [...new Set(lives.flatMap(({ thread }) => (thread === null ? [] : [thread])))],
        calls: callsOf(plan),
      };
    }),
  };
}

/** What the provider did for a run. */
export const acted = (run: RunFacts): readonly Exchange[] =>
  run.exchanges.filter(({ answer }) => answer?.acted === true);

/** How long after an answer came its receiver may not have told anybody of it yet. Milliseconds. */
const TELLING_MS = 15_000;

/** A refusal for a while shows nothing; that there is none any more is an end. */
const tells = (status: number | null): boolean => status !== null && (status < 300 || status === 404);

/** A worker's look, before this line of the journal, was answered after the life had ended. */
export const hasSeenEnd = (
  { exchanges }: Pick<RunFacts, 'exchanges'>,
  { id, endedSeq }: Life,
  beforeSeq = Infinity,
): boolean =>
  exchanges.some(
    ({ kind, subject, pid, answer, seq }) =>
      kind === 'look' &&
      pid !== null &&
      subject === id &&
      seq < beforeSeq &&
      answer?.delivered === true &&
      tells(answer.status) &&
      answer.seq > (endedSeq ?? Infinity),
  );

/** Nobody may have heard of what it made. */
export const isUnheard = (exchange: Exchange, run: RunFacts, { nemesis }: Pick<Facts, 'nemesis'>): boolean =>
  (exchange.made === null || !run.known.has(exchange.made)) && mayBeLost(exchange, nemesis);

/** Something befell whoever sent it, so that its answer, or the word of it, may have been lost. */
export function mayBeLost(exchange: Exchange, nemesis: readonly NemesisEntry[]): boolean {
  const { answer, at, pid } = exchange;
  if (answer === null || !answer.delivered || answer.status === null || answer.status >= 500) return true;
  const until = answer.at + TELLING_MS;
  return nemesis.some((deed) => {
    if (deed.at > until) return false;
    // What a worker does after it was stopped may be a task that is no longer its own.
    if (deed.kind === 'worker_resumed') return deed.pid === pid && deed.at >= at - TELLING_MS;
    if (deed.at < at) return false;
    if (deed.kind === 'server_killed') return true;
    return (
      (deed.kind === 'worker_killed' ||
        deed.kind === 'worker_stopped' ||
        deed.kind === 'worker_terminated') &&
      deed.pid === pid
    );
  });
}
