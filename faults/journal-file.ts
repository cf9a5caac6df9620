/** Journals of JSON lines: followed while they grow, and read whole at the end. */
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';

export function readJsonLines(file: string): readonly unknown[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

export function appendJsonLine(file: string, entry: object): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}

const LOOK_MS = 25;

/** Hands on each whole line that is appended from now on, until the returned function is called. */
export function followJsonLines(file: string, onEntry: (entry: unknown) => void): () => void {
  let offset = 0;
  let rest = '';
  const chunk = Buffer.alloc(256 * 1024);
  const look = (): void => {
    if (!existsSync(file)) return;
    const handle = openSync(file, 'r');
    try {
      for (;;) {
        const count = readSync(handle, chunk, 0, chunk.length, offset);
        if (count === 0) break;
        offset += count;
        const lines = (rest + chunk.toString('utf8', 0, count)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) onEntry(JSON.parse(line));
      }
    } finally {
      closeSync(handle);
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return () => clearInterval(timer);
}
