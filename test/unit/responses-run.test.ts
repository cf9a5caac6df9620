import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isBackendError } from '../../src/backends/backend.ts';
import { readOutput, waitingFor } from '../../src/backends/responses-items.ts';
import {
  firstState,
  observeNothing,
  observeResponse,
  toLastError,
} from '../../src/backends/responses-run.ts';
import { MAX_STATE_BYTES, readState, withState } from '../../src/backends/responses-state.ts';
import type { ChainState } from '../../src/backends/responses-state.ts';
import { readResponse } from '../../src/backends/responses-wire.ts';
import { RUN_PROPERTIES } from '../../src/run.ts';
import type { JsonObject } from '../../src/run.ts';
import type { AttemptRef } from '../../src/steps.ts';

const NOW = 2_000;
const attempt: AttemptRef = {
  id: 'resp_2',
  thread_id: null,
  key: 'exec/1',
  provider_ids: ['resp_1', 'resp_2'],
  state: null,
};
const base = firstState({ assistant_id: 'support', max_completion_tokens: 500 });

const message = (text: string): JsonObject => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});
const call = (callId: string | null, args = '{"id":1042}'): JsonObject => ({
  id: `fc_${callId ?? 'x'}`,
  type: 'function_call',
  ...(callId === null ? {} : { call_id: callId }),
  name: 'get_order',
  arguments: args,
  status: 'completed',
});
const response = (parts: JsonObject = {}): JsonObject => ({
  id: 'resp_2',
  object: 'response',
  created_at: 1_000,
  completed_at: null,
  status: 'in_progress',
  error: null,
  incomplete_details: null,
  instructions: 'Be brief.',
  model: 'm-1',
  output: [],
  parallel_tool_calls: true,
  metadata: { drover_run: 'ticket-77' },
  reasoning: { effort: 'low', summary: null },
  temperature: 0.5,
  top_p: 0.9,
  text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true } },
  tool_choice: { type: 'function', name: 'get_order' },
  tools: [{ type: 'function', name: 'get_order', description: null, parameters: {}, strict: false }],
  truncation: 'auto',
  usage: {
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 10,
    output_tokens_details: { reasoning_tokens: 6 },
    total_tokens: 30,
  },
  ...parts,
});
const observe = (parts: JsonObject, state: ChainState = base) =>
  observeResponse(attempt, state, readResponse(response(parts))!, NOW);

describe('status', () => {
  test.each([
    ['queued', { status: 'queued' }, 'queued'],
    ['in_progress', {}, 'in_progress'],
    ['completed without calls', { status: 'completed', output: [message('Hi')] }, 'completed'],
    ['completed with an open call', { status: 'completed', output: [call('call_1')] }, 'requires_action'],
    ['failed', { status: 'failed', error: { code: 'server_error', message: 'x' } }, 'failed'],
    [
      'incomplete',
      { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      'incomplete',
    ],
    ['cancelled', { status: 'cancelled' }, 'cancelled'],
    ['unknown', { status: 'hibernating' }, 'hibernating'],
  ])('%s', (_name, parts, expected) => {
    expect(observe(parts).run.status).toBe(expected);
  });

  test('a call that an item of the same response answers is not open', () => {
    const output = [
      call('call_1'),
      { type: 'function_call_output', call_id: 'call_1', output: '1' },
      message('Hi'),
    ];
    expect(observe({ status: 'completed', output }).run.status).toBe('completed');
  });

  test('a used-up budget ends the run between two steps, its calls unasked', () => {
    const {
      run,
      calls,
      attempt: kept,
    } = observe(
      { status: 'completed', output: [call('call_1')] },
      { ...base, budget: { completion: 10, prompt: null } },
    );
    expect(run).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_completion_tokens' },
      required_action: null,
    });
    expect(calls).toEqual([]);
    expect(readState(kept).ended).toBe('max_completion_tokens');
  });

  test('an answer that used up the budget is still an answer', () => {
    const parts = { status: 'completed', output: [message('Hi')] };
    expect(observe(parts, { ...base, budget: { completion: 10, prompt: null } }).run.status).toBe(
      'completed',
    );
  });
});

