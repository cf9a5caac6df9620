/** Which `once` tools are at work, by what they write down themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { followJsonLines } from '../journal-file.ts';
import type { Stage } from '../stage.ts';
import type { ToolEntry } from '../tool-journal.ts';
import { traitsOf } from '../tool-table.ts';
import type { ToolName } from '../tool-table.ts';

const LOOK_MS = 100;

export interface AtWork {
  readonly run: string;
  readonly tool: ToolName;
  /** When it answers, if nothing befalls it. Epoch milliseconds. */
  readonly until: number;
}

export class Working {
  #all: AtWork[] = [];
  readonly close: () => void;

  constructor(stage: Pick<Stage, 'files'>) {
    this.close = followJsonLines(stage.files.tools, (entry) => this.#on(entry as ToolEntry));
  }

  #on({ event, tool, args, told, at }: ToolEntry): void {
    if (event !== 'started' || traitsOf(tool).effect !== 'once') return;
    this.#all.push({ run: told.run, tool, until: at + args.work_ms + args.hold_ms });
  }

  /** The next one that is at work for so long still; null where none comes in time. */
  async next(forMs: number, withinMs: number): Promise<AtWork | null> {
    const giveUpAt = Date.now() + withinMs;
    for (;;) {
      const now = Date.now();
      this.#all = this.#all.filter(({ until }) => until > now);
      // Each is disturbed once.
      const at = this.#all.findIndex(({ until }) => until >= now + forMs);
      const [found] = at < 0 ? [] : this.#all.splice(at, 1);
      if (found !== undefined) return found;
      if (now >= giveUpAt) return null;
      await sleep(LOOK_MS);
    }
  }
}
