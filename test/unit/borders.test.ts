/** The import borders: that each rule catches what it forbids, and that the sources keep all of them. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const require = createRequire(import.meta.url);
const CONFIG = join(root, '.dependency-cruiser.cjs');
/** What `npm run borders` cruises. */
const PARTS = ['src', 'worker.ts', 'faults', 'bench'];

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

interface Cruised {
  readonly summary: { readonly violations: readonly Violation[]; readonly totalCruised: number };
}

/** Cruises the sources in `folder` as `npm run borders` does. */
async function cruise(folder: string): Promise<Cruised['summary']> {
  const program = join(root, 'node_modules', '.bin', 'depcruise');
  const args = [program, '--config', CONFIG, '--output-type', 'json', ...PARTS];
  const { stdout } = await run(process.execPath, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }).catch(
    // Violations make it exit otherwise than by 0.
    (ended: { readonly stdout?: string }) => {
      if (ended.stdout === undefined || ended.stdout === '') throw ended;
      return { stdout: ended.stdout };
    },
  );
  return (JSON.parse(stdout) as Cruised).summary;
}

/** What each rule must catch: a file, and what it imports. Files that nobody names are empty. */
const FORBIDDEN: readonly (readonly [rule: string, from: string, imports: string])[] = [
  ['no-circular', 'src/circle.ts', './other-half.ts'],
  ['not-resolved', 'src/lost.ts', './nowhere.ts'],
  ['not-resolved', 'src/lost.ts', 'no-such-package'],
  ['declared-dependencies', 'src/sweep.ts', 'ajv'],
  ['declared-dependencies', 'src/sweep.ts', 'undeclared'],
  ['pure-types', 'src/run.ts', './client.ts'],
  ['pure-types', 'src/contract.ts', 'zod'],
  ['pure-types', 'src/steps.ts', './search-attributes.ts'],
  ['pure-attributes', 'src/search-attributes.ts', './config.ts'],
  ['workflows-sandbox', 'src/workflows/drive-run.ts', '../config.ts'],
  ['workflows-sandbox', 'src/workflows/drive-run.ts', 'zod'],
  ['workflows-sandbox', 'src/workflows/drive-run.ts', 'node:crypto'],
  ['workflows-sandbox', 'src/workflows/drive-run.ts', '@temporalio/client'],
  ['workflows-by-bundler', 'src/activities/tools.ts', '../workflows/decide.ts'],
  ['workflow-door', 'src/workflow.ts', './client.ts'],
  ['workflow-door-reach', 'src/errors.ts', 'canonicalize'],
  ['provider-sdk', 'src/resolve-run.ts', 'openai'],
  ['backends', 'src/backends/responses.ts', '../client.ts'],
  ['backends', 'src/backends/responses.ts', 'zod'],
  ['activities-not-workflows', 'src/activities/tools.ts', '../cli/output.ts'],
  ['tools-stand-alone', 'src/tools/registry.ts', '../run-worker.ts'],
  ['mcp-brings-tools', 'src/mcp/mcp-tools.ts', '../client.ts'],
  ['mcp-sdk', 'src/doctor.ts', '@modelcontextprotocol/sdk'],
  ['webhooks-wake', 'src/webhooks/wake.ts', '../client.ts'],
  ['emulator-stands-alone', 'src/emulator/engine.ts', '../contract.ts'],
  ['emulator-stands-alone', 'src/emulator/engine.ts', '@temporalio/client'],
  ['emulator-not-in-the-product', 'src/client.ts', './emulator/engine.ts'],
  ['cli-is-a-leaf', 'src/doctor.ts', './cli/output.ts'],
  ['native-worker', 'src/sweep.ts', '@temporalio/worker'],
  ['client-without-worker', 'src/client-handle.ts', './create-worker.ts'],
  ['judge-is-pure', 'faults/judge/judge.ts', '../drivers/drover.ts'],
  ['judge-is-pure', 'faults/kill-windows.ts', '@temporalio/client'],
  ['textbook-is-plain', 'bench/textbook/workflow.ts', '../../src/contract.ts'],
  ['src-stands-alone', 'src/doctor.ts', '../test/support.ts'],
  ['src-stands-alone', 'src/doctor.ts', '../faults/judge/judge.ts'],
  ['bench-measures-the-product', 'bench/stage.ts', '../test/support.ts'],
  ['bench-workflows', 'bench/noop/workflow.ts', 'node:crypto'],
];

