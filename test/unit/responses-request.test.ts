import { describe, expect, test } from 'vitest';
import type { ResolvedRun } from '../../src/backends/backend.ts';
import { checkRun } from '../../src/backends/responses-check.ts';
import { isSameMessage, toInputItem } from '../../src/backends/responses-input.ts';
import { buildBody, exhaustedBudget } from '../../src/backends/responses-request.ts';
import type { RequestSettings, Step } from '../../src/backends/responses-request.ts';
import { EMPTY_STATE } from '../../src/backends/responses-state.ts';
import type { ChainState } from '../../src/backends/responses-state.ts';
import {
  fromTextFormat,
  fromWireTool,
  fromWireToolChoice,
  relaxToolChoice,
  toTextFormat,
  toWireTool,
  toWireToolChoice,
} from '../../src/backends/responses-tools.ts';

const run = (parts: Partial<ResolvedRun> = {}): ResolvedRun => ({
  run_id: 'ticket-77',
  key: 'exec/1',
  assistant_id: 'support',
  model: 'm-1',
  messages: [{ role: 'user', content: 'Where is order 1042?' }],
  metadata: { drover_run: 'ticket-77', drover_key: 'exec/1', ticket: '77' },
  ...parts,
});
const background: RequestSettings = { mode: 'background', store: true, body: {}, stream: false };
const first: Step = { previous: null, conversation: null, input: [], later: false };
const later: Step = { ...first, previous: 'resp_1', later: true };
const used = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
  cached_tokens: 0,
  reasoning_tokens: 0,
});
const state = (parts: Partial<ChainState> = {}): ChainState => ({ ...EMPTY_STATE, ...parts });

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    strict: true,
  },
};

