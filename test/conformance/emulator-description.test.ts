/** The emulator against the official OpenAPI description. Skipped where `DROVER_OPENAPI_DIR` names no folder. */
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JournalEntry, RequestEntry, Step } from '../../src/emulator/index.ts';
import { READ_HEADERS } from '../../src/emulator/exchange.ts';
import { ROUTES } from '../../src/emulator/server.ts';
import { DESCRIPTION_DIR, readDescription, toJsonSchema } from '../support/emulator-description.ts';
import type { Description, Operation } from '../support/emulator-description.ts';
import { openEmulator, scripted } from '../support/emulator-fixture.ts';
import type { Fixture, Raw } from '../support/emulator-fixture.ts';
import { unnoticed } from '../support/emulator-schemas.ts';

/** Headers of authentication and of a beta's version: prose of the description, not parameters. */
const HEADERS_IN_PROSE: ReadonlySet<string> = new Set(['authorization', 'openai-beta']);

test('what the description calls nullable may be null in its schemas', () => {
  expect(toJsonSchema({ type: 'string', nullable: true })).toEqual({
    anyOf: [{ type: 'string' }, { type: 'null' }],
  });
  expect(toJsonSchema({ allOf: [{ $ref: '#/a' }, { nullable: true }] })).toEqual({
    anyOf: [{ allOf: [{ $ref: '#/a' }] }, { type: 'null' }],
  });
  expect(toJsonSchema({ $recursiveAnchor: true, items: { $recursiveRef: '#' } })).toEqual({ items: {} });
  expect(toJsonSchema({ properties: { example: { type: 'string' } } })).toEqual({
    properties: { example: { type: 'string' } },
  });
});

/** Fields that the official description does not have: Azure's agents take them. */
const OF_AZURE: ReadonlySet<string> = new Set(['tool_approvals']);

