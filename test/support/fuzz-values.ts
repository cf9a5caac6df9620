/** Values that no sensible caller would pass, and valid ones with such a value somewhere in them. */
import * as fc from 'fast-check';

/** Past Temporal's warnings, and larger than any id, name or message ought to be. */
const MEGABYTE = 1_048_576;

/** Keys that objects have by birth, that code trips over, or that are no text to speak of. */
const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'hasOwnProperty',
  'length',
  'id',
  'type',
  'name',
  'secret',
  '$ref',
  '',
  '0',
  '-1',
  ' ',
  'a.b',
  '\u0000',
  '\ud800',
  '\udc00x',
  '💥',
  'k'.repeat(300),
] as const;

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\u001b[31mred',
  'two\nlines\r\n    at Object.<anonymous> (/srv/app.js:1:1)',
  '\ud800',
  'half \udc00 a pair',
  '\ufeff{}',
  '\u202eevil',
  '__proto__',
  '../../etc/passwd',
  'a/b?c=d#e',
  '%',
  '%00',
  '{{outputs}}',
  '${x}',
  'NaN',
  '1e999',
  'x'.repeat(MEGABYTE),
  '💥'.repeat(1_000),
  ':'.repeat(50_000),
  '0'.repeat(50_000),
  `a://${':'.repeat(50_000)}`,
  'eyJ'.repeat(20_000),
  'sk-'.repeat(20_000),
  '"'.repeat(5_000),
] as const;

const NUMBERS = [
  0,
  -0,
  -1,
  0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53 + 2,
  -(2 ** 60),
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  2 ** 31,
  2 ** 32,
  1e21,
] as const;

/** An object with own properties of any name: by assignment, `__proto__` would be none. */
export function objectOf(entries: Iterable<readonly [string, unknown]>): object {
  const made = {};
  for (const [key, value] of entries) {
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

function nested(depth: number, list: boolean): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = list ? [value] : { a: value };
  return value;
}

/** Few objects, but without end for whoever copies what they share. */
function shared(depth: number): unknown {
  let value: unknown = ['x'];
  for (let level = 0; level < depth; level++) value = { a: value, b: value };
  return value;
}

function cyclic(): unknown {
  const value: Record<string, unknown> = { list: [] };
  value['self'] = value;
  (value['list'] as unknown[]).push(value);
  return value;
}

class Named {
  readonly held = 1;
}

const throws = (): never => {
  throw new Error('thrown by the value');
};

/** No JSON, or more of it than can be carried. */
const ODD = {
  undefined: () => undefined,
  bigint: () => 10n ** 30n,
  symbol: () => Symbol('odd'),
  function: () => () => 'called',
  throws: () => throws,
  class: () => Named,
  date: () => new Date(0),
  invalidDate: () => new Date(Number.NaN),
  pattern: () => /x/,
  map: () => new Map([['a', 1]]),
  set: () => new Set([1]),
  bytes: () => new Uint8Array(8),
  promise: () => Promise.resolve(1),
  instance: () => new Named(),
  error: () => new Error('an error as a value'),
  boxed: () => Object('boxed') as unknown,
  bare: () => Object.create(null) as unknown,
  frozen: () => Object.freeze({ a: Object.freeze([1]) }),
  proto: () => objectOf([['__proto__', { polluted: true }]]),
  constructorKey: () => ({ constructor: { prototype: { polluted: true } } }),
  toJsonThrows: () => ({ toJSON: throws }),
  toStringThrows: () => ({ toString: throws, valueOf: throws }),
  toStringNumber: () => ({ toString: 1, valueOf: 1 }),
  thenThrows: () => objectOf([['then', throws]]),
  getterThrows: () => Object.defineProperty({}, 'a', { enumerable: true, get: throws }),
  proxyThrows: () => new Proxy({}, { ownKeys: throws, get: throws, has: throws, getPrototypeOf: throws }),
  proxyRevoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  throwsBare: () => () => {
    // What is thrown need not be an error, nor have a name.
    throw Object.create(null);
  },
  holes: () => Object.assign([], { length: 3 }),
  extraKey: () => Object.assign([1], { extra: 2 }),
  sparse: () => Object.assign([], { [2 ** 32 - 2]: 1 }),
  cyclic,
  deep: () => nested(100, false),
  deepList: () => nested(20_000, true),
  deepObject: () => nested(20_000, false),
  shared: () => shared(12),
  sharedWithoutEnd: () => shared(64),
  longList: () => Array.from({ length: 10_000 }, (_, index) => index),
} as const satisfies Record<string, () => unknown>;

const ODD_NAMES = Object.keys(ODD) as readonly (keyof typeof ODD)[];

/** Stands for an odd value until the test has it: the testing library itself would trip over some. */
class Odd {
  readonly odd: keyof typeof ODD;

  constructor(odd: keyof typeof ODD) {
    this.odd = odd;
  }

  toString(): string {
    return `<${this.odd}>`;
  }
}

/** The value itself; each time anew, since some change when they are read. */
export function realise(value: unknown): unknown {
  if (value instanceof Odd) return ODD[value.odd]();
  if (!isPlain(value)) return value;
  if (Array.isArray(value)) return value.map(realise);
  return objectOf(Object.entries(value).map(([name, held]) => [name, realise(held)]));
}

const text = fc.oneof(
  { arbitrary: fc.constantFrom(...TEXTS), weight: 3 },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
);
const key = fc.oneof({ arbitrary: fc.constantFrom<string>(...KEYS), weight: 3 }, fc.string({ maxLength: 8 }));
const numeral = fc.oneof(fc.constantFrom(...NUMBERS), fc.double(), fc.integer());
const plainLeaf = fc.oneof(text, numeral, fc.boolean(), fc.constant(null));

const tree = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map(objectOf),
    ),
  })).value;

