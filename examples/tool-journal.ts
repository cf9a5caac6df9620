/** What the example tools did to the world, as they say themselves: one line of JSON for each start and each end. */
import { appendFileSync } from 'node:fs';

export interface ToolJournalLine {
  readonly event: 'started' | 'finished' | 'failed';
  readonly tool: string;
  /** The effect ledger's key. */
  readonly key: string;
  readonly run_id: string;
  readonly tool_call_id: string;
  /** Of the worker that ran it. */
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Appends to the file that `DROVER_TOOL_JOURNAL` names, in one write that is on disk before it returns. */
export function writeToolJournal(line: Omit<ToolJournalLine, 'pid' | 'at'>): void {
  const path = process.env['DROVER_TOOL_JOURNAL'];
  if (path === undefined || path === '') return;
  const whole: ToolJournalLine = { ...line, pid: process.pid, at: Date.now() };
  appendFileSync(path, `${JSON.stringify(whole)}\n`);
}
