/** What the harness asks of whatever drives its runs. */
import type { Client } from '@temporalio/client';
import type { RunPlan } from '../plan.ts';

/** What a driver itself says of one call of a run. */
export interface CallWord {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly output: string | null;
}

/** How a run's workflow ended, and what its driver says of it. */
export interface FinalState {
  readonly run: string;
  /** Temporal's word; null where no workflow of that id is there. */
  readonly workflow: string | null;
  /** Epoch milliseconds. */
  readonly closedAt: number | null;
  /** Null where none could be had. */
  readonly word: {
    /** Null is completed. */
    readonly code: string | null;
    readonly text: string;
    /** It says that a create's answer was lost where none can be looked for. */
    readonly ambiguous: boolean;
    /** Null where the driver keeps no book of its calls. */
    readonly calls: readonly CallWord[] | null;
  } | null;
}

/** What a person found out about an effect. */
export type Verdict =
  { readonly outcome: 'done'; readonly receipt: string } | { readonly outcome: 'not_done' | 'end' };

export interface DriverStage {
  readonly client: Client;
  readonly taskQueue: string;
}

/** What a driver is held to. */
export interface Promises {
  /** Codes of an end that is right; null is completed. */
  ends(plan: RunPlan): readonly (string | null)[];
  /** A once-effect that its tool names is one, however often the model asks for it. */
  readonly namedIsOne: boolean;
}

export interface Driver {
  readonly name: 'drover' | 'textbook';
  readonly workerEntry: string;
  writeBundle(file: string): Promise<void>;
  /** Twice with one plan is no error: the run is started once. */
  start(stage: DriverStage, plan: RunPlan, threadId: string | null): Promise<void>;
  cancel(stage: DriverStage, plan: RunPlan): Promise<void>;
  /** Effects of a run that wait for a person's word, by key. */
  waitingForPerson(stage: DriverStage, plan: RunPlan): Promise<readonly string[]>;
  settle(stage: DriverStage, plan: RunPlan, key: string, verdict: Verdict): Promise<void>;
  /** Of a run that has closed. */
  word(stage: DriverStage, plan: RunPlan): Promise<FinalState['word']>;
  readonly promises: Promises;
}
