/** Workers as processes of their own, for tests that kill, stop and starve them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ToolJournalLine } from '../../examples/tool-journal.ts';
import { startWorkerChild } from '../../src/dev/worker-child.ts';
import type { WorkerChild } from '../../src/dev/worker-child.ts';

export const TEST_CONFIG = fileURLToPath(new URL('./worker-process.config.ts', import.meta.url));

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface LoggedWorker extends WorkerChild {
  /** What it wrote, standard error included, line by line. */
  readonly lines: readonly string[];
  /** The lines that are JSON. */
  logs(): readonly LogLine[];
  /** Resolves with the first line, past or to come, that holds `text`; rejects where it ends without one. */
  waitForLine(text: string): Promise<string>;
}

/** Starts a worker whose log can be read. Its caller stops it. */
export function startLoggedWorker(env: Readonly<Record<string, string>>): LoggedWorker {
  const lines: string[] = [];
  const watchers = new Set<(line: string) => void>();
  const child = startWorkerChild({
    env: { DROVER_CONFIG: TEST_CONFIG, DROVER_LOG_FORMAT: 'json', ...env },
    onLine: (line) => {
      lines.push(line);
      for (const watcher of watchers) watcher(line);
    },
  });
  return {
    ...child,
    lines,
    logs: () => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine),
    waitForLine: async (text) => {
      const past = lines.find((line) => line.includes(text));
      if (past !== undefined) return past;
      const coming = new Promise<string>((resolve) => {
        watchers.add((line) => {
          if (line.includes(text)) resolve(line);
        });
      });
      const gone = child.exited.then(() => {
        throw new Error(`The worker ended and never wrote "${text}". It wrote:\n${lines.join('\n')}`);
      });
      return await Promise.race([coming, gone]);
    },
  };
}

/** What the example tools wrote into their journal so far. */
export function readToolJournal(path: string): readonly ToolJournalLine[] {
  const text = readFileSync(path, { encoding: 'utf8', flag: 'a+' });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ToolJournalLine);
}
