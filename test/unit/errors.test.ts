import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/contract.ts';
import {
  describeIssue,
  InvalidRequestError,
  isDroverError,
  isInvalidRequestError,
  isRunConflictError,
  isRunEndedError,
  isRunLostError,
  isRunNotFoundError,
  isRunRefusedError,
  RunConflictError,
  RunEndedError,
  RunLostError,
  RunNotFoundError,
  RunRefusedError,
} from '../../src/errors.ts';

const result = { message: null, attempts: [{ id: 'run_1' }] } as unknown as RunResult;

const guards = {
  isInvalidRequestError,
  isRunConflictError,
  isRunNotFoundError,
  isRunEndedError,
  isRunLostError,
  isRunRefusedError,
};

const errors = {
  isInvalidRequestError: new InvalidRequestError([{ field: 'input', message: 'is missing' }]),
  isRunConflictError: new RunConflictError('ticket-77'),
  isRunNotFoundError: new RunNotFoundError('ticket-77'),
  isRunEndedError: new RunEndedError('ticket-77', 'token_budget', result),
  isRunLostError: new RunLostError('ticket-77', 'terminated'),
  isRunRefusedError: new RunRefusedError('unknown_backend', 'There is no backend x. Add it.'),
} satisfies Record<keyof typeof guards, Error>;

const names = Object.keys(guards) as (keyof typeof guards)[];

describe('the guards', () => {
  it.each(names)('%s knows its own error and no other', (name) => {
    expect(names.filter((other) => guards[name](errors[other]))).toEqual([name]);
    expect(isDroverError(errors[name])).toBe(true);
  });

  it.each(names)('%s knows the error of another copy of Drover, or of a sandbox', (name) => {
    const { name: own, message } = errors[name];
    const fields = Object.fromEntries(Object.entries(errors[name]));
    const foreign: unknown = runInNewContext('Object.assign(new Error(message), fields, { name: own })', {
      message,
      fields,
      own,
    });
    expect(foreign).not.toBeInstanceOf(Error);
    expect(guards[name](foreign)).toBe(true);
    expect(isDroverError(foreign)).toBe(true);
  });

  it.each([
    null,
    undefined,
    'RunEndedError',
    {},
    new Error('x'),
    { name: 'RunEndedError' },
    new TypeError('x'),
  ])('know nothing of %s', (value) => {
    expect(names.filter((name) => guards[name](value))).toEqual([]);
    expect(isDroverError(value)).toBe(false);
  });

  it('want a code of the table, so that a name alone is not enough', () => {
    const named = Object.assign(new Error('x'), { name: 'RunEndedError', code: 'constructor', result: {} });
    expect(isRunEndedError(named)).toBe(false);
    expect(isRunLostError(Object.assign(new Error('x'), { name: 'RunLostError', code: 'toString' }))).toBe(
      false,
    );
  });
});

describe('the messages', () => {
  it.each([
    [errors.isRunConflictError, /ticket-77.*another request\. Give .*attach/],
    [new RunConflictError('ticket-77', { foreign: true }), /ticket-77.*workflow that is no run/],
    [errors.isRunNotFoundError, /no run ticket-77.*Check/],
    [errors.isRunEndedError, /token budget \(run ticket-77, attempt run_1\)\. Raise/],
    [errors.isRunLostError, /ticket-77 was terminated.*drover sweep/],
    [new RunLostError('ticket-77', 'cancelled'), /ticket-77 was cancelled.*Ask again/],
    [errors.isInvalidRequestError, /one mistake; nothing was created.*\n {2}- input: is missing$/],
  ])('say what happened, with ids, then what to do: %s', (error, message) => {
    expect(error.message).toMatch(message);
  });

  it("of a run's end is the workflow's own where it left one", () => {
    const told = { ...result, message: 'The run was cancelled (run ticket-77).' };
    expect(new RunEndedError('ticket-77', 'cancelled', told).message).toBe(told.message);
  });

  it('list twenty issues and count the rest', () => {
    const issues = Array.from({ length: 25 }, (_, index) => ({ field: `f${index}`, message: 'is wrong' }));
    expect(new InvalidRequestError(issues).message).toMatch(/f19: is wrong\n {2}- and 5 more/);
    expect(new InvalidRequestError(issues).issues).toHaveLength(25);
  });

  it('give limit and value of an issue where it has them', () => {
    expect(describeIssue({ field: '', message: 'is too large', limit: 2, value: 3 })).toBe(
      'the request: is too large (limit 2, value 3)',
    );
  });

  it('keep the cause', () => {
    const cause = new Error('below');
    expect(new RunNotFoundError('a', cause).cause).toBe(cause);
    expect(new RunNotFoundError('a')).not.toHaveProperty('cause');
  });
});
