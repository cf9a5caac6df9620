import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findConfigFile, loadConfigFile } from '../../src/config-file.ts';

const assistants = fileURLToPath(new URL('../../src/backends/assistants.ts', import.meta.url));
const good = `import { assistants } from '${assistants}';
const name: string = 'queue-of-the-file';
export default { taskQueue: name, backends: { local: assistants({ baseURL: 'http://127.0.0.1:1/v1' }) } };
`;

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-config-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const write = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

describe('findConfigFile', () => {
  test('looks for .ts, then .js, then .mjs', async () => {
    const mjs = await write('drover.config.mjs', '');
    expect(findConfigFile({ cwd: folder })).toBe(mjs);
    const js = await write('drover.config.js', '');
    expect(findConfigFile({ cwd: folder })).toBe(js);
    const ts = await write('drover.config.ts', '');
    expect(findConfigFile({ cwd: folder })).toBe(ts);
  });

  test('takes a path that was given, relative to the folder, and no other', async () => {
    await write('drover.config.ts', '');
    const other = await write('other.ts', '');
    expect(findConfigFile({ cwd: folder, path: 'other.ts' })).toBe(other);
    expect(() => findConfigFile({ cwd: folder, path: 'gone.ts' })).toThrow(
      /gone\.ts has one mistake:\n.*no such file/,
    );
  });

  test('says where it looked and what to do where there is none', () => {
    expect(() => findConfigFile({ cwd: folder })).toThrow(folder);
    expect(() => findConfigFile({ cwd: folder })).toThrow(/export default defineConfig/);
  });
});

describe('loadConfigFile', () => {
  test('loads TypeScript', async () => {
    const path = await write('drover.config.ts', good);
    const file = await loadConfigFile({ cwd: folder });
    expect(file.path).toBe(path);
    expect(file.config.taskQueue).toBe('queue-of-the-file');
  });

  test.each([
    ['no default export', 'export const config = {};', /has no default export/],
    ['a default export that is a function', 'export default () => ({});', /default export is a function/],
    [
      'a mistake in the configuration',
      'export default { taskQueue: 7, backends: {} };',
      /taskQueue[^]*backends/,
    ],
    [
      'an error while it loads',
      'throw new Error("no key in the vault");',
      /while it was loaded \(Error: no key in the vault\)/,
    ],
    [
      'an import that is not there',
      'import "./gone.ts"; export default {};',
      /imports something that is not there/,
    ],
  ])('names the file and says what is wrong: %s', async (_case, text, message) => {
    const path = await write('drover.config.ts', text);
    await expect(loadConfigFile({ cwd: folder })).rejects.toThrow(message);
    await expect(loadConfigFile({ cwd: folder })).rejects.toThrow(path);
  });
});
