/** What the tools did to the world, in their own words: a line of JSON for each start and each effect. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { ToolArguments, ToolName } from './tool-table.ts';

export interface ToolEntry {
  /** `finished`: the effect stands; the line is the effect itself, so that nothing can come between the two. */
  readonly event: 'started' | 'finished';
  readonly tool: ToolName;
  readonly args: ToolArguments;
  /** What its caller told it. */
  readonly told: {
    readonly run: string;
    readonly tool_call_id: string;
    readonly key: string;
    readonly attempt: number | null;
    readonly context: unknown;
  };
  /** The same in both lines of one try, and in its answer. */
  readonly receipt: string;
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Appends in one synchronous write (`O_APPEND`), so that a kill loses none and no two mix. */
export function writeToolEntry(file: string, entry: Omit<ToolEntry, 'pid' | 'at'>): void {
  const whole: ToolEntry = { ...entry, pid: process.pid, at: Date.now() };
  appendFileSync(file, `${JSON.stringify(whole)}\n`);
}

export function parseToolEntries(text: string): readonly ToolEntry[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ToolEntry);
}

export function readToolEntries(file: string): readonly ToolEntry[] {
  return existsSync(file) ? parseToolEntries(readFileSync(file, 'utf8')) : [];
}
