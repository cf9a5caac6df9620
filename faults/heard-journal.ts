/** What those who watch are told of what the models say, written down by the harness itself: a line of JSON each. */
import { appendJsonLine, readJsonLines } from './journal-file.ts';

export interface HeardEntry {
  readonly run: string;
  /** The provider's id of what was listened to. */
  readonly attempt_id: string;
  readonly text: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const writeHeardEntry = (file: string, entry: Omit<HeardEntry, 'at'>): void =>
  appendJsonLine(file, { ...entry, at: Date.now() });

export const readHeardEntries = (file: string): readonly HeardEntry[] =>
  readJsonLines(file) as readonly HeardEntry[];
