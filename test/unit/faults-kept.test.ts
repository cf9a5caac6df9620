/** Journals that were kept are judged again, by a process of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { filesIn, writeKept } from '../../faults/kept.ts';
import { Book } from '../support/faults-book.ts';

const SCRIPT = fileURLToPath(new URL('../../faults/judge-again.ts', import.meta.url));

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function keep(book: Book): string {
  const folder = mkdtempSync(join(tmpdir(), 'drover-kept-'));
  folders.push(folder);
  const { plans, starts, cancels, finals, ...journals } = book.evidence();
  const files = filesIn(folder);
  for (const [name, entries] of Object.entries(journals))
    writeFileSync(
      files[name as keyof typeof journals],
      entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
    );
  writeKept(folder, {
    driver: 'drover',
    plans,
    starts,
    cancels,
    finals,
    tasks: [],
    endAt: book.now + 60_000,
  });
  return folder;
}

const again = (...args: readonly string[]): Promise<{ readonly code: unknown; readonly told: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], (error, out, err) =>
      resolve({ code: error?.code ?? 0, told: out + err }),
    );
  });

test('with the word of the judge of today on each', async () => {
  const clean = keep(new Book().create('run_1').becomes('run_1', 'completed').closes().probe());
  expect(await again(clean)).toMatchObject({
    code: 0,
    told: expect.stringContaining('nothing was lost') as string,
  });
  const lost = keep(new Book().create('run_1').becomes('run_1', 'completed').probe());
  const both = await again(clean, lost);
  expect(both.code).toBe(1);
  expect(both.told).toContain('lost in faults-1-0');
  expect((await again()).code).toBe(2);
});
