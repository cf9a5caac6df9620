import { expect, test } from 'vitest';
import { nameOf } from '../../src/emulator/exchange.ts';
import { checkFault, FaultError, Faults } from '../../src/emulator/faults.ts';
import type { Fault } from '../../src/emulator/faults.ts';

const subject = {
  method: 'POST',
  path: '/v1/threads/t/runs',
  wire: 'assistants',
  model: 'm',
  stream: false,
} as const;
const armed = (random: () => number, ...faults: readonly Fault[]): Faults => {
  const held = new Faults(random);
  for (const fault of faults) held.add(fault);
  return held;
};
const strikes = (faults: Faults, times: number): readonly boolean[] =>
  Array.from({ length: times }, () => faults.strike(subject).action !== null);

test.each([
  ['nothing', {}, true],
  ['the method in small letters', { method: 'post' }, true],
  ['another method', { method: 'GET' }, false],
  ['a part of the path', { path: '/runs' }, true],
  ['a pattern of the path', { path: '/threads\\/[^/]+\\/runs$/' }, true],
  ['a pattern that does not fit', { path: '/runs\\/x$/' }, false],
  ['the wire', { wire: 'assistants' }, true],
  ['the other wire', { wire: 'responses' }, false],
  ['the model', { model: 'm' }, true],
  ['another model', { model: 'n' }, false],
] as const)('a fault that asks for %s strikes: %s %s', (_what, match, hits) => {
  const faults = armed(() => 0, { match, do: { busy: true } });
  expect(strikes(faults, 1)).toEqual([hits]);
});

test('strikes only so many times', () => {
  expect(
    strikes(
      armed(() => 0, { match: {}, times: 2, do: { busy: true } }),
      4,
    ),
  ).toEqual([true, true, false, false]);
});

test('strikes only the nth request that fits', () => {
  expect(
    strikes(
      armed(() => 0, { match: { nth: 3 }, do: { busy: true } }),
      4,
    ),
  ).toEqual([false, false, true, false]);
});

test('strikes by chance, and a miss uses nothing up', () => {
  const rolls = [0.9, 0.1, 0.9, 0.1];
  const faults = armed(() => rolls.shift() ?? 1, {
    match: {},
    times: 2,
    probability: 0.5,
    do: { busy: true },
  });
  expect(strikes(faults, 5)).toEqual([false, true, false, true, false]);
});

test('adds up latencies, before acting and before answering, and takes the first of all else', () => {
  const faults = armed(
    () => 0,
    { match: {}, do: { latency_ms: 3 } },
    { match: {}, times: 1, do: { reset: 'after' } },
    { match: {}, do: { latency_ms: 4 } },
    { match: {}, do: { status: 500 } },
  );
  expect(faults.strike(subject)).toEqual({ latencyMs: 7, answerLatencyMs: 0, action: { reset: 'after' } });
  expect(faults.strike(subject)).toEqual({ latencyMs: 7, answerLatencyMs: 0, action: { status: 500 } });
});

test('has a name in the journal: what it does, or by how much it is late', () => {
  expect(nameOf({ latencyMs: 3, answerLatencyMs: 4, action: null })).toBe('late by 7 ms');
  expect(nameOf({ latencyMs: 3, answerLatencyMs: 0, action: { status: 500 } })).toBe('status 500');
  expect(nameOf({ latencyMs: 0, answerLatencyMs: 0, action: null })).toBeNull();
});

test('strikes nothing once it is cleared', () => {
  const faults = armed(() => 0, { match: {}, do: { busy: true } });
  faults.clear();
  expect(strikes(faults, 1)).toEqual([false]);
  expect(faults.list()).toEqual([]);
});

function mistakesOf(value: unknown): readonly string[] {
  try {
    checkFault(value);
  } catch (error) {
    if (error instanceof FaultError) return error.mistakes;
    throw error;
  }
  return [];
}

test('names every mistake of a fault', () => {
  const mistakes = mistakesOf({ match: { nth: 0, path: '/(/' }, times: 0, do: { reset: 'later' } });
  expect(mistakes.map((mistake) => mistake.split(':')[0])).toEqual([
    'match.path',
    'match.nth',
    'times',
    'do',
  ]);
});
