/** The package as it is published: packed, installed into an empty project, compiled against and run there. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ProvidedTemporal } from '../support/global-setup.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** The Node that runs this test, and nothing of the npm script around it. */
function cleanEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|INIT_CWD|DROVER_|TEMPORAL_|VITEST|NODE_ENV|NODE_OPTIONS)/i.test(name),
  );
  const outside = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((part) => !part.endsWith(join('node_modules', '.bin')));
  return {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    PATH: [dirname(process.execPath), ...outside].join(delimiter),
  };
}

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function inFolder(
  cwd: string,
  [file, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const options = { cwd, env: { ...cleanEnv(), ...env }, maxBuffer: 64 * 1024 * 1024 };
  return await run(file, args, options).then(
    (ended) => ({ code: 0, ...ended }),
    (
      failed: Error & { readonly code?: number | string; readonly stdout?: string; readonly stderr?: string },
    ) => ({
      code: typeof failed.code === 'number' ? failed.code : -1,
      stdout: failed.stdout ?? '',
      stderr: failed.stderr ?? failed.message,
    }),
  );
}

/** A service, its tools and its worker, by every door of the package. */
const TYPED = `
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { defineConfig, defineTool, isRunEndedError, RunClient, SEARCH_ATTRIBUTES } from 'drover';
import type { RunRequest, RunResult } from 'drover';
import { assistants, responses } from 'drover/backends';
import { startEmulator } from 'drover/emulator';
import { createWorker, droverPlugin, loadConfig } from 'drover/worker';
import { executeRun } from 'drover/workflow';

const getOrder = defineTool({
  name: 'get_order',
  description: 'Reads an order.',
  parameters: z.object({ order_id: z.string() }),
  effect: 'none',
  execute: async ({ order_id }, { signal }) => ({ order_id, stopped: signal.aborted }),
});
export const config = defineConfig({
  backends: { new: responses({ apiKey: 'key' }), old: assistants({ apiKey: 'key' }) },
  tools: [getOrder],
});
const request: RunRequest = { assistant_id: 'support', input: 'Hi', metadata: { ticket: '77' } };
// @ts-expect-error There is no such field.
export const wrong: RunRequest = { assistant_id: 'support', inputs: 'Hi' };
// @ts-expect-error A key of an attribute is not just anything.
export const key: number = SEARCH_ATTRIBUTES.status;

export async function main(): Promise<RunResult | null> {
  const client = new Client({ connection: await Connection.connect() });
  const runs = new RunClient({ client, taskQueue: 'drover' });
  try {
    const run = await runs.start(request, { id: 'ticket-77' });
    const { output_text } = await run.result();
    // @ts-expect-error It is text.
    const size: number = output_text;
    return size > 0 ? await runs.execute(request, { id: 'ticket-78' }) : null;
  } catch (error) {
    if (isRunEndedError(error)) return error.result;
    throw error;
  }
}
export { createWorker, droverPlugin, executeRun, loadConfig, startEmulator };
`;

/** Prints every file that the client's door has loaded, ES modules and CommonJS. */
const LOADED = `
import { createRequire, registerHooks } from 'node:module';
const loaded = new Set();
registerHooks({ load: (url, context, next) => { loaded.add(url); return next(url, context); } });
const { RunClient } = await import('drover');
if (typeof RunClient !== 'function') throw new Error('no client');
for (const path of Object.keys(createRequire(import.meta.url).cache)) loaded.add(path);
process.stdout.write(JSON.stringify([...loaded]));
`;

/** Drives one run: emulator, worker and client, all by the package's doors. */
const DRIVEN = `
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { defineConfig, defineTool, RunClient } from 'drover';
import { responses } from 'drover/backends';
import { startEmulator } from 'drover/emulator';
import { createWorker, loadConfig } from 'drover/worker';
import { z } from 'zod';

const [address, namespace, taskQueue] = process.argv.slice(2);
const call = { name: 'get_order', arguments: { order_id: '7' } };
const emulator = await startEmulator({
  scripts: { bot: { attempts: [{ steps: [{ call: [call] }, { answer: '{{outputs}}' }] }] } },
});
const getOrder = defineTool({
  name: 'get_order', description: 'Reads an order.', parameters: z.object({ order_id: z.string() }),
  effect: 'none', execute: async ({ order_id }) => 'order ' + order_id,
});
const config = loadConfig(defineConfig({
  taskQueue,
  backends: { local: responses({ baseURL: emulator.url, apiKey: 'test' }) },
  assistants: { bot: { model: 'bot', tools: ['get_order'] } },
  tools: [getOrder],
}));
const worker = await createWorker({ config, namespace, connection: await NativeConnection.connect({ address }) });
const client = new Client({ connection: await Connection.connect({ address }), namespace });
const runs = new RunClient({ client, taskQueue });
const result = await worker.runUntil(runs.execute({ assistant_id: 'bot', input: 'Hi' }, { id: taskQueue }));
await emulator.close();
console.log('answer: ' + result.output_text);
process.exit(0);
`;

describe('the package, installed into an empty project', () => {
  let folder: string;
  let project: string;
  let manifest: Manifest;
  let packed: readonly { readonly path: string }[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-package-'));
    project = join(folder, 'project');
    const checkout = join(folder, 'checkout');
    await mkdir(checkout);
    manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
    // A copy: what is packed is built, and others may use the build of this checkout meanwhile.
    const parts = ['src', 'scripts', 'types', 'docs', 'worker.ts', 'tsconfig.json', 'tsconfig.build.json'];
    for (const part of ['package.json', ...parts]) {
      await cp(join(root, part), join(checkout, part), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
    const made = await inFolder(checkout, ['npm', 'pack', '--json']);
    if (made.code !== 0) throw new Error(`npm pack failed:\n${made.stderr}`);
    const told = JSON.parse(made.stdout.slice(made.stdout.indexOf('[\n'))) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    packed = told[0].files;

    await mkdir(project);
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', type: 'module' }));
    const install = ['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund'] as const;
    const installed = await inFolder(project, [...install, join(checkout, told[0].filename)]);
    if (installed.code !== 0) throw new Error(`npm install failed:\n${installed.stderr}`);
  }, 300_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('holds what was built and is promised, and no sources', () => {
    const paths = packed.map(({ path }) => path);
    expect(paths.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))).toEqual([]);
    const top = new Set(paths.map((path) => path.split('/')[0]));
    for (const allowed of ['dist', 'docs', 'package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
      top.delete(allowed);
    }
    expect([...top]).toEqual([]);
    const doors = Object.values(manifest.exports).flatMap((door) =>
      typeof door === 'string' ? [] : Object.values(door),
    );
    expect(doors.length).toBeGreaterThan(8);
    for (const door of doors) expect(paths).toContain(door.replace('./', ''));
    expect(paths.filter((path) => /workflow-bundle-.*\.cjs$/.test(path))).toHaveLength(1);
  });

  test('names no place on the machine that built it', async () => {
    const named: string[] = [];
    for (const { path } of packed) {
      const text = await readFile(join(project, 'node_modules', 'drover', path), 'utf8');
      const maps = [...text.matchAll(/base64,([A-Za-z0-9+/=]{100,})/g)];
      const decoded = maps.map((map) => Buffer.from(map[1] ?? '', 'base64').toString());
      // The packages that were linked into the copy are bundled by their way from there.
      const places =
        decoded.some((map) => map.includes(root)) || [text, ...decoded].some((part) => part.includes(folder));
      if (places) named.push(path);
    }
    expect(named).toEqual([]);
  });

  describe.each(['nodenext', 'bundler'])('its types, resolved as by %s', (resolution) => {
    const compile = async (...flags: string[]): Promise<Ran> => {
      await writeFile(join(project, 'service.ts'), TYPED);
      const tsc = join(root, 'node_modules', '.bin', 'tsc');
      const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
      const language = ['--target', 'es2023', '--lib', 'es2024,esnext.disposable', '--verbatimModuleSyntax'];
      const module = ['--module', resolution === 'bundler' ? 'esnext' : resolution];
      const how = [
        '--ignoreConfig',
        '--noEmit',
        '--types',
        'node',
        '--moduleResolution',
        resolution,
        ...module,
      ];
      return await inFolder(project, [tsc, ...how, ...strict, ...language, ...flags, 'service.ts']);
    };

    test('compile with strict settings, and are not any', async () => {
      expect(await compile('--skipLibCheck')).toMatchObject({ code: 0, stdout: '' });
    });

    test('have no mistake of their own where libraries are checked too', async () => {
      const { stdout } = await compile('--skipLibCheck', 'false');
      // Temporal's own declarations have some.
      expect(stdout.split('\n').filter((line) => /node_modules[\\/]drover|^service/.test(line))).toEqual([]);
    });
  });

  test('its client loads neither the native worker nor a provider SDK', async () => {
    await writeFile(join(project, 'loaded.js'), LOADED);
    const { stdout, stderr } = await inFolder(project, ['node', 'loaded.js']);
    expect(stderr).toBe('');
    const files = JSON.parse(stdout) as readonly string[];
    expect(files.some((file) => file.includes('node_modules/@temporalio/client/'))).toBe(true);
    const heavy =
      /\.node$|node_modules\/(?:@temporalio\/(?:worker|core-bridge|activity)|openai|fastify|webpack)\//;
    expect(files.filter((file) => heavy.test(file))).toEqual([]);
  });

  test('has the command drover', async () => {
    const { code, stdout } = await inFolder(project, ['npx', '--no-install', 'drover', '--version']);
    expect(code).toBe(0);
    expect(stdout.trim()).toBe(manifest.version);
  });

  test('drives a run there, by its emulator, its worker and its client', async () => {
    await writeFile(join(project, 'driven.js'), DRIVEN);
    const { address, namespace }: ProvidedTemporal = inject('temporal');
    const taskQueue = `package-${process.pid}-${Date.now()}`;
    const { stdout, stderr, code } = await inFolder(project, [
      'node',
      'driven.js',
      address,
      namespace,
      taskQueue,
    ]);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: 'answer: order 7\n' });
  });
});
