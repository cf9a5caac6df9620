/**
 * `npm run verify`: every check of this repository, one line each, and a last line that counts them.
 *
 * --all      every test, a short run of the faults and a quick bench; without it the tests that need no Temporal server
 * --show     shows what each check writes as it comes; without it only what a failed one wrote
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countTests } from './count-tests.ts';
import type { Counts } from './count-tests.ts';
import { runTool } from './run-tool.ts';

/** A check that has not ended by then never will. */
const LIMIT_MS = 5 * 60_000;
const TESTS_LIMIT_MS = 12 * 60_000;
/** Three minutes of faults, and what is under way then is given time to end. */
const FAULTS_LIMIT_MS = 15 * 60_000;

const CHECKS = [
  ['format', ['npm', 'run', '--silent', 'format']],
  ['lint', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npm', 'run', '--silent', 'types']],
  ['borders', ['npm', 'run', '--silent', 'borders']],
  ['build', ['npm', 'run', '--silent', 'build']],
  ['docs', ['npm', 'run', '--silent', 'schema', '--', '--check']],
] as const;

/** Projects of vitest that need no Temporal server. */
const QUICK = ['unit', 'fuzz', 'conformance', 'replay'];

const { values: flags } = parseArgs({
  options: { all: { type: 'boolean', default: false }, show: { type: 'boolean', default: false } },
});

/** Runs one check and says how it went. */
async function check(
  name: string,
  command: readonly [string, ...string[]],
  limitMs: number,
  describe: () => Promise<string> = () => Promise.resolve(''),
): Promise<boolean> {
  const start = performance.now();
  if (flags.show) console.log(`\n==> ${name}: ${command.join(' ')}`);
  const { ok, output } = await runTool(command, { show: flags.show, limitMs });
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(6);
  console.log(`${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)}${seconds} s${await describe()}`);
  if (!ok && !flags.show) console.log(output.trimEnd());
  return ok;
}

async function runTests(): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'drover-verify-'));
  try {
    const report = join(folder, 'tests.json');
    const projects = flags.all ? [] : QUICK.map((name) => `--project=${name}`);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    let counts: Counts = { passed: 0, failed: 1, skipped: 0 };
    const command = ['npm', 'test', '--silent', '--', ...projects, ...reporters] as const;
    const ok = await check('tests', command, TESTS_LIMIT_MS, async () => {
      counts = countTests(await readFile(report, 'utf8').catch(() => ''));
      return `  ${inWords(counts)}`;
    });
    // A file that cannot be loaded and a promise that nobody caught fail no test, but the whole.
    return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

let passed = 0;
let failed = 0;
for (const [name, command] of CHECKS) {
  if (await check(name, command, LIMIT_MS)) passed += 1;
  else failed += 1;
}
const tests = await runTests();
if (flags.all) {
  // After the tests: beside them it would have to share the machine.
  const alone = [
    ['faults', ['node', 'scripts/run-faults.ts'], FAULTS_LIMIT_MS],
    // Its figures are too few to judge by: it must run to its end. The other scenarios take too long here.
    ['bench', ['node', 'bench/main.ts', '--quick', '--only', 'history'], LIMIT_MS],
  ] as const;
  for (const [name, command, limitMs] of alone) {
    if (await check(name, command, limitMs)) passed += 1;
    else failed += 1;
  }
}
console.log(
  inWords({ passed: passed + tests.passed, failed: failed + tests.failed, skipped: tests.skipped }),
);
process.exitCode = failed + tests.failed > 0 ? 1 : 0;
