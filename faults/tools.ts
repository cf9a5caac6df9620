/** What a tool of the fault runs does, whichever driver calls it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readToolEntries, writeToolEntry } from './tool-journal.ts';
import type { ToolEntry } from './tool-journal.ts';
import type { ToolArguments, ToolName } from './tool-table.ts';

export interface Receipt {
  readonly receipt: string;
}

/** Works, acts, and takes its time to answer. Aborted before it acts it leaves no effect. */
export async function actOn(
  journal: string,
  tool: ToolName,
  args: ToolArguments,
  told: ToolEntry['told'],
  signal?: AbortSignal,
): Promise<Receipt> {
  const receipt = `r-${randomUUID()}`;
  const line = { tool, args, told, receipt };
  const options = signal === undefined ? {} : { signal };
  writeToolEntry(journal, { event: 'started', ...line });
  await sleep(args.work_ms, undefined, options);
  writeToolEntry(journal, { event: 'finished', ...line });
  await sleep(args.hold_ms, undefined, options);
  return { receipt };
}

/** What the world remembers of an effect. What it does not remember may still be on its way. */
export function recall(journal: string, key: string): Receipt | null {
  const found = readToolEntries(journal).find(
    (entry) => entry.event === 'finished' && entry.told.key === key,
  );
  return found === undefined ? null : { receipt: found.receipt };
}
