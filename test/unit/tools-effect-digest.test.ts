import { describe, expect, test } from 'vitest';
import { argumentsDigest, keyDigest } from '../../src/tools/effect-digest.ts';
import { canonicalText, MAX_NESTING } from '../../src/tools/exact-json.ts';

const digest = (text: string): string => argumentsDigest('refund', text);

describe('the digest of arguments', () => {
  test('is a sha256 in hex that stays the same between releases', () => {
    expect(argumentsDigest('refund_order', '{"order_id":"1042","cents":500}')).toBe(
      '53867d508317e5cc4c34c307511b8f3113825457582286b39c3b113d0dd54de6',
    );
  });

  test.each([
    ['the order of keys', '{"a":1,"b":[true,null]}', '{ "b" : [true, null], "a" : 1 }'],
    ['the spelling of a number', '{"a":100}', '{"a":1.0e2}'],
    ['superfluous digits', '{"a":0.5}', '{"a":0.500}'],
    ['the spelling of a big number', '{"a":90071992547409930}', '{"a":9007199254740993e1}'],
    ['escapes in a text', '{"a":"é"}', '{"a":"\\u00e9"}'],
    ['a key that stands twice', '{"a":2}', '{"a":1,"a":2}'],
    ['blank text', '{}', ' \n'],
    ['the sign of zero', '{"a":0}', '{"a":-0}'],
  ])('does not change with %s', (_, one, two) => {
    expect(digest(one)).toBe(digest(two));
  });

  test.each([
    ['integers past 2^53', '{"a":9007199254740993}', '{"a":9007199254740992}'],
    ['long decimals', '{"a":0.1}', '{"a":0.10000000000000000001}'],
    ['numbers past the largest', '{"a":1e400}', '{"a":1e401}'],
    ['numbers with absurd exponents', '{"a":1e99999999999999999999}', '{"a":1e99999999999999999998}'],
    ['a big number and its text', '{"a":9007199254740993}', '{"a":"9007199254740993"}'],
    ['a big number and its mark', '{"a":9007199254740993}', '{"a":"\\u0001#9007199254740993e0"}'],
    ['lone surrogates', '{"a":"\\ud800"}', '{"a":"\\ud801"}'],
    ['a lone surrogate and its spelling', '{"a":"\\ud800"}', '{"a":"\\u0001d800"}'],
    ['lone surrogates in keys', '{"\\ud800":1}', '{"\\ud801":1}'],
    ['a number and a text', '{"a":1}', '{"a":"1"}'],
    ['null and nothing', '{"a":null}', '{}'],
    ['the order of a list', '{"a":[1,2]}', '{"a":[2,1]}'],
    ['a key named __proto__', '{"__proto__":{"a":1}}', '{}'],
    ['text that is no JSON', '{"a":1', '{"a":2'],
    ['text that is no JSON, and white space', '{"a":1', '{ "a":1'],
    ['JSON that is no object', '[]', '{}'],
  ])('tells apart %s', (_, one, two) => {
    expect(digest(one)).not.toBe(digest(two));
  });

  test('tells tools apart, and a name from what follows it', () => {
    expect(argumentsDigest('a', '{}')).not.toBe(argumentsDigest('b', '{}'));
    expect(argumentsDigest('a1', '23')).not.toBe(argumentsDigest('a', '123'));
  });

  test('takes any nesting: past the bound by the text', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(canonicalText(nested(MAX_NESTING))).toBe(nested(MAX_NESTING));
    expect(canonicalText(nested(MAX_NESTING + 1))).toBeNull();
    expect(digest(nested(200_000))).not.toBe(digest(nested(200_001)));
  });

  test('does not take brackets within a text for nesting', () => {
    const text = JSON.stringify({ a: `${'['.repeat(1000)}"\\` });
    expect(canonicalText(text)).toBe(text);
  });
});

describe('the digest of an effect key', () => {
  test('goes by its value and is no digest of arguments', () => {
    expect(keyDigest('refund', ['acme', '1'])).toBe(keyDigest('refund', ['acme', '1']));
    expect(keyDigest('refund', ['acme', '1'])).not.toBe(keyDigest('refund', ['acme', '2']));
    expect(keyDigest('refund', { a: 1 })).not.toBe(digest('{"a":1}'));
  });

  test('takes what says itself what it is as JSON', () => {
    expect(keyDigest('refund', [new Date(0)])).toBe(keyDigest('refund', ['1970-01-01T00:00:00.000Z']));
    expect(keyDigest('refund', Object.assign(Object.create(null), { a: 1 }))).toBe(
      keyDigest('refund', { a: 1 }),
    );
  });

  const broken = (): never => {
    throw new Error('broken');
  };
  const circle: unknown[] = [];
  circle.push(circle);
  test.each([
    ['undefined', undefined],
    ['undefined in a list', ['acme', undefined]],
    ['a hole in a list', Array.from({ length: 2 })],
    ['a bigint', 1n],
    ['a function', () => 1],
    ['NaN', [Number.NaN]],
    ['a circle', circle],
    // Each is `{}` as JSON, whatever it holds: all effects of the tool would be one.
    ['a promise', Promise.resolve(['acme', '1'])],
    ['a map', new Map([['order', '1']])],
    ['a set in a list', ['acme', new Set(['1'])]],
    ['a date that is none', new Date(Number.NaN)],
    ['a getter that throws', Object.defineProperty({}, 'a', { enumerable: true, get: broken })],
    ['a list longer than all memory', Object.assign([], { [2 ** 32 - 2]: 1 })],
  ])('is null for %s', (_, key) => {
    expect(keyDigest('refund', key)).toBeNull();
  });
});
