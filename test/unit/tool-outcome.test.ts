import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { ACTIVITY_FAILURES, type ToolPolicy } from '../../src/steps.ts';
import { outputText, readOutcome } from '../../src/workflows/tool-outcome.ts';

const policy = (effect: ToolPolicy['effect']): ToolPolicy => ({ effect }) as ToolPolicy;
const failed = (cause: Error): ActivityFailure =>
  new ActivityFailure('failed', 'refund', '1', 'NON_RETRYABLE_FAILURE', 'worker', cause);
const application = (type: string, ...details: unknown[]) =>
  failed(ApplicationFailure.create({ type, details, nonRetryable: true }));
const timeout = (type: 'SCHEDULE_TO_START' | 'START_TO_CLOSE' | 'HEARTBEAT') =>
  failed(new TimeoutFailure('timeout', undefined, type));

describe('what became of a once-only tool', () => {
  test.each([
    ['a timeout of its work', timeout('START_TO_CLOSE')],
    ['a worker that fell silent', timeout('HEARTBEAT')],
    ['a cancel', failed(new CancelledFailure('cancelled'))],
    ['a failure that says nothing of the effect', application('SomeError')],
    [
      'a failure that says it may have acted',
      application(ACTIVITY_FAILURES.toolFailed, { output: 'x', effect: 'unknown' }),
    ],
    ['a failure with details of another shape', application(ACTIVITY_FAILURES.toolFailed, 'nothing')],
    ['an error that is no activity failure', new Error('bug')],
  ])('is unknown after %s', (_, error) => {
    expect(readOutcome('refund', error, policy('once'))).toEqual({ kind: 'unknown' });
  });

  test('is not started where nobody took it, or its worker refused to start it', () => {
    expect(readOutcome('refund', timeout('SCHEDULE_TO_START'), policy('once'))).toEqual({
      kind: 'not_started',
      why: 'nobody_polls',
    });
    expect(readOutcome('refund', application(ACTIVITY_FAILURES.notStarted), policy('once'))).toEqual({
      kind: 'not_started',
      why: 'refused',
    });
  });

  test('is not started again where an earlier try had started, and nobody took the next one', () => {
    const mark = { drover_started: 'key' };
    const again = failed(new TimeoutFailure('timeout', mark, 'SCHEDULE_TO_START'));
    expect(readOutcome('refund', again, policy('once'))).toEqual({ kind: 'not_started_again' });
    expect(readOutcome('get_order', again, policy('idempotent'))).toMatchObject({ kind: 'not_started' });
    const own = failed(new TimeoutFailure('timeout', { at: 'half' }, 'SCHEDULE_TO_START'));
    expect(readOutcome('refund', own, policy('once'))).toMatchObject({ kind: 'not_started' });
  });

  test('is failed without effect where the handler says so', () => {
    const refused = application(ACTIVITY_FAILURES.toolFailed, { output: 'no', effect: 'none' });
    expect(readOutcome('refund', refused, policy('once'))).toEqual({ kind: 'failed', output: 'no' });
  });

  test('is done where only its output was too large for Temporal', () => {
    expect(readOutcome('refund', application('PayloadsTooLarge'), policy('once'))).toMatchObject({
      kind: 'done',
    });
  });
});

describe('what became of a tool that may be repeated', () => {
  test.each([
    timeout('START_TO_CLOSE'),
    application('SomeError'),
    application(ACTIVITY_FAILURES.toolFailed, { output: 'x', effect: 'unknown' }),
  ])('is a failure that the model reads', (error) => {
    const outcome = readOutcome('get_order', error, policy('idempotent'));
    expect(outcome.kind).toBe('failed');
  });

  test("names neither the handler's error nor its message", () => {
    const error = failed(ApplicationFailure.create({ type: 'TypeError', message: 'secret sauce' }));
    expect(JSON.stringify(readOutcome('get_order', error, policy('none')))).not.toContain('secret sauce');
  });

  test('is cancelled by a cancel', () => {
    const cancelled = failed(new CancelledFailure('cancelled'));
    expect(readOutcome('get_order', cancelled, policy('idempotent'))).toEqual({ kind: 'cancelled' });
  });
});

test('an output is text as it is, and anything else as JSON', () => {
  expect(outputText('plain')).toBe('plain');
  expect(outputText({ a: [1] })).toBe('{"a":[1]}');
  expect(outputText(undefined)).toBe('');
  expect(outputText(null)).toBe('null');
});
