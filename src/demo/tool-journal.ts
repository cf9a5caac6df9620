/** What the demo's tools did to the world, in their own words: one line of JSON for each start and each end. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { readEnvironment } from '../env.ts';

export interface ToolEntry {
  /** `done`: the effect stands; the line is the effect itself, so that nothing can come between the two. */
  readonly event: 'started' | 'done' | 'failed';
  readonly tool: string;
  /** What it was done to, in the shop's words and not in Drover's. */
  readonly subject: string;
  /** Of `done`: what the shop gave in return. */
  readonly receipt: string | null;
  /** The effect ledger's key. */
  readonly key: string;
  readonly run_id: string;
  readonly attempt: number;
  readonly tool_call_id: string;
  /** Of the worker that ran it. */
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

const path = (): string | undefined => readEnvironment().toolJournal;

/** Appends to the file that `DROVER_TOOL_JOURNAL` names, in one write. */
export function writeToolEntry(entry: Omit<ToolEntry, 'pid' | 'at'>): void {
  const file = path();
  if (file === undefined) return;
  const whole: ToolEntry = { ...entry, pid: process.pid, at: Date.now() };
  appendFileSync(file, `${JSON.stringify(whole)}\n`);
}

/** Every whole line so far; of one that is being written the rest comes with the next look. */
export function readToolEntries(file = path()): readonly ToolEntry[] {
  if (file === undefined || !existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ToolEntry);
}
