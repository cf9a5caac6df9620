import { describe, expect, test } from 'vitest';
import { ACTIVITY_FAILURES } from '../../src/steps.ts';
import { codeOfType, FAILURES, failureMessage, failureType, isEndCode } from '../../src/failures.ts';
import type { EndCode } from '../../src/failures.ts';
import { isTerminal } from '../../src/run.ts';
import { ROWS } from '../../src/workflows/decide.ts';

const CODES = Object.keys(FAILURES) as EndCode[];

describe('the table of ends', () => {
  test.each(CODES)('%s leaves the run in a terminal status other than completed', (code) => {
    const { status } = FAILURES[code];
    expect([status, isTerminal(status)]).toEqual([status, true]);
    expect(status).not.toBe('completed');
  });

  test.each(CODES)('%s says what happened and what to do, each as a sentence', (code) => {
    const { message, action } = FAILURES[code];
    expect(code).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(message).toMatch(/^[A-Z].*[^.]$/);
    expect(action).toMatch(/^[A-Z].*\.$/);
  });

  test.each(CODES)('%s is benign exactly where it is an outcome and no fault', (code) => {
    const outcomes: readonly EndCode[] = [
      'expired',
      'token_budget',
      'content_filter',
      'incomplete',
      'cancelled',
      'cancelled_elsewhere',
      'deadline_exceeded',
      'rounds_exceeded',
      'undecided',
      'token_limit',
      'cost_limit',
    ];
    expect(FAILURES[code].benign).toBe(outcomes.includes(code));
  });

  test('holds the code of every way that an attempt can end a run', () => {
    const codes = Object.values(ROWS).flatMap(({ code }) => code ?? []);
    expect(codes.filter((code) => !isEndCode(code))).toEqual([]);
  });
});

describe('a code', () => {
  test.each(CODES)('%s is told from its failure type and back', (code) => {
    expect(isEndCode(code)).toBe(true);
    expect(failureType(code)).toBe(`drover.${code}`);
    expect(codeOfType(failureType(code))).toBe(code);
  });

  test.each([
    '',
    'Expired',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    7,
    null,
    undefined,
    {},
    [],
  ])('is not %j', (value) => {
    expect(isEndCode(value)).toBe(false);
  });

  test.each([
    null,
    undefined,
    '',
    'drover.',
    'drover',
    'expired',
    'other.expired',
    'drover.drover.expired',
    'drover.__proto__',
    'drover.constructor',
    'drover.expired ',
    'Drover.expired',
  ])('is not in the type %j', (type) => {
    expect(codeOfType(type)).toBeNull();
  });

  test('is not in the types of what goes on between workflow and activities, but for a refused request', () => {
    expect(Object.values(ACTIVITY_FAILURES).flatMap((type) => codeOfType(type) ?? [])).toEqual([
      'invalid_request',
    ]);
  });
});

describe('the message of a failure', () => {
  test('says what happened, with ids, then what to do', () => {
    expect(failureMessage('token_budget', { run: 'ticket-77', attempt: 'run_1' })).toBe(
      'The run used up its token budget (run ticket-77, attempt run_1). ' +
        'Raise the budget, or `retry.budget_ceiling_tokens`.',
    );
  });

  test('leaves out ids that are not known, and brackets with nothing in them', () => {
    expect(failureMessage('cancelled', { run: 'r', attempt: null, thread: undefined })).toContain('(run r).');
    expect(failureMessage('cancelled', {})).toBe('The run was cancelled. Nothing: somebody asked for it.');
    expect(failureMessage('cancelled', { attempt: null })).not.toContain('(');
  });

  test.each(CODES)('%s is one line', (code) => {
    expect(failureMessage(code, { run: 'r', number: 3 })).toMatch(/^[^\n]+ \(run r, number 3\)\. [^\n]+\.$/);
  });
});
