/** What the harness asks of whatever drives its runs. */
import type { Client } from '@temporalio/client';
import type { WaitingCall } from '../../src/decisions.ts';
import type { RunEvent } from '../../src/run-events.ts';
import type { RunPlan } from '../plan.ts';

/** What a driver itself says of one call of a run. */
export interface CallWord {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly output: string | null;
  /** How people settled it; null where nobody was asked. */
  readonly decision: string | null;
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

/** What a person, or the service, says of a call that waits for a word. */
export type Said =
  { readonly outcome: 'answer'; readonly receipt: string } | { readonly outcome: 'approve' | 'reject' };

export interface DriverStage {
  readonly client: Client;
  readonly taskQueue: string;
}

/** What a driver is held to. */
export interface Promises {
  /** Codes of an end that is right; null is completed. */
  ends(plan: RunPlan): readonly (string | null)[];
  /** Temporal's words for how the workflow of a run that ended by this code closes. */
  closesAs(code: string | null): readonly string[];
  /** A once-effect that its tool names is one, however often the model asks for it. */
  readonly namedIsOne: boolean;
  /** A tool that needs people's word waits for it. */
  readonly asksPeople: boolean;
  /** Runs on one thread take turns. */
  readonly takesTurns: boolean;
  /** The limits of a request are hard. */
  readonly keepsLimits: boolean;
  /** A run that ends badly leaves its thread usable, too. */
  readonly freesThreads: boolean;
}

export interface Driver {
  readonly name: 'drover' | 'textbook';
  readonly workerEntry: string;
  writeBundle(file: string): Promise<void>;
  /** Twice with one plan is no error: the run is started once. */
  start(stage: DriverStage, plan: RunPlan, threadId: string | null): Promise<void>;
  cancel(stage: DriverStage, plan: RunPlan): Promise<void>;
  /** Calls of a run that wait for people. */
  waiting(stage: DriverStage, plan: RunPlan): Promise<readonly WaitingCall[]>;
  decide(stage: DriverStage, plan: RunPlan, call: WaitingCall, said: Said): Promise<void>;
  settle(stage: DriverStage, plan: RunPlan, key: string, verdict: Verdict): Promise<void>;
  /** What a run tells who watches it, behind an offset; absent where nobody can. */
  watch?(
    stage: DriverStage,
    plan: RunPlan,
    after: string | null,
    signal: AbortSignal,
  ): AsyncIterable<RunEvent>;
  /** Of a run that has closed. */
  word(stage: DriverStage, plan: RunPlan): Promise<FinalState['word']>;
  readonly promises: Promises;
}
