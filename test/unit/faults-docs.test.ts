import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { renderPage } from '../../faults/docs.ts';
import { FINDING_KINDS } from '../../faults/judge/finding.ts';
import { MEANINGS } from '../../faults/judge/meanings.ts';
import { isClean, makeReport, printReport } from '../../faults/report.ts';
import type { Report } from '../../faults/report.ts';
import { Book } from '../support/faults-book.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The keys that every report has. */
const KEYS = (
  'runs ended lost wrong_end worker_kills kills_by_window server_restarts provider_faults ' +
  'attempts_live_over_one orphaned_attempts unfindable_creates duplicate_once_effects ' +
  'duplicate_effects_by_effect_key divergent_calls idempotent_key_changes unreused_effects ' +
  'missing_outputs double_submits inputs_repeated threads_left_unusable unknown_outcomes seed ' +
  'minutes'
).split(' ');

function report(book: Book, seed: number): Report {
  const options = { runs: 1, seed, minutes: 3, json: null, driver: 'drover', faults: true } as const;
  return makeReport(book.verdict(), options, { tookMs: 4_321, temporal: '1.2.3' });
}

const clean = (): Book => new Book().create('run_1').becomes('run_1', 'completed').closes().probe();
const lost = (): Book => new Book().create('run_1').becomes('run_1', 'completed').probe();

describe('a report', () => {
  test('has every key, and says on what it was made', () => {
    const made = report(clean(), 7);
    expect(KEYS.filter((key) => !Object.hasOwn(made, key))).toEqual([]);
    expect(made).toMatchObject({ seed: 7, minutes: 3, took_seconds: 4, versions: { temporal: '1.2.3' } });
    expect(made.machine.cores).toBeGreaterThan(0);
    expect(made.commit).not.toBe('');
  });

  test('is clean where nothing was found, and lists what was', () => {
    expect(isClean(report(clean(), 7))).toBe(true);
    const bad = report(lost(), 7);
    expect(isClean(bad)).toBe(false);
    expect(printReport(bad)).toContain('lost in faults-1-0: its workflow is RUNNING at the end');
    expect(printReport(report(clean(), 7))).toContain('nothing was lost, doubled or left behind');
  });
});

describe('the page of the faults', () => {
  test('says what each figure counts, and shows those of each report', () => {
    const page = renderPage([
      { ...report(lost(), 7), runs: 1_234 },
      { ...report(clean(), 8), worker_kills: 567 },
    ]);
    for (const meaning of Object.values(MEANINGS)) expect(page).toContain(meaning);
    for (const kind of FINDING_KINDS) expect(page).toContain(`\`${kind}\``);
    expect(page).toContain('drover, 1234 runs, seed 7');
    expect(page).toMatch(/\| 8 \| 1 \| 1 \| 567 \|/);
  });

  test('is what the committed results give', async () => {
    const script = fileURLToPath(new URL('../../faults/write-docs.ts', import.meta.url));
    const check = promisify(execFile)(process.execPath, [script, '--check'], { cwd: root });
    expect((await check).stderr).toBe('');
  });
});
