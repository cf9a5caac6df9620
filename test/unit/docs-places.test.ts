/** No file of this repository names a place on somebody's machine, or the registry that somebody uses. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const LEFT_OUT = ['.git', 'node_modules', 'dist', 'coverage', '.drover', '__pycache__'];

/** Written in two parts, so that this file names none of them. */
const PLACES = ['work', 'home', 'root', 'tmp', 'Users', 'private'].map(
  (folder) => `(?<![\\w.~$}-])/${folder}/`,
);
const REGISTRIES = String.raw`https?://(?:registry\.|[\w.-]*(?:artifact|mirror|nexus|proxy)[\w.-]*[/:])`;
const NAMED = new RegExp([...PLACES, REGISTRIES].join('|'));

function files(): readonly string[] {
  const inside = (path: string): boolean => !LEFT_OUT.some((folder) => path.split(/[\\/]/).includes(folder));
  return globSync('**/*', { cwd: root, exclude: (path) => LEFT_OUT.includes(path) })
    .concat(globSync('.*', { cwd: root }), globSync('.ci/*', { cwd: root }))
    .filter((path) => inside(path) && statSync(join(root, path)).isFile());
}

/** The text and, in a recorded history, what its payloads say. */
function textsOf(path: string): readonly string[] {
  const text = readFileSync(join(root, path), 'utf8');
  if (!path.includes('histories')) return [text];
  const encoded = [...text.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map((found) => found[1] ?? '');
  return [text, ...encoded.map((data) => Buffer.from(data, 'base64').toString())];
}

test('no file names a place on a machine or a registry', () => {
  const paths = files();
  expect(paths).toContain('package.json');
  expect(paths).toContain('package-lock.json');
  const host = hostname();
  const names = (text: string): boolean =>
    NAMED.test(text) || text.includes(root) || (host.length > 9 && text.includes(host));
  expect(paths.filter((path) => textsOf(path).some(names))).toEqual([]);
});

test.each([
  ['/', 'work/main/x.ts', true],
  ['/', 'home/me/x.ts', true],
  ['file:///', 'root/x', true],
  ['https://registry', '.example.org/drover', true],
  ['https://npm-mirror', '.example.org/drover', true],
  ['src/', 'work/x.ts', false],
  ['$HOME/', 'tmp/x', false],
  ['https://example.org/', 'registry', false],
])('%s%s: %s', (start, end, named) => {
  expect(NAMED.test(start + end)).toBe(named);
});
