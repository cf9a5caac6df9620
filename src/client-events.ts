/** What the facts of a run's history mean to a watcher. Pure. */
import type { Fact, Recorded } from './client-history.ts';
import { NAMES } from './contract.ts';
import type { AttemptReason } from './contract.ts';
import type { Decision, WaitKind } from './decisions.ts';
import type { WireStatus } from './run.ts';
import type { RunEvent, Said } from './run-events.ts';
import { ACTIVITY_FAILURES } from './steps.ts';
import type {
  AwaitRunOutput,
  CancelRunOutput,
  CreateRunOutput,
  SubmitOutputsOutput,
  ToolInput,
} from './steps.ts';

type WithoutPlace<T> = T extends unknown ? Omit<T, 'offset' | 'at_ms'> : never;
/** An event that has no place yet. */
export type Told = WithoutPlace<RunEvent>;

/** The attempt that the run is at. */
export interface Current {
  readonly attempt: number;
  readonly attempt_id: string;
  readonly status: WireStatus | null;
}

const callOf = (input: unknown) => {
  const { attempt = 0, tool_call_id = '', name = '' } = (input ?? {}) as Partial<ToolInput>;
  return { attempt, tool_call_id, name };
};

/** Follows a run from fact to fact, through all executions of it. */
export class EventReader {
  #current: Current | null = null;
  #attempts = 0;
  /** Characters that were told of what an attempt says, by its id: a run that is reset may come to it again. */
  #toldChars = new Map<string, number>();

  /** One that stands where this one does, and goes its own way. */
  clone(): EventReader {
    const copy = new EventReader();
    copy.#current = this.#current;
    copy.#attempts = this.#attempts;
    copy.#toldChars = this.#toldChars;
    return copy;
  }

  get current(): Current | null {
    return this.#current;
  }

  get toldChars(): number {
    return this.#toldChars.get(this.#current?.attempt_id ?? '') ?? 0;
  }

  /** Somebody was told so much of what the current attempt says. */
  resume(toldChars: number): void {
    if (this.#current !== null) this.#toldChars.set(this.#current.attempt_id, toldChars);
  }

  /** What the model has said, as a worker shows it while it listens. */
  heard({ id, from, text }: Said): Told | null {
    return this.#current?.attempt_id === id ? this.#delta(from, text) : null;
  }

  #delta(from: number, text: string): Told | null {
    const end = from + text.length;
    if (this.#current === null || end <= this.toldChars) return null;
    const start = Math.max(from, this.toldChars);
    const { attempt, attempt_id } = this.#current;
    this.#toldChars.set(attempt_id, end);
    return { type: 'text_delta', attempt, attempt_id, from: start, text: text.slice(start - from) };
  }

  /** A status that no fact tells: what a worker says of the attempt while it waits. */
  seen(status: WireStatus): Told | null {
    if (this.#current === null || this.#current.status === status) return null;
    this.#current = { ...this.#current, status };
    const { attempt, attempt_id } = this.#current;
    return { type: 'status_changed', attempt, attempt_id, status };
  }

  /** The places of what a fact tells are always the same; null is one at which there was nothing new to tell. */
  read({ fact }: Pick<Recorded, 'fact'>): readonly (Told | null)[] {
    switch (fact.kind) {
      case 'started':
        return [{ type: 'started' }, ...(fact.place === 'wait' ? [{ type: 'turn_awaited' } as const] : [])];
      case 'signaled': {
        const { word } = (fact.word ?? {}) as { readonly word?: string };
        return fact.signal === NAMES.signals.turn && word === 'go' ? [{ type: 'turn_given' }] : [];
      }
      case 'stepped':
        return this.#stepped(fact);
      case 'tool_scheduled':
        return [{ type: 'tool_started', ...callOf(fact.input) }];
      case 'tool_closed':
        return this.#toolClosed(fact);
      case 'waiting_shown':
        return [
          typeof fact.value === 'string'
            ? { type: 'people_awaited', kind: fact.value as WaitKind }
            : { type: 'people_answered' },
        ];
      case 'decided': {
        const { key = '', outcome, by = null } = (fact.words ?? {}) as Partial<Decision>;
        return outcome === undefined ? [] : [{ type: 'call_decided', key, outcome, by: by ?? null }];
      }
      case 'cancel_requested':
        return [{ type: 'cancel_requested' }];
      case 'closed':
        return [{ type: 'ended', workflow_status: fact.status, code: fact.code }];
    }
  }

  #toolClosed({ input, how, failure }: Extract<Fact, { kind: 'tool_closed' }>): readonly Told[] {
    // Nothing ran; it is handed out again.
    if (failure === ACTIVITY_FAILURES.notStarted) return [];
    const outcome = how === 'timed_out' ? 'lost' : how;
    return [{ type: 'tool_finished', outcome, ...callOf(input) }];
  }

  #stepped({ activity, output }: Extract<Fact, { kind: 'stepped' }>): readonly (Told | null)[] {
    if (output === null || output === undefined) return [];
    if (activity === NAMES.activities.createRun) return this.#created(output as CreateRunOutput);
    if (activity === NAMES.activities.submitOutputs) return this.#submitted(output as SubmitOutputsOutput);
    if (activity === NAMES.activities.cancelRun) return this.#cancelled(output as CancelRunOutput);
    return this.#awaited(output as AwaitRunOutput);
  }

  #created(output: CreateRunOutput): readonly Told[] {
    if (output.kind !== 'created') return [];
    const { attempt: ref, run, adopted } = output;
    this.#attempts = Number(ref.key.split('/').at(-1)) || this.#attempts + 1;
    const now = { attempt: this.#attempts, attempt_id: ref.id };
    this.#current = { ...now, status: run.status };
    return [{ type: 'attempt_created', ...now, thread_id: ref.thread_id, status: run.status, adopted }];
  }

  #submitted(output: SubmitOutputsOutput): readonly Told[] {
    if (output.kind === 'gone') return this.#over(null, 'gone');
    if (output.kind !== 'submitted' || this.#current === null) return [];
    const { attempt } = this.#current;
    this.#current = { attempt, attempt_id: output.attempt.id, status: null };
    return [{ type: 'outputs_submitted', attempt, attempt_id: output.attempt.id }];
  }

  #awaited(output: AwaitRunOutput): readonly (Told | null)[] {
    if (output.kind === 'gone') return this.#over(null, 'gone');
    if (output.kind === 'deadline' || this.#current === null) return [];
    this.#current = { ...this.#current, attempt_id: output.attempt.id };
    const isHeard = output.kind === 'ended' && output.streamed === true;
    const rest = isHeard ? this.#delta(0, output.output.text) : null;
    const changed = this.seen(output.run.status);
    const over = output.kind === 'ended' ? this.#over(output.run.status, output.reason) : [];
    return [rest, changed, ...over];
  }

  #cancelled({ run }: CancelRunOutput): readonly Told[] {
    if (this.#current === null) return [];
    return this.#over(run?.status ?? null, run === null ? 'given_up' : 'cancelled');
  }

  #over(status: WireStatus | null, reason: AttemptReason): readonly Told[] {
    if (this.#current === null) return [];
    const { attempt, attempt_id } = this.#current;
    this.#current = null;
    return [{ type: 'attempt_ended', attempt, attempt_id, status, reason }];
  }
}
