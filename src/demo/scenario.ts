/** What a run of the demo is, and how it should end. */
import type { RunRequest } from '../contract.ts';
import type { Script } from '../emulator/index.ts';

export type Wire = 'assistants' | 'responses';

/** One attempt at the provider, as it should be. */
export interface ExpectedAttempt {
  /** How it ends. */
  readonly status: string;
  /** Ids of the calls that are answered in it, a round in each list. */
  readonly answered: readonly (readonly string[])[];
}

export interface ExpectedEffect {
  readonly tool: string;
  /** What it is done to, in the tools' journal. */
  readonly subject: string;
  /** It is started once and done once, whatever happens. A tool that only reads may be asked again. */
  readonly once?: true;
}

export interface Expectation {
  readonly attempts: readonly ExpectedAttempt[];
  /** Each happens, and nothing else does. */
  readonly effects: readonly ExpectedEffect[];
  /** Calls that are told what went wrong, and not what a tool gave. */
  readonly refused?: readonly string[];
  /** Tools of this run work at the same time. */
  readonly inParallel?: true;
  /** Each attempt has a larger budget of completion tokens than the one before. */
  readonly growingBudget?: true;
  /** Its worker is killed while a tool works, and another one ends the run. */
  readonly workerKilled?: true;
  /** Its tool waits for somebody's approval, and starts after it. */
  readonly approved?: true;
  /** It begins on its thread once the run of this scenario has ended there. */
  readonly follows?: string;
  /** A tool still works when this attempt (from 1) ends. */
  readonly endsDuringTool?: number;
}

export interface Scenario {
  readonly name: string;
  readonly wire: Wire;
  /** What it shows, in a few words. */
  readonly about: string;
  /** The model that plays its script; its assistant has the same name. */
  readonly model: string;
  readonly tools: readonly string[];
  readonly script: Script;
  /** It is a message on the thread that all such scenarios share. */
  readonly onThread?: true;
  readonly request: RunRequest;
  readonly expected: Expectation;
}