describe('the run object', () => {
  test('has each of the 27 properties, in the run object’s shapes', () => {
    const done = observe(
      {
        status: 'completed',
        completed_at: 1_500.75,
        output: [message('Hi')],
        conversation: { id: 'conv_1' },
      },
      {
        ...base,
        created_at: 900,
        started_at: 910,
        used: {
          prompt_tokens: 5,
          completion_tokens: 5,
          total_tokens: 10,
          cached_tokens: 0,
          reasoning_tokens: 0,
        },
        budget: { completion: 500, prompt: 800 },
      },
    ).run;
    expect(Object.keys(done)).toEqual(expect.arrayContaining([...RUN_PROPERTIES]));
    expect(done).toEqual({
      id: 'resp_1',
      object: 'thread.run',
      created_at: 900,
      thread_id: 'conv_1',
      assistant_id: 'support',
      status: 'completed',
      required_action: null,
      last_error: null,
      expires_at: null,
      started_at: 910,
      cancelled_at: null,
      failed_at: null,
      completed_at: 1_500,
      incomplete_details: null,
      model: 'm-1',
      instructions: 'Be brief.',
      tools: [{ type: 'function', function: { name: 'get_order', parameters: {}, strict: false } }],
      metadata: { drover_run: 'ticket-77' },
      usage: {
        prompt_tokens: 25,
        completion_tokens: 15,
        total_tokens: 40,
        prompt_token_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 6 },
      },
      temperature: 0.5,
      top_p: 0.9,
      max_prompt_tokens: 800,
      max_completion_tokens: 500,
      truncation_strategy: { type: 'auto', last_messages: null },
      tool_choice: { type: 'function', function: { name: 'get_order' } },
      parallel_tool_calls: true,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'a', schema: { type: 'object' }, strict: true },
      },
      reasoning_effort: 'low',
    });
  });

  test('asks for outputs by call id, in the run object’s shape', () => {
    const { run, calls } = observe({ status: 'completed', completed_at: 1_500, output: [call('call_1')] });
    const expected = [
      { id: 'call_1', type: 'function', function: { name: 'get_order', arguments: '{"id":1042}' } },
    ];
    expect(run.required_action).toEqual({
      type: 'submit_tool_outputs',
      submit_tool_outputs: { tool_calls: expected },
    });
    expect(calls).toEqual(expected);
    expect(run).toMatchObject({ completed_at: null, usage: null });
  });

  test('keeps the first tool choice, although later steps say another', () => {
    const seen = observe({});
    const next = observeResponse(
      seen.attempt,
      readState(seen.attempt),
      readResponse(response({ tool_choice: 'auto' }))!,
      NOW,
    );
    expect(next.run.tool_choice).toEqual({ type: 'function', function: { name: 'get_order' } });
  });

  test('tells the times that the wire does not, from when they were first seen', () => {
    const seen = observe({});
    expect(seen.run).toMatchObject({ created_at: 1_000, started_at: NOW });
    const failed = observeResponse(
      seen.attempt,
      readState(seen.attempt),
      readResponse(response({ status: 'failed' }))!,
      NOW + 60,
    );
    expect(failed.run).toMatchObject({ started_at: NOW, failed_at: NOW + 60, completed_at: null });
    const again = observeResponse(
      failed.attempt,
      readState(failed.attempt),
      readResponse(response({ status: 'failed' }))!,
      NOW + 90,
    );
    expect(again.run.failed_at).toBe(NOW + 60);
  });

  test('of a step that is not made yet is queued, without any provider’s id', () => {
    const pending = { kind: 'first', outputs: [], resumes: false, fresh: true } as const;
    const { run, attempt: kept } = observeNothing(
      { ...attempt, id: 'pending_1', provider_ids: [] },
      { ...base, pending },
      'queued',
      NOW,
    );
    expect(run).toMatchObject({ id: 'pending_1', status: 'queued', usage: null });
    expect(readState(kept)).toMatchObject({ pending, last: null });
  });
});

