/** What got into the workflows' bundle: it runs in a sandbox, in every worker, and is parsed for every one of them. */
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';

/** Bytes of code, the source map aside. Temporal's own library is nearly all of it. */
const CODE_LIMIT_BYTES = 800_000;
/** Bytes of Drover's own code in it. */
const OWN_LIMIT_BYTES = 275_000;

interface BundledModule {
  /** Path from the folder that it was bundled in. */
  readonly path: string;
  readonly bytes: number;
}

/** The modules of a webpack bundle, by the line that each begins with. */
function readModules(code: string): readonly BundledModule[] {
  return code.split(/^\/\*{3}\/ (?=")/m).flatMap((part) => {
    const path = /^"([^"]+)"/.exec(part)?.[1];
    return path === undefined ? [] : [{ path, bytes: Buffer.byteLength(part) }];
  });
}

const packageOf = (path: string): string | null =>
  /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? null;

const packagesOf = (modules: readonly BundledModule[]): readonly string[] =>
  [...new Set(modules.map(({ path }) => packageOf(path)).filter((name) => name !== null))].sort();

describe('the bundle of the workflows', () => {
  let code: string;
  let modules: readonly BundledModule[];
  beforeAll(async () => {
    const bundle = await bundleWorkflows();
    code = bundle.code.replace(/^\/\/# sourceMappingURL=.*$/m, '');
    modules = readModules(code);
  }, 60_000);

  test("holds Temporal's workflow library and what that needs, and no other package", () => {
    // No provider's SDK, zod, fastify, pino, and no `@temporalio/worker`, `client` or `activity`.
    expect(packagesOf(modules)).toEqual([
      '@temporalio/common',
      '@temporalio/workflow',
      'long',
      'ms',
      'nexus-rpc',
    ]);
  });

  test('has no stacks taken, before all else', () => {
    const limit: unknown = runInNewContext(`${code};\nError.stackTraceLimit`, {
      __webpack_module_cache__: {},
    });
    expect(limit).toBeUndefined();
    expect(code.split('\n', 1)[0]).toMatch(/^Error\.stackTraceLimit/);
  });

  test('holds no module of Node', () => {
    // A module that is left to the runtime is one that requires it, under its own name.
    expect([...code.matchAll(/\brequire\((["'])([^"']+)\1\)/g)].map((found) => found[2])).toEqual([]);
    expect(modules.map(({ path }) => path).filter((path) => /^(?:node:|external )/.test(path))).toEqual([]);
  });

  test('holds of Drover the workflows and the pure modules', () => {
    const own = modules.filter(({ path }) => packageOf(path) === null && path.includes('/src/'));
    const folders = new Set(own.map(({ path }) => path.replace(/^.*\/src\//, '').replace(/[^/]+$/, '')));
    expect([...folders].sort()).toEqual(['', 'workflows/']);
    const pure = own.map(({ path }) => path.replace(/^.*\/src\//, '')).filter((path) => !path.includes('/'));
    for (const module of pure) {
      expect([
        'contract.ts',
        'limits.ts',
        'decisions.ts',
        'failures.ts',
        'run.ts',
        'search-attributes.ts',
        'steps.ts',
        'tool-steps.ts',
        'turns.ts',
      ]).toContain(module);
    }
    expect(own.length).toBeGreaterThan(5);
    expect(own.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(OWN_LIMIT_BYTES);
  });

  test(`stays under ${CODE_LIMIT_BYTES / 1000} KB of code`, () => {
    expect(Buffer.byteLength(code)).toBeLessThan(CODE_LIMIT_BYTES);
  });
});

describe('a bundle that holds what it must not', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-bundle-'));
    await symlink(
      fileURLToPath(new URL('../../node_modules', import.meta.url)),
      join(folder, 'node_modules'),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const bundleOf = async (name: string, source: string): Promise<string> => {
    const workflowsPath = join(folder, `${name}.ts`);
    await writeFile(workflowsPath, source);
    const logger = new DefaultLogger('ERROR', () => undefined);
    return (await bundleWorkflowCode({ workflowsPath, logger })).code;
  };

  test('is seen for what it is', async () => {
    const code = await bundleOf(
      'zod',
      `import { z } from 'zod';\nexport const driveRun = async () => z.string();`,
    );
    expect(packagesOf(readModules(code))).toContain('zod');
  });

  test.each(['fs', 'node:fs'])('cannot be made of a module of Node, here %s', async (module) => {
    const source = `import { readFileSync } from '${module}';\nexport const driveRun = async () => readFileSync('x');`;
    await expect(bundleOf(module.replace(':', '-'), source)).rejects.toThrow(
      /disallowed modules|Webpack finished with errors/,
    );
  });
});
