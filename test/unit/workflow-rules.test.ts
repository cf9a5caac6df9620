/** Rules of the workflow's sources that no type can hold. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../../src/workflows/', import.meta.url));

/** Files in which the name stands. */
const users = (name: string): readonly string[] =>
  globSync('*.ts', { cwd: folder })
    .filter((file) =>
      new RegExp(String.raw`\b${name}\(|\b${name}<`).test(readFileSync(join(folder, file), 'utf8')),
    )
    .toSorted();

test('local activities go by `localStep` only', () => {
  expect(users('scheduleLocalActivity')).toEqual(['local-step.ts']);
});

test('conditions go by `until`, where a workflow has local activities', () => {
  // A thread's queue has none.
  expect(users('condition')).toEqual(['give-turns.ts', 'quiet.ts']);
  expect(readFileSync(join(folder, 'give-turns.ts'), 'utf8')).not.toContain('localStep');
});

test('no module has a variable, as all workflows of a worker share it', () => {
  const vocabulary = ['contract', 'decisions', 'failures', 'limits', 'search-attributes', 'steps', 'turns'];
  const files = [...globSync('*.ts', { cwd: folder }), ...vocabulary.map((name) => join('..', `${name}.ts`))];
  const holding = files.filter((file) => {
    const source = readFileSync(join(folder, file), 'utf8');
    return /^(?:export )?(?:let|var) |^(?:export )?const \w+(?:: [^=]+)? = (?:new (?:Weak)?Map\b|\[\];)/m.test(
      source,
    );
  });
  expect(files.length).toBeGreaterThan(30);
  expect(holding).toEqual([]);
});
