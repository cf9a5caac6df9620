import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesIn } from '../../faults/kept.ts';
import { Working } from '../../faults/nemesis/working.ts';
import { writeToolEntry } from '../../faults/tool-journal.ts';
import type { PlannedEffect } from '../../faults/shapes.ts';
import { effect } from '../support/faults-book.ts';

test('the next once tool that is at work for long enough is given once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-working-'));
  const files = filesIn(folder);
  const working = new Working({ files });
  const starts = (asked: PlannedEffect, run: string): void =>
    writeToolEntry(files.tools, {
      event: 'started',
      ...asked,
      told: { run, tool_call_id: 'call', key: 'key', attempt: 1, context: null },
      receipt: 'r',
    });
  try {
    starts(effect('pay', { hold_ms: 1_000 }), 'too-short');
    starts(effect('put_note', { hold_ms: 60_000 }), 'not-once');
    starts(effect('pay', { hold_ms: 60_000 }), 'held');
    expect(await working.next(30_000, 30_000)).toMatchObject({ run: 'held', tool: 'pay' });
    expect(await working.next(30_000, 0)).toBeNull();
  } finally {
    working.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
