import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import { runProgram, startProgram } from '../support/processes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-demo-test-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A server of its own, journals where they can be found, and a mark by which its processes are known. */
const environment = (mark: string) => ({
  TEMPORAL_ADDRESS: '',
  DROVER_TEMPORAL_CLI: inject('temporal').cli,
  TMPDIR: folder,
  DROVER_TEST_MARK: mark,
});

const seesProcesses = process.platform === 'linux';

/** Ids of the processes that were started with this mark. Only Linux tells: elsewhere it sees none. */
async function processesOf(mark: string): Promise<readonly string[]> {
  if (!seesProcesses) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const marked = await Promise.all(
    pids.map(async (pid) => {
      const env = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return env.split('\0').includes(`DROVER_TEST_MARK=${mark}`);
    }),
  );
  return pids.filter((_, index) => marked[index]);
}

const demoFolders = async (): Promise<readonly string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('drover-demo-'));

describe('the demo', () => {
  test('drives every run to its end, shows it, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await runProgram(['src/demo/main.ts'], { env: environment('whole') });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    for (const { name, wire, expected } of SCENARIOS) {
      const row = lines.find((line) => line.startsWith(`✔  ${name} `));
      expect(row).toMatch(new RegExp(`${wire} +completed +${expected.attempts.length} `));
      expect(stdout).toMatch(
        new RegExp(`http://127\\.0\\.0\\.1:\\d+/namespaces/default/workflows/demo-${name}-`),
      );
    }
    for (const said of [
      /expire +attempt 1 expired while refund_order was still working\n/,
      /expire +answered from the ledger: refund_order is not run again\n/,
      /killed +its worker is killed before it can say so \(kill -9 \d+\)\n/,
      /malformed +the model is told what was wrong with them\n/,
      /approve +refund_order waits for approval, by itself in 3 s, or by\n/,
      /approve +approve it: (TEMPORAL_ADDRESS=\S+ )?npx drover approve demo-approve-\w+\n/,
      /approve +refund_order is approved, as nobody else did\n/,
      /next +its turn on the thread, after first\n/,
      /budget +attempt 2 created with 512 completion tokens\n/,
    ]) {
      expect(stdout).toMatch(said);
    }
    expect(stdout).toContain('All 9 runs ended as they should');
    // A command to copy stays on its line.
    const told = lines.filter((line) => !line.includes('npx drover approve'));
    expect(told).toHaveLength(lines.length - 1);
    expect(Math.max(...told.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(await processesOf('whole')).toEqual([]);
    expect(await demoFolders()).toEqual([]);
  });

  test('fails where nothing keeps an effect from being made again, and says why', async () => {
    const { code, stdout, stderr } = await runProgram(['test/support/demo-without-ledger.ts'], {
      env: environment('careless'),
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✘ {2}expire /m);
    expect(stdout).toMatch(/^✘ {2}killed /m);
    // Its refunds ask nobody.
    expect(stdout).toMatch(/^✘ {2}approve /m);
    expect(stdout).toContain('its tool starts once somebody has approved it');
    for (const order of ['1042', '1043']) {
      const wanted = `refund_order is started once and acts once on order ${order}`;
      expect(stdout).toMatch(
        new RegExp(`  expected  ${wanted}\n  journals  it was started \\d times and acted [2-9] times`),
      );
    }
    for (const well of ['answer', 'parallel', 'budget', 'malformed']) {
      expect(stdout).toMatch(new RegExp(`^✔  ${well} `, 'm'));
    }
    const [kept = ''] = await demoFolders();
    expect(stderr).toContain(join(folder, kept));
    expect((await readdir(join(folder, kept))).sort()).toEqual([
      'provider.jsonl',
      'tools.jsonl',
      'workers.log',
    ]);
    expect(await processesOf('careless')).toEqual([]);
    await rm(join(folder, kept), { recursive: true });
  });

  test('with --keep stays up until it is told to stop', async () => {
    const demo = startProgram(['src/demo/main.ts', '--keep'], { env: environment('kept') });
    await demo.says('Ctrl-C stops all of it.');
    demo.child.kill('SIGINT');
    const { code, stdout } = await demo.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/A run +TEMPORAL_ADDRESS=127\.0\.0\.1:\d+ npx drover show demo-expire-/);
    expect(await processesOf('kept')).toEqual([]);
    expect(await demoFolders()).toEqual([]);
  });

  test.each([
    ['while it starts', 'Starting a Temporal server'],
    ['while its workers start', 'Starting two workers'],
    ['while runs are under way', 'the model calls refund_order'],
  ])('stopped %s, it leaves nothing behind', async (name, text) => {
    const demo = startProgram(['src/demo/main.ts'], { env: environment(name) });
    await demo.says(text);
    demo.child.kill('SIGINT');
    const { code, stdout, stderr } = await demo.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    expect(stdout).toContain('Stopping …');
    expect(await processesOf(name)).toEqual([]);
    expect(await demoFolders()).toEqual([]);
  });

  test.runIf(seesProcesses)('killed, it takes all of it with it', async () => {
    const demo = startProgram(['src/demo/main.ts'], { env: environment('dead') });
    await demo.says('the model calls refund_order');
    expect((await processesOf('dead')).length).toBeGreaterThan(3);
    demo.child.kill('SIGKILL');
    await expect.poll(() => processesOf('dead'), { timeout: 40_000, interval: 500 }).toEqual([]);
    for (const left of await demoFolders()) await rm(join(folder, left), { recursive: true });
  });

  test('without a server at TEMPORAL_ADDRESS it says so', async () => {
    const env = { ...environment('alone'), TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const { code, stderr } = await runProgram(['src/demo/main.ts'], { env });
    expect(code).toBe(1);
    expect(stderr).toContain('Temporal at 127.0.0.1:1 cannot be reached. Check TEMPORAL_ADDRESS');
    expect(stderr).not.toContain('    at ');
    expect(await demoFolders()).toEqual([]);
  });
});