/** Violations that are found elsewhere than in the file with the forbidden import. */
const SEEN_FROM: Readonly<Record<string, string>> = { 'workflow-door-reach': 'src/workflow.ts' };

const SUPPORT: Readonly<Record<string, string>> = {
  'worker.ts': `import './src/run-worker.ts';`,
  'src/other-half.ts': `import './circle.ts';`,
  'src/workflow.ts': `import './errors.ts';`,
  'src/index.ts': `import './client-handle.ts';`,
  'package.json': JSON.stringify({
    name: 'fixture',
    type: 'module',
    dependencies: { openai: '1', canonicalize: '1' },
    peerDependencies: {
      '@modelcontextprotocol/sdk': '1',
      '@temporalio/client': '1',
      '@temporalio/worker': '1',
      zod: '1',
    },
    devDependencies: { ajv: '1' },
  }),
};
const PACKAGES = [
  'ajv',
  'canonicalize',
  'openai',
  'undeclared',
  'zod',
  '@modelcontextprotocol/sdk',
  '@temporalio/client',
  '@temporalio/worker',
];

async function writeTree(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Every file of the table with its imports, and every file that one of them imports. */
function fixtureFiles(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [, from, imports] of FORBIDDEN) {
    if (imports.startsWith('.') && !imports.includes('nowhere')) files[join(dirname(from), imports)] ??= '';
  }
  for (const [, from, imports] of FORBIDDEN) files[from] = `${files[from] ?? ''}import '${imports}';\n`;
  for (const [path, text] of Object.entries(SUPPORT)) files[path] = `${files[path] ?? ''}${text}\n`;
  for (const name of PACKAGES) {
    files[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: '1.0.0', main: 'index.js' });
    files[`node_modules/${name}/index.js`] = '';
  }
  files['src/config.ts'] = `import type { Value } from './cli/types.ts';\n`;
  files['src/cli/types.ts'] = 'export type Value = string;\n';
  return files;
}

describe('the rules of the import borders', () => {
  let folder: string;
  let violations: readonly Violation[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-borders-'));
    await writeTree(folder, fixtureFiles());
    ({ violations } = await cruise(folder));
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const found = (rule: string, from: string) =>
    violations.filter((violation) => violation.rule.name === rule && violation.from === from);
  /** `./a.ts` as the cruiser names it, and a package by its folder. */
  const target = (from: string, imports: string): string =>
    imports.startsWith('.') ? join(dirname(from), imports) : imports.replace(/^node:/, '');

  test.each(FORBIDDEN)('%s: %s must not import %s', (rule, from, imports) => {
    const seen = found(rule, SEEN_FROM[rule] ?? from).map(({ to }) => to);
    const wanted = imports.includes('nowhere') ? './nowhere.ts' : target(from, imports);
    expect(seen.filter((to) => to === wanted || to.includes(`node_modules/${wanted}/`))).not.toEqual([]);
  });

  test('each has a case here', () => {
    const { forbidden } = require(CONFIG) as { readonly forbidden: readonly { readonly name: string }[] };
    expect(new Set(FORBIDDEN.map(([rule]) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)));
  });

  test('see through a file in between', () => {
    expect(found('client-without-worker', 'src/index.ts').map(({ to }) => to)).toContain(
      'src/create-worker.ts',
    );
  });

  test('count an import of types as an import', () => {
    expect(found('cli-is-a-leaf', 'src/config.ts').map(({ to }) => to)).toEqual(['src/cli/types.ts']);
  });
});

test('the sources keep every border', async () => {
  const { violations, totalCruised } = await cruise(root);
  expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  expect(totalCruised).toBeGreaterThan(100);
}, 60_000);
