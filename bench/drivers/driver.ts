/** What the bench compares: ways to drive a run to its end. */
import type { StatusEntry } from '../../src/emulator/index.ts';
import type { HistoryEvent } from '../history-facts.ts';

export const DRIVERS = ['drover', 'textbook', 'createAndPoll', 'noop'] as const;
export type DriverName = (typeof DRIVERS)[number];

/** One run to drive. */
export interface Job {
  /** Begins with `bench-`. The run's id, and the name of the model and of the assistant that play it. */
  readonly id: string;
  readonly wire: StatusEntry['wire'];
  /** @default a new one where the wire needs one */
  readonly threadId?: string;
  /** Drover only, with a given thread: takes its turn on it, as runs do by themselves. @default true */
  readonly inTurn?: boolean;
  readonly instructions?: string;
  /** Drover only, on the Responses wire: waits for webhooks. @default false */
  readonly pushed?: boolean;
}

/** A driver at work: one process that drives, or a worker's process. */
export interface Driver {
  readonly name: DriverName;
  /** Of the process that drives. */
  readonly pid: number;
  /** Resolves once the run is begun. */
  start(job: Job): Promise<void>;
  /** Resolves once the run has ended; rejects where it did not complete. */
  ended(job: Job): Promise<void>;
  /** Of an ended run, in epoch milliseconds: when the driver had seen that the provider's run had ended. */
  knownAt(job: Job): Promise<number>;
  /** Of an ended run; null for a driver that leaves none. */
  readonly history: ((job: Job) => Promise<readonly HistoryEvent[]>) | null;
  stop(): Promise<void>;
}
