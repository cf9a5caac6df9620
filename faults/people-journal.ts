/** What people were asked and said, written down by the harness itself: a line of JSON each. */
import { appendJsonLine, readJsonLines } from './journal-file.ts';

export interface PeopleEntry {
  /**
   * `asked`: the call was seen to wait. `sent`: a decision is about to be sent. `accepted`: its Update was answered.
   */
  readonly event: 'asked' | 'sent' | 'accepted';
  readonly run: string;
  readonly key: string;
  readonly digest: string;
  readonly tool: string;
  readonly tool_call_id: string;
  /** Null where nothing is said yet. */
  readonly outcome: 'approve' | 'reject' | 'answer' | null;
  /** Of an answer: what it gives. */
  readonly receipt: string | null;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const writePeopleEntry = (file: string, entry: Omit<PeopleEntry, 'at'>): void =>
  appendJsonLine(file, { ...entry, at: Date.now() });

export const readPeopleEntries = (file: string): readonly PeopleEntry[] =>
  readJsonLines(file) as readonly PeopleEntry[];