describe.skipIf(DESCRIPTION_DIR === undefined)('the official description (needs DROVER_OPENAPI_DIR)', () => {
  let description: Description;
  beforeAll(() => {
    description = readDescription(DESCRIPTION_DIR ?? '');
  }, 120_000);

  const operationOf = (method: string, path: string): Operation => {
    const operation = description.operation(method, path);
    if (operation === null) throw new Error(`The description has no ${method} ${path}.`);
    return operation;
  };

  test.each(ROUTES.map((route) => [route.method, route.path, route] as const))(
    '%s %s: path, parameters and body fields stand in it',
    (method, path, route) => {
      const operation = operationOf(method, path);
      const named = (place: string): readonly string[] =>
        operation.parameters.filter((held) => held.in === place).map((held) => held.name);
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(named('path')).toEqual(inPath);
      expect(named('query')).toEqual(expect.arrayContaining([...route.query]));
      const accepted = route.body instanceof z.ZodObject ? Object.keys(route.body.shape) : [];
      const official = accepted.filter((name) => !OF_AZURE.has(name));
      expect(operation.bodyFields ?? []).toEqual(expect.arrayContaining(official));
      expect(route.body === null).toBe(accepted.length === 0);
    },
  );

  test('it reads no header that is neither a parameter nor in the prose', () => {
    expect(READ_HEADERS.filter((name) => !HEADERS_IN_PROSE.has(name))).toEqual([]);
  });

  /** The endpoint of a request, as the description writes it. */
  function endpointOf(request: RequestEntry): (typeof ROUTES)[number] {
    // `/threads/runs` before `/threads/{thread_id}`.
    const found = ROUTES.toSorted((a, b) => a.path.split('{').length - b.path.split('{').length).find(
      (route) =>
        route.method === request.method &&
        new RegExp(`^/v1${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`, 'u').test(request.path),
    );
    if (found === undefined) throw new Error(`No endpoint for ${request.method} ${request.path}.`);
    return found;
  }

  /** What is wrong with the requests that were sent; they were all accepted. */
  function requestFaults(journal: readonly JournalEntry[]): readonly string[] {
    const sent = journal.filter(
      (entry): entry is RequestEntry => entry.kind === 'request' && entry.body !== null,
    );
    if (sent.length === 0) return ['no request with a body was sent'];
    return sent.flatMap((request) => {
      const { method, path } = endpointOf(request);
      return operationOf(method, path)
        .requestFaults(request.body)
        .map((fault) => `${method} ${path}: ${fault}`);
    });
  }

  /** A conversation with the emulator: asks, and collects what does not fit. */
  interface Talk extends Fixture {
    readonly faults: string[];
    ask(method: string, template: string, path: string, body?: unknown): Promise<Raw>;
    /** Collects the ways of breaking this answer that its schema would not notice. */
    check(method: string, template: string, answer: Raw, free?: readonly string[]): void;
  }

  async function talk(...steps: readonly Step[]): Promise<Talk> {
    const fixture = await openEmulator(scripted(steps));
    const faults: string[] = [];
    return {
      ...fixture,
      faults,
      ask: async (method, template, path, body) => {
        const answer = await fixture.request(method, path, body);
        const found = [
          ...(answer.status === 200 ? [] : [answer.text]),
          ...operationOf(method, template).answerFaults(answer.json),
        ];
        faults.push(...found.map((fault) => `${method} ${path}: ${fault}`));
        return answer;
      },
      check: (method, template, answer, free) => {
        const operation = operationOf(method, template);
        const passed = unnoticed(answer.json, (broken) => operation.answerFaults(broken), free);
        faults.push(...passed.map((how) => `${method} ${template} passes although ${how}`));
      },
    };
  }

  const RUNS = '/threads/{thread_id}/runs';
  const RUN = `${RUNS}/{run_id}`;

  test('a whole run on the Assistants wire: requests and answers fit', async () => {
    const fixture = await talk({ call: [{ name: 'f', arguments: {} }] }, { answer: '{{outputs}}' });
    const assistant = await fixture.ask('POST', '/assistants', '/assistants', {
      model: 'model',
      name: 'Support',
      instructions: 'Be kind.',
      tools: [
        {
          type: 'function',
          function: { name: 'f', description: 'F.', parameters: { type: 'object' }, strict: null },
        },
      ],
      metadata: { a: '1' },
      temperature: 0.5,
      response_format: 'auto',
    });
    fixture.check('POST', '/assistants', assistant, ['reasoning_effort']);
    const thread = await fixture.ask('POST', '/threads', '/threads', {
      messages: [{ role: 'user', content: 'x' }],
      metadata: {},
    });
    fixture.check('POST', '/threads', thread);
    const at = `/threads/${String(thread.json['id'])}`;
    const message = await fixture.ask('POST', '/threads/{thread_id}/messages', `${at}/messages`, {
      role: 'user',
      content: [
        { type: 'text', text: 'x' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        { type: 'image_file', image_file: { file_id: 'file-1' } },
      ],
      attachments: [{ file_id: 'file-1', tools: [{ type: 'file_search' }] }],
    });
    fixture.check('POST', '/threads/{thread_id}/messages', message);
    const created = await fixture.ask('POST', RUNS, `${at}/runs`, {
      assistant_id: assistant.json['id'],
      model: 'model',
      instructions: 'Be kind.',
      additional_instructions: 'Be brief.',
      additional_messages: [{ role: 'user', content: 'x' }],
      tools: [{ type: 'function', function: { name: 'f' } }, { type: 'code_interpreter' }],
      metadata: { a: '1' },
      temperature: 1,
      top_p: 1,
      max_prompt_tokens: 256,
      max_completion_tokens: 256,
      truncation_strategy: { type: 'last_messages', last_messages: 3 },
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: true,
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {} } },
      reasoning_effort: 'low',
      stream: false,
    });
    const id = String(created.json['id']);
    const run = `${at}/runs/${id}`;
    await fixture.reached(id, 'requires_action');
    const waiting = await fixture.ask('GET', RUN, run);
    fixture.check('GET', RUN, waiting, ['reasoning_effort']);
    const action = waiting.json['required_action'] as {
      submit_tool_outputs: { tool_calls: { id: string }[] };
    };
    await fixture.ask('POST', `${RUN}/submit_tool_outputs`, `${run}/submit_tool_outputs`, {
      tool_outputs: action.submit_tool_outputs.tool_calls.map((call) => ({
        tool_call_id: call.id,
        output: 'y',
      })),
    });
    await fixture.reached(id, 'completed');
    await fixture.ask('GET', RUN, run);
    await fixture.ask('POST', RUN, run, { metadata: { b: '2' } });
    fixture.check('GET', RUNS, await fixture.ask('GET', RUNS, `${at}/runs?limit=1&order=asc`));
    const steps = await fixture.ask('GET', `${RUN}/steps`, `${run}/steps`);
    const [step] = steps.json['data'] as [{ id: string }];
    fixture.check(
      'GET',
      `${RUN}/steps/{step_id}`,
      await fixture.ask('GET', `${RUN}/steps/{step_id}`, `${run}/steps/${step.id}`),
    );
    await fixture.ask('GET', '/threads/{thread_id}/messages', `${at}/messages?run_id=${id}`);
    await fixture.ask('GET', '/assistants', '/assistants');
    await fixture.ask('DELETE', '/threads/{thread_id}', at);
    expect(requestFaults(fixture.emulator.journal())).toEqual([]);
    expect(fixture.faults).toEqual([]);
  });

  test.each([
    ['failed', { fail: { code: 'server_error', message: 'x' } }],
    ['incomplete', { incomplete: 'max_completion_tokens', text: 'x' }],
    ['expired', { expire: true }],
    ['cancelled', { cancel: true }],
    ['completed', { refuse: 'No.' }],
  ] as const)('a run that ends %s fits', async (status, step) => {
    const fixture = await talk(step);
    const assistant = fixture.emulator.createAssistant({ model: 'model' });
    const created = await fixture.ask('POST', '/threads/runs', '/threads/runs', {
      assistant_id: assistant,
      thread: { messages: [{ role: 'user', content: 'x' }] },
    });
    const id = String(created.json['id']);
    const at = `/threads/${String(created.json['thread_id'])}`;
    await fixture.reached(id, status);
    await fixture.ask('GET', RUN, `${at}/runs/${id}`);
    await fixture.ask('GET', '/threads/{thread_id}/messages', `${at}/messages`);
    expect(requestFaults(fixture.emulator.journal())).toEqual([]);
    expect(fixture.faults).toEqual([]);
  });

  const RESPONSE = '/responses/{response_id}';
  const full = {
    model: 'model',
    background: true,
    store: true,
    input: [
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'x' },
          { type: 'input_image', detail: 'auto', image_url: 'https://example.com/a.png' },
          { type: 'input_file', file_id: 'file-1' },
        ],
      },
      { role: 'assistant', content: 'Yes?' },
    ],
    instructions: 'Be kind.',
    tools: [
      { type: 'function', name: 'f', description: 'F.', parameters: { type: 'object' }, strict: false },
    ],
    tool_choice: { type: 'function', name: 'f' },
    parallel_tool_calls: false,
    max_output_tokens: 16,
    max_tool_calls: 3,
    truncation: 'auto',
    context_management: [{ type: 'compaction', compact_threshold: 1000 }],
    metadata: { a: '1' },
    temperature: 1,
    top_p: 1,
    text: { format: { type: 'json_schema', name: 'n', schema: {}, strict: true }, verbosity: 'low' },
    reasoning: { effort: 'low', summary: 'auto' },
    service_tier: 'flex',
    include: ['reasoning.encrypted_content'],
    safety_identifier: 'u',
    prompt_cache_key: 'k',
  };

  test('a whole chain in a conversation: requests and answers fit', async () => {
    const fixture = await talk(
      { reason: 'hm' },
      { say: 'One moment.' },
      { call: [{ name: 'f', arguments: {} }] },
      { answer: 'x' },
    );
    const conversation = await fixture.ask('POST', '/conversations', '/conversations', {
      metadata: { a: '1' },
      items: [{ role: 'user', content: 'x' }],
    });
    fixture.check('POST', '/conversations', conversation, ['metadata']);
    const at = `/conversations/${String(conversation.json['id'])}`;
    const place = { conversation: { id: conversation.json['id'] } };
    const created = await fixture.request('POST', '/responses', { ...full, ...place });
    const id = String(created.json['id']);
    await fixture.reached(id, 'completed');
    const waiting = await fixture.ask('GET', RESPONSE, `/responses/${id}`);
    fixture.check('GET', RESPONSE, waiting, ['access_programs']);
    const call = (waiting.json['output'] as { type: string; call_id: string }[]).find(
      (item) => item.type === 'function_call',
    );
    const next = await fixture.request('POST', '/responses', {
      ...full,
      ...place,
      input: [{ type: 'function_call_output', call_id: call?.call_id, output: 'y' }],
    });
    await fixture.reached(String(next.json['id']), 'completed');
    await fixture.ask('GET', `${RESPONSE}/input_items`, `/responses/${id}/input_items?limit=1&order=asc`);
    await fixture.ask('POST', `${RESPONSE}/cancel`, `/responses/${id}/cancel`);
    const items = await fixture.ask('GET', '/conversations/{conversation_id}/items', `${at}/items`);
    const [item] = items.json['data'] as [{ id: string }];
    const ITEM = '/conversations/{conversation_id}/items/{item_id}';
    await fixture.ask('GET', ITEM, `${at}/items/${item.id}`);
    await fixture.ask('DELETE', ITEM, `${at}/items/${item.id}`);
    await fixture.ask('POST', '/conversations/{conversation_id}/items', `${at}/items`, {
      items: [{ role: 'user', content: 'y' }],
    });
    await fixture.ask('POST', '/conversations/{conversation_id}', at, { metadata: { b: '2' } });
    await fixture.ask('POST', '/responses/input_tokens', '/responses/input_tokens', {
      model: 'm',
      input: 'x',
    });
    await fixture.ask('DELETE', '/conversations/{conversation_id}', at);
    expect(requestFaults(fixture.emulator.journal())).toEqual([]);
    expect(fixture.faults).toEqual([]);
  });

  test.each([
    ['failed', { fail: { code: 'server_error', message: 'x' } }],
    ['incomplete', { incomplete: 'max_completion_tokens', text: 'x' }],
    ['cancelled', { cancel: true }],
    ['completed', { refuse: 'No.' }],
    ['completed', { approve: [{ server_label: 's', name: 'n', arguments: {} }] }],
  ] as const)('a response that ends %s fits but for a usage that is null: %j', async (status, step) => {
    const fixture = await talk(step);
    const created = await fixture.request('POST', '/responses', {
      model: 'model',
      input: 'x',
      background: true,
    });
    const id = String(created.json['id']);
    await fixture.reached(id, status);
    const ended = await fixture.request('GET', `/responses/${id}`);
    // The description's own example of a cancelled response has it null.
    const { usage, ...rest } = ended.json;
    const answer = usage === null ? rest : ended.json;
    expect(operationOf('GET', RESPONSE).answerFaults(answer)).toEqual([]);
    expect(requestFaults(fixture.emulator.journal())).toEqual([]);
    expect(fixture.faults).toEqual([]);
  });
});