describe('failures', () => {
  test.each([
    ['server_error', 'server_error'],
    ['rate_limit_exceeded', 'rate_limit_exceeded'],
    ['invalid_prompt', 'invalid_prompt'],
    ['insufficient_quota', 'rate_limit_exceeded'],
    ['vector_store_timeout', 'server_error'],
    ['image_too_large', 'invalid_prompt'],
    ['invalid_base64_image', 'invalid_prompt'],
    ['bio_policy', 'invalid_prompt'],
    ['misalignment_policy_violation', 'invalid_prompt'],
    ['data_residency_mismatch', 'invalid_prompt'],
    ['something_new', 'server_error'],
  ])('%s becomes %s, and stays as the raw code', (code, expected) => {
    const seen = observe({ status: 'failed', error: { code, message: 'It broke.' } });
    expect(seen.run.last_error).toEqual({ code: expected, message: 'It broke.' });
    expect(seen.raw_code).toBe(code);
  });

  test('an error that is a plain string, or nothing, is a server error', () => {
    expect(observe({ status: 'failed', error: 'It broke.' }).run.last_error).toEqual({
      code: 'server_error',
      message: 'It broke.',
    });
    expect(toLastError(null)).toEqual({ code: 'server_error', message: '' });
  });

  test('a key in the provider’s words is taken out', () => {
    const error = { code: 'server_error', message: 'Bad key sk-proj-abcdefghijklmnop given' };
    expect(observe({ status: 'failed', error }).run.last_error?.message).not.toContain('abcdefghijklmnop');
  });

  test.each([
    ['incomplete', { status: 'incomplete', incomplete_details: { reason: 'content_filter' } }],
    ['failed with its code', { status: 'failed', error: { code: 'content_filter', message: 'x' } }],
    [
      'failed with an image’s',
      { status: 'failed', error: { code: 'image_content_policy_violation', message: 'x' } },
    ],
    [
      'failed, with results of the filter',
      { status: 'failed', error: null, content_filters: [{ blocked: true, source_type: 'completion' }] },
    ],
  ])('a content filter is told wherever it speaks: %s', (_name, parts) => {
    const seen = observe(parts);
    expect(seen.run).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
      last_error: null,
    });
    expect(seen.raw_code).toMatch(/content/);
  });

  test.each(['max_output_tokens', 'length'])('incomplete for %s is the token budget', (reason) => {
    const seen = observe({ status: 'incomplete', incomplete_details: { reason } });
    expect(seen.run.incomplete_details).toEqual({ reason: 'max_completion_tokens' });
    expect(seen.raw_code).toBe(reason);
  });
});

describe('what a response waits for', () => {
  test('two equal calls under one id are one call', () => {
    expect(waitingFor([call('c'), call('c')])).toMatchObject({ calls: [{ id: 'c' }], unsupported: null });
  });

  test.each([
    ['two different calls under one id', [call('c'), call('c', '{"id":1}')], /differ under one call_id/],
    ['a call without any id', [{ type: 'function_call', name: 'f', arguments: '{}' }], /without an id/],
    ['an approval without an id', [{ type: 'mcp_approval_request' }], /mcp_approval_request without an id/],
    ['a computer call', [{ type: 'computer_call', id: 'cu', call_id: 'c' }], /computer_call/],
  ])('%s cannot be answered, and is named', (_name, output, expected) => {
    const seen = observe({ status: 'completed', output });
    expect(seen.run.status).toBe('requires_action');
    expect(seen.unsupported_action).toMatch(expected);
  });

  test('a call without call_id is answered by its item’s id', () => {
    expect(waitingFor([call(null)]).calls[0]?.id).toBe('fc_x');
  });

  test('an approval keeps what is to be approved', () => {
    const item = {
      type: 'mcp_approval_request',
      id: 'mcpr_1',
      server_label: 's',
      name: 'f',
      arguments: '{}',
    };
    const seen = observe({ status: 'completed', output: [item] });
    expect(seen.calls).toEqual([
      { id: 'mcpr_1', type: 'function', function: { name: 'f', arguments: '{}' }, server_label: 's' },
    ]);
    expect(seen.run.required_action).toEqual({
      type: 'submit_tool_approval',
      submit_tool_approval: {
        tool_calls: [{ id: 'mcpr_1', type: 'mcp', name: 'f', arguments: '{}', server_label: 's' }],
      },
    });
  });
});

