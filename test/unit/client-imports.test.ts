import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every file that importing `module` loads into a process of its own, ES modules and CommonJS, as the loader sees them. */
async function loadedBy(module: string): Promise<readonly string[]> {
  const program = `
    import { createRequire, registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load: (url, context, next) => { loaded.add(url); return next(url, context); } });
    await import(${JSON.stringify(new URL(`../../src/${module}`, import.meta.url).href)});
    for (const path of Object.keys(createRequire(${JSON.stringify(import.meta.url)}).cache)) loaded.add(path);
    process.stdout.write(JSON.stringify([...loaded]));
  `;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as string[];
}

const packagesOf = (files: readonly string[]): readonly string[] => [
  ...new Set(files.flatMap((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [])),
];

describe('what a door loads', () => {
  it.each(['index.ts', 'client.ts'])('%s: no native worker, no provider SDK, no server', async (module) => {
    const files = await loadedBy(module);
    const packages = packagesOf(files);
    expect(packages).toContain('@temporalio/client');
    for (const heavy of [
      '@temporalio/worker',
      '@temporalio/core-bridge',
      '@temporalio/activity',
      'openai',
      'fastify',
      'webpack',
      'commander',
    ]) {
      expect(packages).not.toContain(heavy);
    }
    expect(files.filter((file) => file.endsWith('.node'))).toEqual([]);
  });

  it('workflow.ts: the workflow library only', async () => {
    const files = await loadedBy('workflow.ts');
    const packages = packagesOf(files);
    expect(packages).toContain('@temporalio/workflow');
    for (const heavy of ['@temporalio/client', '@temporalio/worker', 'zod', 'canonicalize', 'openai']) {
      expect(packages).not.toContain(heavy);
    }
    const own = files.filter((file) => file.includes('/src/') && !file.includes('node_modules'));
    expect(own.map((file) => file.replace(/.*\/src\//, '')).sort()).toEqual([
      'client-outcome.ts',
      'client-summary.ts',
      'contract.ts',
      'errors.ts',
      'failures.ts',
      'limits.ts',
      'request-tools.ts',
      'workflow.ts',
    ]);
  });

  it('worker.ts: the native worker, which shows that the test would see it', async () => {
    expect(packagesOf(await loadedBy('worker.ts'))).toContain('@temporalio/core-bridge');
  });
});
