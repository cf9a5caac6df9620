/**
 * `docs/errors.md` against `src/failures.ts`, both ways. A code's section begins with its code as a heading
 * of the third level, and holds the table's message and action, its status, and whether it is benign and retryable:
 *
 *     ### `token_budget`
 *
 *     The run used up its token budget. Raise the budget, or `retry.budget_ceiling_tokens`.
 *
 *     - Status: `incomplete`
 *     - Benign: yes
 *     - Retryable: no
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FAILURES, type FailureKind } from '../../src/failures.ts';

const page = new URL('../../docs/errors.md', import.meta.url);
const CODES: readonly (readonly [string, FailureKind])[] = Object.entries(FAILURES);

/** The text under each heading that is a code. */
function readSections(text: string): ReadonlyMap<string, string> {
  const sections = text.split(/^### (?=`)/m).slice(1);
  return new Map(
    sections.map((section) => {
      const [body = ''] = section.split(/^#{1,3} /m);
      return [/^`([^`]+)`/.exec(body)?.[1] ?? '', body.slice(body.indexOf('\n') + 1)];
    }),
  );
}

/** One line, without the marks that Markdown may have in it. */
const plain = (text: string): string =>
  text
    .replaceAll(/[`*_\\]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** What a section says of a trait, in a list or a table. */
const trait = (section: string, name: string): string | undefined =>
  new RegExp(String.raw`^[-*|\s]*${name}\W+(\w+)`, 'im').exec(section.replaceAll(/[*]/g, ''))?.[1];

describe('docs/errors.md', () => {
  const sections = readSections(readFileSync(page, 'utf8'));

  test('has a section for every code, and none for a code that there is not', () => {
    expect([...sections.keys()].sort()).toEqual(CODES.map(([code]) => code).sort());
  });

  test.each(CODES)('says of %s what the table says', (code, kind) => {
    const section = sections.get(code) ?? '';
    expect(plain(section)).toContain(plain(kind.message));
    expect(plain(section)).toContain(plain(kind.action));
    expect({
      status: trait(section, 'status'),
      benign: trait(section, 'benign'),
      retryable: trait(section, 'retryable'),
    }).toEqual({
      status: kind.status,
      benign: kind.benign ? 'yes' : 'no',
      retryable: kind.retryable ? 'yes' : 'no',
    });
  });
});

test('a section is read as it is written here', () => {
  const text =
    '# Errors\n\n### `a_b`\n\nIt broke. Mend *it*.\n\n- Status: `failed`\n- **Benign**: no\n\n## More\n\nlast\n';
  const section = readSections(text).get('a_b') ?? '';
  expect(plain(section)).toContain('It broke. Mend it.');
  expect([trait(section, 'status'), trait(section, 'benign'), trait(section, 'retryable')]).toEqual([
    'failed',
    'no',
    undefined,
  ]);
  expect(section).not.toContain('last');
});