/** Anything that code can pass, to be taken through {@link realise}. */
export const anyValue: fc.Arbitrary<unknown> = tree(
  fc.oneof(
    { arbitrary: plainLeaf, weight: 2 },
    fc.constantFrom(...ODD_NAMES).map((odd) => new Odd(odd)),
  ),
);

/** Stands in a JSON text for more brackets than a recursive writer could write. */
const DEEP = '@deep@';
const DEEP_JSON = `${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`;

/** Values that only somebody who means harm would build. */
const MALICIOUS: readonly string[] = ['sparse', 'sharedWithoutEnd', 'proxyThrows', 'proxyRevoked'];

/** Anything that code can hold by mistake: for what the deployment's own code says. */
export const anyMistake: fc.Arbitrary<unknown> = tree(
  fc.oneof(
    { arbitrary: plainLeaf, weight: 2 },
    fc.constantFrom(...ODD_NAMES.filter((odd) => !MALICIOUS.includes(odd))).map((odd) => new Odd(odd)),
  ),
);

/** Any JSON, hostile in whatever JSON can say; write it by {@link jsonText}. */
export const anyJson: fc.Arbitrary<unknown> = tree(
  fc.oneof(
    { arbitrary: plainLeaf, weight: 5 },
    fc.constant(DEEP),
    fc.constantFrom(
      { toString: 1, valueOf: 1 },
      { toJSON: 1 },
      objectOf([['__proto__', { polluted: true }]]),
    ),
  ),
);

/** The text of a value of {@link anyJson}. */
export const jsonText = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replaceAll(`"${DEEP}"`, DEEP_JSON);

export const anyText = text;
export const anyKey = key;

type Path = readonly (string | number)[];

const isPlain = (value: unknown): value is Record<string | number, unknown> =>
  Array.isArray(value) ||
  (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (!isPlain(value)) return [path];
  const steps = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [path, ...[...steps].flatMap((step) => pathsOf(value[step], [...path, step]))];
}

type Change = (held: unknown) => unknown;

function changeAt(value: unknown, path: Path, change: Change): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (!isPlain(value)) return value;
  const changed = changeAt(value[step], rest, change);
  if (Array.isArray(value)) return value.map((held: unknown, index) => (index === step ? changed : held));
  return objectOf(Object.entries(value).map(([name, held]) => [name, name === step ? changed : held]));
}

const withEntry =
  (name: string, added: unknown): Change =>
  (held) =>
    isPlain(held) && !Array.isArray(held) ? objectOf([...Object.entries(held), [name, added]]) : added;

const without: Change = (held) => {
  if (!isPlain(held)) return undefined;
  return Array.isArray(held) ? [] : objectOf(Object.entries(held).slice(1));
};

/** Megabytes a thousand times are more than the test itself can hold. */
const mostOf = (value: unknown): number => ((JSON.stringify(value) ?? '').length > 10_000 ? 8 : 2_000);

const multiply =
  (count: number): Change =>
  (held) => {
    if (!Array.isArray(held)) return held;
    const [first] = held as readonly unknown[];
    return Array.from({ length: Math.min(count, mostOf(first)) }, () => first);
  };

/** `valid` with one to three of its parts replaced, added to, taken out, wrapped or multiplied. */
export function mutated(valid: unknown, hostile: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const change = fc.oneof(
    {
      arbitrary: hostile.map(
        (value): Change =>
          () =>
            value,
      ),
      weight: 4,
    },
    { arbitrary: fc.tuple(key, hostile).map(([name, value]) => withEntry(name, value)), weight: 2 },
    fc.constant<Change>(without),
    fc.constant<Change>((held) => [held]),
    fc.nat({ max: 2_000 }).map(multiply),
  );
  const changes = fc.array(fc.tuple(fc.constantFrom(...pathsOf(valid)), change), {
    minLength: 1,
    maxLength: 3,
  });
  return changes.map((made) => made.reduce((value, [path, apply]) => changeAt(value, path, apply), valid));
}
