/**
 * Code in the pages: each block of TypeScript equals a file of `examples/`, which is compiled and linted. A comment
 * before the block names the file; who has installed the package imports it by its name:
 *
 *     <!-- examples/docs/tools.ts -->
 *
 *     ```ts
 *     import { defineTool } from 'drover';
 *     ```
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import smallConfig from '../../examples/docs/drover.config.ts';
import { EncryptionCodec } from '../../examples/docs/encryption-codec.ts';
import fullConfig from '../../examples/docs/full.config.ts';
import streamingConfig from '../../examples/docs/streaming.config.ts';
import webhooksConfig from '../../examples/docs/webhooks.config.ts';
import { loadConfig } from '../../src/load-config.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];

interface Block {
  readonly page: string;
  /** Null where no comment names one. */
  readonly file: string | null;
  readonly text: string;
}

const BLOCK =
  /(?:^<!-- (examples\/\S+) -->\n\n?)?^```(?:ts|typescript|js|javascript)\b[^\n]*\n([\s\S]*?)^```$/gm;

const blocksOf = (page: string, text: string): readonly Block[] =>
  [...text.matchAll(BLOCK)].map(([, file, code]) => ({ page, file: file ?? null, text: code ?? '' }));

/** A file as somebody writes it who has installed the package. */
function asInstalled(source: string): string {
  return source
    .replaceAll(/'(?:\.\.\/)+src\/index\.ts'/g, "'drover'")
    .replaceAll(/'(?:\.\.\/)+src\/(backends|emulator|mcp|worker|workflow)(?:\/index)?\.ts'/g, "'drover/$1'");
}

const blocks = pages.flatMap((page) => blocksOf(page, readFileSync(join(root, page), 'utf8')));

describe('code in the pages', () => {
  test('is there', () => {
    expect(blocks.length).toBeGreaterThan(3);
  });

  test.each(blocks.map((block): [string, string | null, Block] => [block.page, block.file, block]))(
    '%s: %s',
    (_page, file, block) => {
      expect(file, `a comment names its file:\n${block.text}`).not.toBeNull();
      const path = join(root, file ?? '');
      expect(existsSync(path)).toBe(true);
      expect(block.text).toBe(asInstalled(readFileSync(path, 'utf8')));
    },
  );

  test('in README is a tool, a worker and a service in under 40 lines', () => {
    const lines = blocks
      .filter(({ page }) => page === 'README.md')
      .flatMap(({ text }) => text.trimEnd().split('\n'));
    expect(lines.length).toBeLessThan(40);
  });
});

test('a block is found with the file that it is, and one that names none is found too', () => {
  const text =
    "# A\n\n<!-- examples/a.ts -->\n\n```ts\nimport 'drover';\n```\n\n```bash\nls\n```\n\n```ts\nb();\n```\n";
  expect(blocksOf('a.md', text)).toEqual([
    { page: 'a.md', file: 'examples/a.ts', text: "import 'drover';\n" },
    { page: 'a.md', file: null, text: 'b();\n' },
  ]);
  expect(
    asInstalled("import a from '../../src/index.ts';\nimport b from '../src/emulator/index.ts';\n"),
  ).toBe("import a from 'drover';\nimport b from 'drover/emulator';\n");
});

describe('the configurations that the pages show', () => {
  test('pass every check of a worker', () => {
    expect([...loadConfig(smallConfig).backends.keys()]).toEqual(['openai']);
    expect([...loadConfig(fullConfig).backends.keys()]).toEqual(['openai', 'foundry', 'local', 'classic']);
    expect(loadConfig(webhooksConfig).backends.get('openai')).toHaveProperty('webhooks');
    expect(loadConfig(streamingConfig).backends.get('openai')).toHaveProperty('listen');
  });

  test('have a codec that hides what it is given, and gives it back', async () => {
    const codec = new EncryptionCodec(Buffer.alloc(32, 7));
    const given = defaultPayloadConverter.toPayload({ input: 'a marked prompt' });
    const [hidden] = await codec.encode([given]);
    expect(Buffer.from(hidden?.data ?? []).toString()).not.toContain('marked prompt');
    const [back] = await codec.decode(hidden === undefined ? [] : [hidden]);
    expect(back && defaultPayloadConverter.fromPayload(back)).toEqual({ input: 'a marked prompt' });
  });

  test('have a codec that passes on what it did not write', async () => {
    const plain = defaultPayloadConverter.toPayload('from before it was switched on');
    expect(await new EncryptionCodec(Buffer.alloc(32)).decode([plain])).toEqual([plain]);
  });
});