describe('the body of a step', () => {
  test('carries every property of a run that this wire has a field for', () => {
    const body = buildBody(
      run({
        instructions: 'Be brief.',
        additional_instructions: 'Be kind.',
        tools: [weather],
        tool_choice: { type: 'function', function: { name: 'get_weather' } },
        parallel_tool_calls: false,
        temperature: 0.5,
        top_p: 0.9,
        reasoning_effort: 'low',
        truncation_strategy: { type: 'auto' },
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
        },
      }),
      { ...first, input: [{ type: 'message' }] },
      state({ budget: { completion: 1000, prompt: null } }),
      background,
    );
    expect(body).toEqual({
      model: 'm-1',
      instructions: 'Be brief.\n\nBe kind.',
      tools: [{ type: 'function', ...weather.function }],
      tool_choice: { type: 'function', name: 'get_weather' },
      parallel_tool_calls: false,
      temperature: 0.5,
      top_p: 0.9,
      truncation: 'auto',
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true } },
      max_output_tokens: 1000,
      metadata: { drover_run: 'ticket-77', drover_key: 'exec/1', ticket: '77' },
      store: true,
      background: true,
      input: [{ type: 'message' }],
    });
  });

  test('leaves out what the run does not say', () => {
    expect(Object.keys(buildBody(run(), first, state(), background)).sort()).toEqual(
      ['background', 'input', 'metadata', 'model', 'store'].sort(),
    );
  });

  test('says instructions, tools and metadata again on a later step, in the same order', () => {
    const spoken = run({
      instructions: 'Be brief.',
      tools: [weather, { ...weather, function: { name: 'a' } }],
    });
    const [one, two] = [first, later].map((step) => buildBody(spoken, step, state(), background));
    expect(two).toMatchObject({ previous_response_id: 'resp_1', instructions: 'Be brief.' });
    expect(two!['tools']).toEqual(one!['tools']);
    expect(two!['metadata']).toEqual(one!['metadata']);
  });

  test.each([
    ['required', 'auto'],
    ['none', 'none'],
    [{ type: 'function', function: { name: 'a' } }, 'auto'],
    [
      { type: 'allowed_tools', mode: 'required', tools: [] },
      { type: 'allowed_tools', mode: 'auto', tools: [] },
    ],
  ])('relaxes tool choice %j to %j after the first round', (given, expected) => {
    expect(relaxToolChoice(given)).toEqual(expected);
    expect(buildBody(run({ tool_choice: given }), later, state(), background)['tool_choice']).toEqual(
      expected,
    );
  });

  test('gives the next step what is left of the budget, never under the least the wire takes', () => {
    const spent = state({ budget: { completion: 300, prompt: null }, used: used(10, 100), last: null });
    expect(buildBody(run(), later, spent, background)['max_output_tokens']).toBe(200);
    const tight = state({ budget: { completion: 300, prompt: null }, used: used(10, 295) });
    expect(buildBody(run(), later, tight, background)['max_output_tokens']).toBe(16);
  });

  test('counts what the attempt before spent, where this one goes on from it', () => {
    const resumed = state({ budget: { completion: 300, prompt: null }, inherited: used(0, 50) });
    expect(buildBody(run(), later, resumed, background)['max_output_tokens']).toBe(250);
  });

  test('never names a chain and a conversation at once, and leaves out an empty input there', () => {
    const body = buildBody(run(), { ...first, conversation: 'conv_1' }, state(), background);
    expect(body).toMatchObject({ conversation: 'conv_1' });
    expect(body).not.toHaveProperty('previous_response_id');
    expect(body).not.toHaveProperty('input');
  });

  test('asks for encrypted reasoning without a store, and for no background in the foreground', () => {
    const settings: RequestSettings = {
      mode: 'foreground',
      store: false,
      body: { include: ['message.output_text.logprobs'] },
      stream: false,
    };
    const body = buildBody(run(), first, state(), settings);
    expect(body).toMatchObject({
      store: false,
      include: ['message.output_text.logprobs', 'reasoning.encrypted_content'],
    });
    expect(body).not.toHaveProperty('background');
  });

  test('passes configured fields through, beneath what the run says', () => {
    const body = buildBody(run({ reasoning_effort: 'high', temperature: 0 }), first, state(), {
      ...background,
      body: {
        agent_reference: { type: 'agent_reference', name: 'desk' },
        temperature: 1,
        reasoning: { summary: 'auto', effort: 'low' },
        metadata: { team: 'a', ticket: 'x' },
      },
    });
    expect(body).toMatchObject({
      agent_reference: { name: 'desk' },
      temperature: 0,
      reasoning: { summary: 'auto', effort: 'high' },
      metadata: { team: 'a', ticket: '77' },
    });
  });
});

describe('a used-up budget', () => {
  test.each([
    ['no budget', null, null, null],
    ['room in both', 301, 501, null],
    ['completion tokens gone', 300, null, 'max_completion_tokens'],
    ['prompt tokens gone', null, 500, 'max_prompt_tokens'],
  ] as const)('is told: %s', (_name, completion, prompt, expected) => {
    const last = { status: 'completed', error_code: null, usage: used(200, 100), calls: ['c'] };
    expect(exhaustedBudget(state({ budget: { completion, prompt }, used: used(300, 200), last }))).toBe(
      expected,
    );
  });
});

describe('tools', () => {
  test('a function always says parameters and strict', () => {
    expect(toWireTool({ type: 'function', function: { name: 'now' } })).toEqual({
      type: 'function',
      name: 'now',
      parameters: { type: 'object', properties: {} },
      strict: false,
    });
  });

  test.each([
    ['function', weather],
    ['file_search', { type: 'file_search', file_search: { vector_store_ids: ['vs_1'], max_num_results: 3 } }],
    ['code_interpreter', { type: 'code_interpreter', container: { type: 'auto' } }],
    ['mcp', { type: 'mcp', server_label: 's', server_url: 'https://example.com' }],
  ])('%s comes back as it went', (_name, tool) => {
    expect(fromWireTool(toWireTool(tool))).toEqual(tool);
  });

  test('code_interpreter gets the container that this wire needs', () => {
    expect(toWireTool({ type: 'code_interpreter' })).toEqual({
      type: 'code_interpreter',
      container: { type: 'auto' },
    });
  });

  test.each([
    'auto',
    'none',
    'required',
    { type: 'function', function: { name: 'a' } },
    { type: 'file_search' },
  ])('tool choice %j comes back as it went', (choice) => {
    expect(fromWireToolChoice(toWireToolChoice(choice))).toEqual(choice);
  });

  test.each([
    { type: 'text' },
    { type: 'json_object' },
    { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: false } },
  ])('response format $type comes back as it went', (format) => {
    expect(fromTextFormat(toTextFormat(format))).toEqual(format);
  });

  test('response format auto is silence on this wire', () => {
    expect(toTextFormat('auto')).toBeNull();
  });
});

