import { expect, test } from 'vitest';
import {
  fillTemplate,
  playTurn,
  startPosition,
  takeRejection,
  withOutputs,
} from '../../src/emulator/engine.ts';
import type { Step } from '../../src/emulator/script.ts';

const start = (...steps: readonly Step[]): ReturnType<typeof startPosition> =>
  startPosition({ attempts: [{ steps }] }, 0);

test('plays a turn up to its call, and the next one from there with the outputs', () => {
  const first = playTurn(
    start({ think_ms: 7 }, { call: [{ name: 'f', arguments: {} }] }, { answer: '<{{output.f}}>' }),
    null,
  );
  expect(first.outcome).toMatchObject({ kind: 'calls', calls: [{ name: 'f' }] });
  expect(first.phases).toEqual([{ status: null, ms: 7 }]);
  const second = playTurn(withOutputs(first.next, [{ name: 'f', output: '42' }]), null);
  expect(second.outcome).toEqual({ kind: 'answer', text: '<42>' });
});

test('answers "Done." when the steps have run out', () => {
  expect(playTurn(start(), null).outcome).toEqual({ kind: 'answer', text: 'Done.' });
});

test('repeats the last attempt of a script', () => {
  const script = { attempts: [{ steps: [{ answer: 'a' }] }, { steps: [{ answer: 'b' }] }] };
  const texts = [0, 1, 2, 7].map((index) => playTurn(startPosition(script, index), null).outcome);
  expect(texts).toEqual(['a', 'b', 'b', 'b'].map((text) => ({ kind: 'answer', text })));
});

test('uses more tokens with each turn, and always the same', () => {
  const position = start({ call: [{ name: 'f', arguments: {} }] }, { answer: 'x' });
  const first = playTurn(position, null);
  const second = playTurn(first.next, null);
  expect(second.usage.prompt_tokens).toBeGreaterThan(first.usage.prompt_tokens);
  expect(second.usage.completion_tokens).toBeGreaterThan(first.usage.completion_tokens);
  expect(playTurn(position, null)).toEqual(first);
});

test('takes the usage that the script names, for its turn only', () => {
  const first = playTurn(
    start({ usage: { prompt_tokens: 9, completion_tokens: 3 } }, { call: [{ name: 'f', arguments: '' }] }),
    null,
  );
  expect(first.usage).toEqual({
    prompt_tokens: 9,
    completion_tokens: 3,
    cached_tokens: 0,
    reasoning_tokens: 0,
  });
  expect(playTurn(first.next, null).usage.prompt_tokens).not.toBe(9);
});

test.each([
  [256, 'incomplete'],
  [511, 'incomplete'],
  [512, 'answer'],
  [4096, 'answer'],
  [null, 'answer'],
])('with a budget of %s tokens the turn ends as %s', (budget, kind) => {
  const position = start(
    { incomplete: 'max_completion_tokens', unless_budget_at_least: 512 },
    { answer: 'enough' },
  );
  expect(playTurn(position, budget).outcome.kind).toBe(kind);
});

test('a status with a time is a phase, and one without is where it stays', () => {
  const turn = playTurn(
    start({ status: 'pondering', for_ms: 4 }, { status: 'stuck' }, { answer: 'never' }),
    null,
  );
  expect(turn.phases).toEqual([{ status: 'pondering', ms: 4 }]);
  expect(turn.outcome).toEqual({ kind: 'hang', status: 'stuck' });
});

test('a rejection is taken only where it is the next step', () => {
  const reject = { status: 400, code: 'content_filter', message: 'Filtered.' };
  const due = takeRejection(start({ reject }, { answer: 'a' }), null);
  expect(due?.rejection).toEqual(reject);
  expect(due === null ? null : playTurn(due.next, null).outcome).toEqual({ kind: 'answer', text: 'a' });
  expect(takeRejection(start({ answer: 'a' }, { reject }), null)).toBeNull();
});

test('fills templates by name, by number and in whole', () => {
  const outputs = [
    { name: 'f', output: 'one' },
    { name: 'g-2', output: 'two' },
    { name: 'f', output: '$& three' },
  ];
  expect(
    fillTemplate('{{output.f}}|{{output.g-2}}|{{output.0}}|{{ output.9 }}|{{output.h}}|{{other}}', outputs),
  ).toBe('$& three|two|one|||{{other}}');
  expect(fillTemplate('{{outputs}}', outputs)).toBe('one\ntwo\n$& three');
});
