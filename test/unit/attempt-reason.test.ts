import { describe, expect, test } from 'vitest';
import { readEnd } from '../../src/activities/attempt-reason.ts';
import type { Observation } from '../../src/backends/backend.ts';
import { readRun } from '../../src/run.ts';

const seen = (run: object, raw_code: string | null = null): Observation => ({
  attempt: { id: 'run_1', thread_id: null, key: 'k/1', provider_ids: ['run_1'], state: null },
  run: readRun({ id: 'run_1', ...run })!,
  calls: [],
  unsupported_action: null,
  raw_code,
  look_after_ms: null,
  output: null,
});

describe('why an attempt ended', () => {
  test.each([
    [{ status: 'completed' }, 'completed'],
    [{ status: 'expired' }, 'expired'],
    [{ status: 'cancelled' }, 'cancelled_elsewhere'],
    [
      { status: 'incomplete', incomplete_details: { reason: 'max_completion_tokens' } },
      'max_completion_tokens',
    ],
    [{ status: 'incomplete', incomplete_details: { reason: 'length' } }, 'max_completion_tokens'],
    [{ status: 'incomplete', incomplete_details: { reason: 'max_prompt_tokens' } }, 'max_prompt_tokens'],
    [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'content_filter'],
    [{ status: 'incomplete', incomplete_details: null }, 'incomplete'],
    [{ status: 'failed', last_error: { code: 'server_error', message: '' } }, 'server_error'],
    [{ status: 'failed', last_error: { code: 'invalid_prompt', message: '' } }, 'invalid_prompt'],
    [{ status: 'failed', last_error: { code: 'something_new', message: '' } }, 'failed'],
    [{ status: 'failed', last_error: null }, 'failed'],
  ])('%j is %s', (run, reason) => {
    expect(readEnd(seen(run)).reason).toBe(reason);
  });

  test("an empty quota is told from a rate limit, which keeps the provider's wait", () => {
    const quota = {
      code: 'rate_limit_exceeded',
      message: 'You exceeded your current quota, please check your plan and billing details.',
    };
    const rate = {
      code: 'rate_limit_exceeded',
      message: 'Rate limit reached for gpt-x. Please try again in 7.5s.',
    };
    expect(readEnd(seen({ status: 'failed', last_error: quota })).reason).toBe('quota_exceeded');
    expect(readEnd(seen({ status: 'failed', last_error: rate }))).toEqual({
      reason: 'rate_limit_exceeded',
      retry_after_ms: 7_500,
    });
  });

  test('a filter that shows only as a raw code is content_filter', () => {
    expect(
      readEnd(seen({ status: 'failed', last_error: { code: 'server_error', message: '' } }, 'content_filter'))
        .reason,
    ).toBe('content_filter');
  });
});
