/** Who comes next on a thread. Pure. */
import type { TurnAsked, TurnHolder, TurnsState, TurnWaiting } from '../turns.ts';

/** What a run's asking leads to beside its place. */
export interface Joined {
  readonly state: TurnsState;
  /** Runs that the new one cancels. */
  readonly cancel: readonly string[];
  /** It has the turn already, and has to be told again. */
  readonly tell: boolean;
}

/**
 * First come, first served; a run that interrupts goes ahead of those that wait, and cancels the one that has the turn and
 * earlier ones that interrupt. Asking twice changes nothing.
 */
export function join(state: TurnsState, asked: TurnAsked, nowMs: number): Joined {
  const { holder, queue } = state;
  if (holder?.run_id === asked.run_id) return { state, cancel: [], tell: true };
  if (queue.some(({ run_id }) => run_id === asked.run_id)) return { state, cancel: [], tell: false };
  const waiting: TurnWaiting = { ...asked, since_ms: asked.since_ms ?? nowMs };
  const interrupts = asked.policy === 'interrupt';
  const cancel = interrupts
    ? [
        holder?.run_id ?? [],
        ...queue.filter(({ policy }) => policy === 'interrupt').map(({ run_id }) => run_id),
      ].flat()
    : [];
  const isAhead = (other: TurnWaiting): boolean =>
    other.policy === 'interrupt' || (!interrupts && other.since_ms <= waiting.since_ms);
  const at = queue.findIndex((other) => !isAhead(other));
  const place = at === -1 ? queue.length : at;
  return { state: { holder, queue: queue.toSpliced(place, 0, waiting) }, cancel, tell: false };
}

/** The holder has ended. */
export function ended(state: TurnsState): TurnsState {
  return { ...state, holder: null };
}

/** The first of the queue leaves it, for its turn. Null where nobody waits. */
export function takeNext(state: TurnsState): { readonly next: string; readonly state: TurnsState } | null {
  const [first, ...queue] = state.queue;
  return first === undefined ? null : { next: first.run_id, state: { ...state, queue } };
}

export function granted(state: TurnsState, run_id: string, nowMs: number): TurnsState {
  const holder: TurnHolder = { run_id, granted_ms: nowMs };
  return { ...state, holder };
}

/** Runs that wait for nobody, of a thread that somebody has. */
export function refused(state: TurnsState): { readonly ids: readonly string[]; readonly state: TurnsState } {
  const ids = state.queue.filter(({ policy }) => policy === 'reject').map(({ run_id }) => run_id);
  return { ids, state: { ...state, queue: state.queue.filter(({ policy }) => policy !== 'reject') } };
}

/** A run that turned out to need no place. */
export function left({ holder, queue }: TurnsState, id: string): TurnsState {
  return {
    holder: holder?.run_id === id ? null : holder,
    queue: queue.filter(({ run_id }) => run_id !== id),
  };
}
