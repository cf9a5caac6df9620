/** What `npm run verify` stands on: running a tool to its end, and counting tests. */
import { describe, expect, test } from 'vitest';
import { countTests } from '../../scripts/count-tests.ts';
import { ROOT, runTool } from '../../scripts/run-tool.ts';

describe('running a tool', () => {
  const node = (program: string, options = {}) => runTool(['node', '--eval', program], options);

  test('gives what it wrote, and whether it succeeded', async () => {
    expect(await node('console.log(process.cwd()); console.error(process.version)')).toEqual({
      ok: true,
      output: expect.stringContaining(process.version),
    });
    expect((await node('console.log(process.cwd())')).output.trim()).toBe(ROOT.replace(/\/$/, ''));
    expect(await node('console.log("before"); process.exit(3)')).toEqual({ ok: false, output: 'before\n' });
  });

  test('that is not there fails by its name', async () => {
    const { ok, output } = await runTool(['no-such-tool']);
    expect(ok).toBe(false);
    expect(output).toContain('no-such-tool could not be started');
  });

  test('that never ends is stopped at its limit, with what it started', async () => {
    const forever = 'setInterval(() => {}, 1000)';
    // It would never end either, and keeps the pipe open for as long as it lives.
    const program = `
      require('node:child_process').spawn(process.execPath, ['--eval', ${JSON.stringify(forever)}], { stdio: 'inherit' });
      ${forever};`;
    const { ok, output } = await node(program, { limitMs: 500 });
    expect(ok).toBe(false);
    expect(output).toContain('had not ended after 0.5 s');
  });
});

describe('counting tests', () => {
  test('takes the numbers of the report, todo as skipped', () => {
    const report = { numPassedTests: 7, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 };
    expect(countTests(JSON.stringify(report))).toEqual({ passed: 7, failed: 1, skipped: 3 });
  });

  test('counts a file that could not be loaded as a failure', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'passed', assertionResults: [{}] },
    ];
    expect(countTests(JSON.stringify({ numPassedTests: 1, testResults })).failed).toBe(1);
  });

  test.each(['', '{"numPassedTests": 7'])('counts no report (%j) as a failure', (text) => {
    expect(countTests(text)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});