describe('input', () => {
  test('maps each part for each role', () => {
    expect(
      toInputItem({
        role: 'user',
        content: [
          { type: 'text', text: 'See' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'image_file', image_file: { file_id: 'file_1', detail: 'low' } },
          { type: 'file', file: { file_id: 'file_2', filename: 'a.pdf' } },
          { type: 'file', file: { url: 'https://example.com/b.pdf' } },
          { type: 'file', file: { url: 'data:text/plain;base64,YQ==', filename: 'a.txt' } },
        ],
      }),
    ).toEqual({
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'See' },
        { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
        { type: 'input_image', file_id: 'file_1', detail: 'low' },
        { type: 'input_file', file_id: 'file_2' },
        { type: 'input_file', file_url: 'https://example.com/b.pdf' },
        { type: 'input_file', file_data: 'data:text/plain;base64,YQ==', filename: 'a.txt' },
      ],
    });
    expect(toInputItem({ role: 'assistant', content: 'Hello.' })).toEqual({
      type: 'message',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello.', annotations: [] }],
    });
  });

  test('a message is known again in the shape in which a server shows it', () => {
    const ours = toInputItem({
      role: 'user',
      content: [
        { type: 'text', text: 'See' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      ],
    });
    const shown = {
      id: 'msg_1',
      status: 'completed',
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_text', text: 'See' },
        { type: 'input_image', image_url: null, detail: 'auto' },
      ],
    };
    expect(isSameMessage(ours, shown)).toBe(true);
    expect(isSameMessage(ours, { ...shown, role: 'assistant' })).toBe(false);
    expect(isSameMessage(ours, { ...shown, content: shown.content.slice(0, 1) })).toBe(false);
    expect(
      isSameMessage(toInputItem({ role: 'user', content: 'See' }), { role: 'user', content: 'See' }),
    ).toBe(true);
  });
});

describe('check', () => {
  test('names every mistake at once', () => {
    const { model: _model, ...nameless } = run({
      truncation_strategy: { type: 'last_messages', last_messages: 3 },
      tools: [{ type: 'file_search' }, { type: 'function', function: {} }],
      messages: [
        { role: 'assistant', content: [{ type: 'image_file', image_file: { file_id: 'f' } }] },
        { role: 'user', content: [{ type: 'file', file: {} }], attachments: [{ file_id: 'f' }] },
      ],
    });
    expect(checkRun(nameless, {}).map((issue) => issue.field)).toEqual([
      'model',
      'truncation_strategy',
      'messages.0.content.0',
      'messages.1.attachments',
      'messages.1.content.0.file',
      'tools.0.file_search.vector_store_ids',
      'tools.1.function.name',
    ]);
  });

  test('counts the metadata that the backend adds', () => {
    const own = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`k${index}`, 'v']));
    const full = run({ metadata: { ...own, drover_run: 'r', drover_key: 'k' } });
    expect(checkRun(full, { metadata: { k1: 'theirs' } })).toEqual([]);
    expect(checkRun(full, { metadata: { team: 'a' } })).toMatchObject([{ field: 'metadata', limit: 16 }]);
  });

  test('is content without a model where an agent is referred to', () => {
    const { model: _model, ...nameless } = run();
    expect(checkRun(nameless, { agent_reference: { name: 'desk', type: 'agent_reference' } })).toEqual([]);
  });
});
