import { describe, expect, test } from 'vitest';
import type { AttemptReason, RetryPolicy } from '../../src/contract.ts';
import { readRun } from '../../src/run.ts';
import { backoffMs, decide, type Ended } from '../../src/workflows/decide.ts';

const ended = (reason: AttemptReason, over: Partial<Ended> = {}): Ended => ({
  reason,
  number: 1,
  run: readRun({ id: 'run_1', status: 'failed' }),
  retry_after_ms: null,
  overrides: {},
  now_ms: 0,
  deadline_ms: 3_600_000,
  ...over,
});

const run = (fields: object) => readRun({ id: 'run_1', status: 'incomplete', ...fields });

describe('the table of ends, by default', () => {
  test.each([
    ['completed', null],
    ['content_filter', 'content_filter'],
    ['incomplete', 'incomplete'],
    ['quota_exceeded', 'quota_exceeded'],
    ['invalid_prompt', 'invalid_prompt'],
    ['failed', 'run_failed'],
    ['cancelled_elsewhere', 'cancelled_elsewhere'],
  ] as const)('%s ends the run by %s', (reason, code) => {
    expect(decide(ended(reason), {})).toEqual({ action: 'finish', code });
  });

  test.each(['expired', 'gone', 'attempt_timeout'] as const)('%s is tried again at once', (reason) => {
    expect(decide(ended(reason), {})).toEqual({ action: 'again', delay_ms: 0, overrides: {} });
  });

  test('server_error is tried again after a doubling back-off', () => {
    expect(decide(ended('server_error'), {})).toMatchObject({
      action: 'again',
      delay_ms: 2000,
    });
    expect(decide(ended('server_error', { number: 2 }), {})).toMatchObject({ delay_ms: 4000 });
    expect(backoffMs(20, {})).toBe(60_000);
  });

  test('rate_limit_exceeded waits as long as the provider says', () => {
    expect(decide(ended('rate_limit_exceeded', { retry_after_ms: 17_000 }), {})).toMatchObject({
      delay_ms: 17_000,
    });
  });
});

describe('token budgets', () => {
  test('grow by the factor, from the budget that ran out', () => {
    const last = ended('max_completion_tokens', { run: run({ max_completion_tokens: 300 }) });
    expect(decide(last, {})).toMatchObject({ action: 'again', overrides: { max_completion_tokens: 600 } });
    expect(decide(last, { budget_factor: 3 })).toMatchObject({ overrides: { max_completion_tokens: 900 } });
  });

  test('grow from what was used where no budget was set', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 400, total_tokens: 401 };
    expect(decide(ended('max_completion_tokens', { run: run({ usage }) }), {})).toMatchObject({
      overrides: { max_completion_tokens: 800 },
    });
  });

  test('never pass the ceiling, and end the run at it', () => {
    const last = ended('max_completion_tokens', { run: run({ max_completion_tokens: 700 }) });
    expect(decide(last, { budget_ceiling_tokens: 1000 })).toMatchObject({
      overrides: { max_completion_tokens: 1000 },
    });
    expect(decide(last, { budget_ceiling_tokens: 700 })).toEqual({ action: 'finish', code: 'token_budget' });
  });

  test('of prompts are followed by truncation, once', () => {
    const last = ended('max_prompt_tokens', { run: run({ max_prompt_tokens: 128_000 }) });
    expect(decide(last, {})).toMatchObject({ overrides: { truncation_strategy: { type: 'auto' } } });
    const again = { ...last, overrides: { truncation_strategy: { type: 'auto' } } };
    expect(decide(again, {})).toEqual({ action: 'finish', code: 'token_budget' });
  });
});

describe('limits of trying again', () => {
  test('the last attempt ends the run by attempts_exhausted', () => {
    expect(decide(ended('expired', { number: 3 }), {})).toEqual({
      action: 'finish',
      code: 'attempts_exhausted',
    });
    expect(decide(ended('expired', { number: 3 }), { attempts: 4 })).toMatchObject({ action: 'again' });
  });

  test('a run that was allowed one attempt ends by the reason itself', () => {
    expect(decide(ended('expired'), { attempts: 1 })).toEqual({ action: 'finish', code: 'expired' });
  });

  test('a wait that would pass the deadline is the end', () => {
    const last = ended('server_error', { now_ms: 3_599_000 });
    expect(decide(last, {})).toEqual({ action: 'finish', code: 'deadline_exceeded' });
  });
});

describe('every row can be overridden by request', () => {
  const rows: readonly (readonly [keyof RetryPolicy, AttemptReason])[] = [
    ['expired', 'expired'],
    ['gone', 'gone'],
    ['max_completion_tokens', 'max_completion_tokens'],
    ['max_prompt_tokens', 'max_prompt_tokens'],
    ['content_filter', 'content_filter'],
    ['rate_limit_exceeded', 'rate_limit_exceeded'],
    ['server_error', 'server_error'],
    ['invalid_prompt', 'invalid_prompt'],
    ['cancelled_elsewhere', 'cancelled_elsewhere'],
  ];
  test.each(rows)('%s', (field, reason) => {
    const last = ended(reason, { run: run({ max_completion_tokens: 300, max_prompt_tokens: 300 }) });
    expect(decide(last, { [field]: 'retry' }).action).toBe('again');
    expect(decide(last, { [field]: 'end' }).action).toBe('finish');
  });
});
