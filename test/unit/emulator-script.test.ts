import { expect, test } from 'vitest';
import { checkScript, ScriptError } from '../../src/emulator/script.ts';

function mistakesOf(value: unknown): readonly string[] {
  try {
    checkScript('bad', value);
  } catch (error) {
    if (error instanceof ScriptError) return error.mistakes;
    throw error;
  }
  return [];
}

test('accepts a script with every kind of step', () => {
  const script = {
    attempts: [
      {
        on_cancel: 'completed',
        steps: [
          { think_ms: 5 },
          { say: 'One moment.' },
          { reason: 'They want a refund.' },
          { usage: { prompt_tokens: 1, completion_tokens: 2, reasoning_tokens: 1 } },
          {
            call: [
              { name: 'a', arguments: '{broken' },
              { id: 'call_1', name: 'b', arguments: { x: 1 } },
            ],
          },
          { approve: [{ server_label: 's', name: 'n', arguments: {} }] },
          { incomplete: 'max_completion_tokens', text: 'cut', unless_budget_at_least: 512 },
          { reject: { status: 400, code: 'content_filter', message: 'Filtered.' } },
          { status: 'pondering', for_ms: 3 },
          { status: 'lost' },
          { fail: { code: 'server_error', message: 'Sorry.' } },
          { refuse: 'No.' },
          { answer: '{{outputs}}' },
          { expire: true },
          { hang: true },
          { cancel: true },
          { vanish: true },
        ],
      },
    ],
  };
  expect(checkScript('good', script)).toEqual(script);
});

test('names every mistake of a script with its place', () => {
  const mistakes = mistakesOf({
    attempts: [
      { steps: [{ think_ms: -1 }, { answer: 'a', refuse: 'b' }] },
      { steps: [{ dance: true }, { call: [] }, { answer: 'fine' }, { fail: { code: 'x' } }] },
    ],
  });
  expect(mistakes.map((mistake) => mistake.split(':')[0])).toEqual([
    'attempts.0.steps.0.think_ms',
    'attempts.0.steps.1',
    'attempts.1.steps.0',
    'attempts.1.steps.1.call',
    'attempts.1.steps.3.fail.message',
  ]);
});

test.each([
  ['no object', null, 'script'],
  ['no attempts', {}, 'attempts'],
  ['an empty list of attempts', { attempts: [] }, 'attempts'],
  ['steps that are no list', { attempts: [{ steps: 1 }] }, 'attempts.0.steps'],
])('refuses a script with %s', (_what, value, place) => {
  expect(mistakesOf(value).map((mistake) => mistake.split(':')[0])).toEqual([place]);
});

test('keeps no hold on the script that it was given', () => {
  const steps = [{ answer: 'first' }];
  const kept = checkScript('kept', { attempts: [{ steps }] });
  steps[0] = { answer: 'second' };
  expect(kept.attempts[0]?.steps[0]).toEqual({ answer: 'first' });
});

test.each<[string, unknown]>([
  ['goes round in circles', circle()],
  ['throws', { toJSON: throws }],
])('a script with arguments whose JSON %s is refused', (_, given) => {
  const script = { attempts: [{ steps: [{ call: [{ name: 'a', arguments: given }] }] }] };
  expect(mistakesOf(script)).toEqual(['script: it is no plain JSON']);
});

function circle(): unknown {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function throws(): never {
  throw new Error('broken');
}
