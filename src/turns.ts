/**
 * Turns on a thread: what crosses between a run that wants one, and the workflow that gives them, one at a time.
 * Everything that is serialised is snake_case.
 */

/** What becomes of a run whose thread has another one. */
export type BusyThread = 'enqueue' | 'reject' | 'interrupt' | 'proceed';

/** `proceed` asks for no turn. */
export type TurnPolicy = Exclude<BusyThread, 'proceed'>;

/** A run that wants a turn, as the signal `join` tells it. */
export interface TurnAsked {
  readonly run_id: string;
  readonly policy: TurnPolicy;
  /** When it asked first, so that asking again in a new queue keeps its place. Milliseconds. */
  readonly since_ms?: number;
}

/** The run that has the thread. */
export interface TurnHolder {
  readonly run_id: string;
  /** A closed execution of the run that ended before was not the one that has the turn. Milliseconds. */
  readonly granted_ms: number;
}

export interface TurnWaiting extends Required<TurnAsked> {}

/** What the queue of a thread knows; also what it continues as new with. */
export interface TurnsState {
  readonly holder: TurnHolder | null;
  /** In the order of their turns. */
  readonly queue: readonly TurnWaiting[];
}

/** The input of the workflow `giveTurns`. */
export interface TurnsInput {
  readonly thread_id: string;
  /** The run that found the thread idle: it has the turn by the very start of this workflow. */
  readonly holder?: string;
  readonly carried?: TurnsState;
}

/** The signal `turn`. */
export type TurnWord = { readonly word: 'go' } | { readonly word: 'busy'; readonly run_id: string };

/** Whether a run has its turn at once, or waits for the signal. */
export type Place = 'given' | 'wait';

export interface TakePlaceInput extends TurnAsked {
  readonly thread_id: string;
  readonly task_queue: string;
  /** It has waited for long: its queue may be gone, and the thread another run's yet. */
  readonly again?: boolean;
}

export interface AwaitEndInput extends TurnHolder {
  /** How long to wait for its end; 0 looks once. */
  readonly wait_ms: number;
}

export interface AwaitEndOutput {
  readonly ended: boolean;
}

/** How long a run that was given its turn may take to be there. Its service starts it within half of it. */
export const TURN_GRACE_MS = 30_000;

type Loose = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null;
const POLICIES: readonly unknown[] = ['enqueue', 'reject', 'interrupt'] satisfies TurnPolicy[];

/** Anybody can signal anything: null for what is no asking. */
export function readAsked(value: unknown): TurnAsked | null {
  if (!isObject(value)) return null;
  const { run_id, policy, since_ms } = value;
  const isTimely = since_ms === undefined || Number.isFinite(since_ms);
  if (typeof run_id !== 'string' || run_id === '' || !POLICIES.includes(policy) || !isTimely) return null;
  return value as unknown as TurnAsked;
}

/** Null for what is no word. */
export function readWord(value: unknown): TurnWord | null {
  if (!isObject(value)) return null;
  const { word, run_id } = value;
  if (word === 'go') return { word };
  return word === 'busy' && typeof run_id === 'string' ? { word, run_id } : null;
}