describe('output', () => {
  test('joins the text, keeps the parts, leaves reasoning out', () => {
    const items = [
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      message('One. '),
      message('Two.'),
    ];
    expect(readOutput(items)).toEqual({
      text: 'One. Two.',
      refusal: null,
      messages: [
        { id: 'ws_1', role: 'assistant', content: [items[1]] },
        {
          id: 'msg_1',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'One. ', annotations: [] }],
        },
        { id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'Two.', annotations: [] }] },
      ],
    });
  });

  test('a refusal leaves the status completed', () => {
    const refusal = {
      id: 'm',
      type: 'message',
      role: 'assistant',
      content: [{ type: 'refusal', refusal: 'No.' }],
    };
    const seen = observe({ status: 'completed', output: [refusal] });
    expect(seen.run.status).toBe('completed');
    expect(seen.output).toMatchObject({ text: '', refusal: 'No.' });
  });
});

describe('lenient reading', () => {
  test('absent is null, floats are floored, zero is not yet', () => {
    const { run } = observeResponse(
      { ...attempt, provider_ids: ['r'], id: 'r' },
      base,
      readResponse({ id: 'r', status: 'queued', created_at: 1_000.5, completed_at: 0 })!,
      NOW,
    );
    expect(run).toMatchObject({
      created_at: 1_000,
      completed_at: null,
      model: null,
      tools: null,
      usage: null,
    });
  });

  test.each([
    ['nothing', null],
    ['text', '<html>'],
    ['a list', []],
    ['no id', { status: 'queued' }],
    ['neither status nor output', { id: 'r' }],
  ])('%s is no response', (_name, value) => {
    expect(readResponse(value)).toBeNull();
  });

  test('an answer without a status, but with output, is completed', () => {
    expect(readResponse({ id: 'r', output: [message('Hi')] })?.status).toBe('completed');
  });
});

describe('state', () => {
  test('survives JSON, small', () => {
    const kept = withState(attempt, { ...base, anchor: '', sent: ['call_1'] });
    expect(readState(structuredClone(kept))).toEqual({ ...base, anchor: '', sent: ['call_1'] });
    expect(Object.keys(kept.state as object).sort()).toEqual(
      ['anchor', 'assistant_id', 'budget', 'sent'].sort(),
    );
  });

  test('holds no megabytes of what a server says back: the attempt lives, and has to be carried', () => {
    const choice = { type: 'function', name: 'x'.repeat(MAX_STATE_BYTES) };
    const seen = observeResponse(attempt, base, readResponse(response({ tool_choice: choice }))!, NOW);
    expect(JSON.stringify(seen.attempt.state).length).toBeLessThan(1_000);
  });

  test('over its limit is refused by name', () => {
    const items = [{ type: 'function_call_output', output: 'x'.repeat(MAX_STATE_BYTES) }];
    let thrown: unknown;
    try {
      withState(attempt, { ...base, items });
    } catch (error) {
      thrown = error;
    }
    expect(isBackendError(thrown)).toBe(true);
    expect(thrown).toMatchObject({ kind: 'rejected', code: 'state_too_large' });
  });
});

const examples = join(process.env['DROVER_OPENAPI_DIR'] ?? '', 'run-examples.json');
const hasExamples = process.env['DROVER_OPENAPI_DIR'] !== undefined && existsSync(examples);

describe.skipIf(!hasExamples)('official examples (skipped where DROVER_OPENAPI_DIR is unset)', () => {
  const held = hasExamples
    ? (JSON.parse(readFileSync(examples, 'utf8')) as { responses_api: { label: string; payload: unknown }[] })
    : { responses_api: [] };
  const whole = held.responses_api.filter(({ payload }) => !Array.isArray(payload));

  test.each(whole)('$label reads as a run', ({ payload }) => {
    const read = readResponse(payload);
    expect(read).not.toBeNull();
    const { run } = observeResponse({ ...attempt, id: read!.id, provider_ids: [read!.id] }, base, read!, NOW);
    expect(run.id).toBe((payload as { id: string }).id);
    expect(['completed', 'requires_action', 'cancelled', 'queued', 'in_progress']).toContain(run.status);
  });
});
