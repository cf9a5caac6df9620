/**
 * `giveTurns`: one workflow for a thread that several runs want. The first run has the turn by the very start of it; the
 * workflow begins its work when another one joins, or some time later, to close where that run has ended.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  scheduleActivity,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { NAMES } from '../contract.ts';
import { readAsked } from '../turns.ts';
import type {
  AwaitEndInput,
  AwaitEndOutput,
  TurnHolder,
  TurnsInput,
  TurnsState,
  TurnWord,
} from '../turns.ts';
import { ended, granted, join, left, refused, takeNext } from './turn-order.ts';
import { turnsDetails } from './turns-details.ts';

const joinSignal = defineSignal<[unknown]>(NAMES.signals.join);
const leaveSignal = defineSignal<[unknown]>(NAMES.signals.leave);
const turnSignal = defineSignal<[TurnWord]>(NAMES.signals.turn);

/** How long one stay in the activity waits for a run's end. */
const WATCH_MS = 10 * 60_000;
/** Between looks at a run that nobody waits for; each is twice as long as the one before. */
const FIRST_IDLE_MS = 60_000;
const LONGEST_IDLE_MS = 60 * 60_000;
/** An interrupted run that is not there yet is asked again. */
const CANCEL_AGAIN_MS = 1_000;
const CANCEL_TRIES = 30;

function awaitEnd(holder: TurnHolder, waitMs: number): Promise<AwaitEndOutput> {
  const input: AwaitEndInput = { ...holder, wait_ms: waitMs };
  return scheduleActivity<AwaitEndOutput>(NAMES.activities.awaitEnd, [input], {
    startToCloseTimeout: waitMs + 60_000,
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: holder.run_id.slice(0, 64),
  });
}

/** False where there is no such run any more. */
async function tell(runId: string, word: TurnWord): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(runId).signal(turnSignal, word);
    return true;
  } catch {
    return false;
  }
}

interface Watch {
  readonly holder: TurnHolder;
  /** Null while it waits. */
  ended: boolean | null;
}

function startWatch(holder: TurnHolder): Watch {
  const watch: Watch = { holder, ended: null };
  const wait = async (): Promise<void> => {
    const isOver = await awaitEnd(holder, WATCH_MS).then(
      (output) => output.ended,
      () => false,
    );
    watch.ended = isOver;
  };
  void wait();
  return watch;
}

class Turns {
  #state: TurnsState;
  #watch: Watch | null = null;
  readonly #threadId: string;
  /** Something was asked since the last look. */
  #news = false;
  /** Runs that have the turn and asked again: the word to them may be lost. */
  #repeats: string[] = [];
  #idleMs = FIRST_IDLE_MS;

  constructor({ thread_id, holder, carried }: TurnsInput, startedMs: number) {
    this.#threadId = thread_id;
    const first = holder === undefined ? null : { run_id: holder, granted_ms: startedMs };
    this.#state = carried ?? { holder: first, queue: [] };
  }

  join(given: unknown): void {
    const asked = readAsked(given);
    if (asked === null) return;
    const { state, cancel, tell: again } = join(this.#state, asked, Date.now());
    this.#state = state;
    if (again) this.#repeats.push(asked.run_id);
    for (const id of cancel) void this.#cancel(id);
    this.#news = true;
  }

  leave(runId: unknown): void {
    if (typeof runId !== 'string') return;
    this.#state = left(this.#state, runId);
    this.#news = true;
  }

  /** A run that has its turn and is not there yet would not hear of it: it is asked until it is. */
  async #cancel(runId: string): Promise<void> {
    for (let tries = 1; tries <= CANCEL_TRIES && this.#knows(runId); tries += 1) {
      try {
        await getExternalWorkflowHandle(runId).cancel();
        return;
      } catch {
        await sleep(CANCEL_AGAIN_MS);
      }
    }
  }

  #knows(runId: string): boolean {
    const { holder, queue } = this.#state;
    return holder?.run_id === runId || queue.some(({ run_id }) => run_id === runId);
  }

  /** True once nobody has the thread and nobody wants it. */
  async step(): Promise<boolean> {
    setCurrentDetails(turnsDetails(this.#threadId, this.#state));
    this.#news = false;
    for (const id of this.#repeats.splice(0)) await tell(id, { word: 'go' });
    const { holder, queue } = this.#state;
    if (holder === null) return this.#giveNext();
    if (queue.some(({ policy }) => policy === 'reject')) await this.#refuse(holder);
    else if (queue.length === 0) await this.#idle(holder);
    else await this.#watchFor(holder);
    return false;
  }

  async #giveNext(): Promise<boolean> {
    const taken = takeNext(this.#state);
    if (taken === null) return true;
    // It has the turn before it hears of it: who joins meanwhile finds the thread taken.
    const given = granted(taken.state, taken.next, Date.now());
    this.#state = given;
    if (!(await tell(taken.next, { word: 'go' }))) this.#endOf(given.holder);
    return false;
  }

  #endOf(holder: TurnHolder | null): void {
    if (this.#state.holder === holder) this.#state = ended(this.#state);
  }

  async #refuse(holder: TurnHolder): Promise<void> {
    const { ended: isOver } = await awaitEnd(holder, 0);
    if (isOver) {
      this.#endOf(holder);
      return;
    }
    const { ids, state } = refused(this.#state);
    this.#state = state;
    for (const id of ids) await tell(id, { word: 'busy', run_id: holder.run_id });
  }

  async #idle(holder: TurnHolder): Promise<void> {
    const { ended: isOver } = await awaitEnd(holder, 0);
    if (isOver) this.#endOf(holder);
    else if (await condition(() => this.#news, this.#idleMs)) this.#idleMs = FIRST_IDLE_MS;
    else this.#idleMs = Math.min(this.#idleMs * 2, LONGEST_IDLE_MS);
  }

  async #watchFor(holder: TurnHolder): Promise<void> {
    const watch = this.#watch?.holder === holder ? this.#watch : startWatch(holder);
    this.#watch = watch;
    await condition(() => this.#news || watch.ended !== null);
    if (watch.ended === null) return;
    this.#watch = null;
    if (watch.ended) this.#endOf(holder);
  }

  /** What another execution goes on with, where it is time for one and nothing would be lost. */
  carried(): TurnsState | null {
    return workflowInfo().continueAsNewSuggested && this.#repeats.length === 0 ? this.#state : null;
  }
}

/** Gives the turns of one thread until nobody wants it. */
export async function giveTurns(input: TurnsInput): Promise<void> {
  if (typeof (input as Partial<TurnsInput> | null | undefined)?.thread_id !== 'string') {
    throw ApplicationFailure.nonRetryable(
      'This workflow gives the turns of a thread, and was told of none. Runs start it by themselves.',
      'drover.invalid_request',
    );
  }
  const turns = new Turns(input, workflowInfo().startTime.getTime());
  setHandler(joinSignal, (asked) => turns.join(asked));
  setHandler(leaveSignal, (runId) => turns.leave(runId));
  while (!(await turns.step())) {
    const carried = turns.carried();
    if (carried === null) continue;
    await condition(allHandlersFinished);
    await continueAsNew<typeof giveTurns>({ thread_id: input.thread_id, carried });
  }
}
