/** What each kill of a worker fell into, read off the journals and the histories afterwards. Pure. */
import { isTerminal } from '../src/run.ts';
import type { Exchange, Facts, RunFacts } from './judge/facts.ts';
import { WINDOWS } from './nemesis-journal.ts';
import type { KillWindow } from './nemesis-journal.ts';

/** A workflow task, as a history has it. */
export interface WorkflowTask {
  readonly run: string;
  /** Of the worker that started it. */
  readonly pid: number | null;
  readonly startedAt: number;
  /** When the history went on after it; null where it never did. */
  readonly endedAt: number | null;
  readonly completed: boolean;
  /** It continued the run as new. */
  readonly continues: boolean;
  /** The first one of an execution that goes on from an earlier one. */
  readonly continued: boolean;
}

export interface Kill {
  readonly pid: number;
  readonly at: number;
}

/** A kill falls around a continue-as-new within so long of it, in the worker that made it or took it up. */
const AROUND_MS = 1_000;
/** A wait looks at least so often while its worker lives. */
const LOOKS_MS = 5_000;

const answeredAt = ({ answer }: Exchange): number => answer?.at ?? Infinity;

/** When the request did what it asked for, by the change of status that it made; null where it did not act. */
function actedAt(exchange: Exchange, run: RunFacts): number | null {
  if (exchange.answer?.acted !== true) return null;
  const made = run.statuses.find(
    ({ id, at, from }) =>
      id === exchange.made && at >= exchange.at && (from === null || from === 'requires_action'),
  );
  return made === undefined || made.at > answeredAt(exchange) ? null : made.at;
}

function isBetween(kind: 'create' | 'submit', kill: Kill, run: RunFacts): boolean {
  return run.exchanges.some((exchange) => {
    if (exchange.kind !== kind || exchange.pid !== kill.pid || exchange.at > kill.at) return false;
    const from = actedAt(exchange, run);
    return from !== null && from <= kill.at && kill.at <= answeredAt(exchange);
  });
}

const isAfterEffect = (kill: Kill, run: RunFacts): boolean =>
  run.tools.some(
    ({ event, pid, at, args }) =>
      event === 'finished' && pid === kill.pid && at <= kill.at && kill.at < at + args.hold_ms,
  );

const WAITS_FOR_US: ReadonlySet<string> = new Set(['requires_action']);

function isInWait(kill: Kill, run: RunFacts): boolean {
  const last = run.exchanges.findLast(
    ({ kind, at, pid }) => kind === 'look' && pid !== null && at <= kill.at,
  );
  if (last === undefined || last.pid !== kill.pid || last.at < kill.at - LOOKS_MS) return false;
  const status = run.statuses.findLast(({ id, at }) => id === last.subject && at <= kill.at)?.to;
  return status !== undefined && !isTerminal(status) && !WAITS_FOR_US.has(status);
}

const isInTask = (kill: Kill, tasks: readonly WorkflowTask[]): boolean =>
  tasks.some(
    ({ pid, startedAt, endedAt, completed }) =>
      pid === kill.pid && !completed && startedAt <= kill.at && kill.at <= (endedAt ?? Infinity),
  );

const isAroundContinue = (kill: Kill, tasks: readonly WorkflowTask[]): boolean =>
  tasks.some(({ pid, startedAt, endedAt, continues, continued }) => {
    if (pid !== kill.pid || (!continues && !continued)) return false;
    const at = continues ? (endedAt ?? startedAt) : startedAt;
    return Math.abs(kill.at - at) <= AROUND_MS;
  });

/** Every window that each kill fell into: it kills a worker in the middle of more than one run. */
export function classifyKills(
  facts: Pick<Facts, 'runs' | 'nemesis'>,
  tasks: readonly WorkflowTask[],
): ReadonlyMap<Kill, readonly KillWindow[]> {
  const kills = facts.nemesis.flatMap((deed): Kill[] =>
    deed.kind === 'worker_killed' ? [{ pid: deed.pid, at: deed.at }] : [],
  );
  return new Map(
    kills.map((kill) => {
      const own = tasks.filter(({ pid }) => pid === kill.pid);
      const hits: Readonly<Record<KillWindow, () => boolean>> = {
        create: () => facts.runs.some((run) => isBetween('create', kill, run)),
        effect: () => facts.runs.some((run) => isAfterEffect(kill, run)),
        submit: () => facts.runs.some((run) => isBetween('submit', kill, run)),
        wait: () => facts.runs.some((run) => isInWait(kill, run)),
        workflow_task: () => isInTask(kill, own),
        continue_as_new: () => isAroundContinue(kill, own),
      };
      return [kill, WINDOWS.filter((window) => hits[window]())] as const;
    }),
  );
}

export function countWindows(
  kills: ReadonlyMap<Kill, readonly KillWindow[]>,
): Readonly<Record<KillWindow, number>> {
  const count = (window: KillWindow): number =>
    [...kills.values()].filter((windows) => windows.includes(window)).length;
  return Object.fromEntries(WINDOWS.map((window) => [window, count(window)])) as Record<KillWindow, number>;
}
