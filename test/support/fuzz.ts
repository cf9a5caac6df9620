/** How the tests in `test/fuzz` are run, and what every face keeps whatever it is given. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

/** The same values each time, so that a failure is one for everybody; `DROVER_TEST_FUZZ_SEED` looks elsewhere. */
const SEED = number('DROVER_TEST_FUZZ_SEED', 20_261_127);
/** A longer search: `DROVER_TEST_FUZZ_FACTOR=50`. */
const FACTOR = number('DROVER_TEST_FUZZ_FACTOR', 1);

/** What a text may grow to that is told to somebody. */
const TOLD_CHARS = 20_000;

/** What a failing property shows of its value, and of what broke it. */
const SHOWN_CHARS = 2_000;

/**
 * Tries a property `runs` times.
 *
 * @returns null where it holds; else the smallest values found that break it, and how
 */
export async function fuzz(property: fc.IRawProperty<unknown>, runs = 200): Promise<string | null> {
  const before = prototypes();
  const { failed, numRuns, counterexample, counterexamplePath, errorInstance } = await fc.check(property, {
    seed: SEED,
    numRuns: Math.ceil(runs * FACTOR),
  });
  assert.deepEqual(prototypes(), before);
  if (!failed) return null;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  const shown = fc.stringify(counterexample).slice(0, SHOWN_CHARS);
  return `after ${numRuns} values (seed ${SEED}, path ${counterexamplePath}): ${shown}\n${why?.slice(0, SHOWN_CHARS)}`;
}

const names = (value: object): readonly string[] => Reflect.ownKeys(value).map(String);

/** What everything inherits from: nothing that is read may add to it. */
function prototypes(): readonly (readonly string[])[] {
  return [Object.prototype, Array.prototype, Function.prototype, String.prototype].map(names);
}

/** A text for people: no stack, no megabytes, no half characters. */
export function expectTold(text: string): void {
  assert.ok(text.length < TOLD_CHARS);
  assert.doesNotMatch(text, /^\s+at .+:\d+/m);
  assert.equal(text.isWellFormed(), true);
}

/** Mistakes that somebody is to mend: each says where and what. */
export function expectIssues(issues: readonly { readonly field: string; readonly message: string }[]): void {
  assert.ok(issues.length > 0);
  for (const { field, message } of issues) {
    assert.equal(typeof field, 'string');
    assert.notEqual(message, '');
    expectTold(field);
    expectTold(message);
  }
}
