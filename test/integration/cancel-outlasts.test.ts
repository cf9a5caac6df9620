/** A provider that fails for longer than a cancel is watched. It takes as long: only where `DROVER_TEST_SLOW` is set. */
import { expect, test } from 'vitest';
import { isTerminal } from '../../src/run.ts';
import { startDrive } from '../support/drive-harness.ts';

/** Past the minute of the watch, and what was tried beyond it once. */
const TROUBLE_MS = 95_000;

test.skipIf(process.env['DROVER_TEST_SLOW'] === undefined)(
  'a cancel is tried until the provider can be asked again, and leaves nothing alive (needs DROVER_TEST_SLOW)',
  { timeout: 200_000 },
  async () => {
    await using drive = await startDrive('assistants');
    drive.play('bot', { attempts: [{ steps: [{ hang: true }] }] });
    const run = await drive.runs.start({ assistant_id: 'bot', input: 'Wait' }, { id: drive.id('trouble') });
    await drive.emulator.waitFor((entry) => entry.kind === 'status' && entry.to === 'in_progress');
    drive.emulator.addFault({ match: { path: '/threads/' }, do: { status: 503 } });
    await run.cancel();
    const trouble = setTimeout(() => drive.emulator.clearFaults(), TROUBLE_MS);
    const outcome = await run.outcome().finally(() => clearTimeout(trouble));
    expect(outcome.code).toBe('cancelled');
    expect(outcome.warnings).toEqual([]);
    expect(outcome.attempts).toMatchObject([{ status: 'cancelled', reason: 'cancelled' }]);
    const last = drive.emulator.journal().findLast((entry) => entry.kind === 'status');
    expect(last?.kind === 'status' && isTerminal(last.to)).toBe(true);
  },
);
