/** Every page of Markdown: its links resolve, the commands that it names are there, and it is no longer than it may be. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = globSync('**/*.md', {
  cwd: root,
  exclude: ['node_modules/**', 'dist/**', '**/node_modules/**'],
});
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

const PAGES = [
  'README.md',
  'AGENTS.md',
  'CHANGELOG.md',
  'docs/architecture.md',
  'docs/errors.md',
  'docs/operations.md',
  'docs/security.md',
];
const MOST_LINES: Readonly<Record<string, number>> = { 'README.md': 150, 'AGENTS.md': 130 };

const withoutCode = (text: string): string =>
  text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** Targets of links and pictures, in both of Markdown's forms. */
function linksOf(text: string): readonly string[] {
  const prose = withoutCode(text);
  const inline = [...prose.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const named = [...prose.matchAll(/^\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...named].map((found) => found[1] ?? '');
}

/** Names that GitHub gives to the headings of a page. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = text.replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6} (.+)$/gm);
  const seen = new Map<string, number>();
  return new Set(
    [...headings].map((heading) => {
      const name = (heading[1] ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-');
      const before = seen.get(name) ?? 0;
      seen.set(name, before + 1);
      return before === 0 ? name : `${name}-${before}`;
    }),
  );
}

function brokenLinks(page: string, text: string): readonly string[] {
  return linksOf(text).filter((link) => {
    if (/^[a-z][a-z+.-]*:/i.test(link)) return false;
    const [path = '', anchor] = decodeURI(link).split('#');
    const target = path === '' ? join(root, page) : join(root, dirname(page), path);
    if (relative(root, target).startsWith('..') || !existsSync(target)) return true;
    return (
      anchor !== undefined && target.endsWith('.md') && !anchorsOf(readFileSync(target, 'utf8')).has(anchor)
    );
  });
}

/** Scripts of package.json that a text tells to run. */
const scriptsOf = (text: string): readonly string[] =>
  [...text.matchAll(/\bnpm (?:run(?: --silent| -s)? ([\w:-]+)|(test|start)\b)/g)].map(
    (found) => found[1] ?? found[2] ?? '',
  );

describe('the pages', () => {
  test.each(pages.map((page) => [page]))('%s: every relative link resolves', (page) => {
    expect(brokenLinks(page, read(page))).toEqual([]);
  });

  test.each(pages.map((page) => [page]))('%s: every npm script that it names exists', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    expect(scriptsOf(read(page)).filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test.each(Object.entries(MOST_LINES))('%s has at most %i lines', (page, most) => {
    expect(read(page).trimEnd().split('\n').length).toBeLessThanOrEqual(most);
  });
});

test('every page that the house promises is there', () => {
  expect(PAGES.filter((page) => !existsSync(join(root, page)))).toEqual([]);
});

describe('reading a page', () => {
  test('finds the links that lead nowhere, and only those', () => {
    const text = [
      '[good](package.json) ![gone](pictures/none.png) [site](https://example.com/x) [here](#a-heading-here)',
      '# A `heading`, here',
      '[up](../outside.md) [by name][n]',
      '[n]: no-such-page.md',
      '`[code](not-a-link.md)`',
      '```\n[code](nor-this.md)\n```',
    ].join('\n\n');
    expect(linksOf(text)).toEqual([
      'package.json',
      'pictures/none.png',
      'https://example.com/x',
      '#a-heading-here',
      '../outside.md',
      'no-such-page.md',
    ]);
    expect(brokenLinks('package.json', text)).toEqual([
      'pictures/none.png',
      '../outside.md',
      'no-such-page.md',
    ]);
    expect([...anchorsOf(text)]).toEqual(['a-heading-here']);
  });

  test('finds the scripts that it names', () => {
    expect(scriptsOf('`npm ci && npm run demo`, npm run test:unit -- x, npm test; npm install')).toEqual([
      'demo',
      'test:unit',
      'test',
    ]);
  });
});
