import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { LIMITS, METADATA_KEYS } from '../../src/contract.ts';
import type { InputMessage, Issue, RetryPolicy, RunLimits, RunRequest } from '../../src/contract.ts';
import { InvalidRequestError } from '../../src/errors.ts';
import { checkRunId, checkRunRequest, parseRunRequest, requestDigest } from '../../src/request.ts';
import { KNOWN_FIELDS } from '../../src/request-schema.ts';

const minimal = { assistant_id: 'support', input: 'Where is 1042?' } as const;

const full = {
  assistant_id: 'support',
  backend: 'openai',
  thread_id: 'thread_1',
  input: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
        { type: 'image_file', image_file: { file_id: 'file-1' } },
        { type: 'file', file: { file_id: 'file-2', filename: 'a.pdf' } },
      ],
      attachments: [{ file_id: 'file-3', tools: [{ type: 'file_search' }] }],
      metadata: { page: '1' },
    },
  ],
  context: { tenant_id: 'acme', nested: [1, null, { a: true }] },
  model: 'gpt-x',
  reasoning_effort: 'low',
  instructions: 'Be brief.',
  additional_instructions: 'Be kind.',
  additional_messages: [{ role: 'assistant', content: 'Hello.' }],
  tools: [
    'get_order',
    { type: 'function', function: { name: 'refund', parameters: { type: 'object', properties: {} } } },
    {
      type: 'mcp',
      server_label: 'crm',
      server_url: 'https://crm.example',
      headers: { Authorization: { secret: 'CRM' } },
    },
  ],
  metadata: { ticket: '77' },
  temperature: 0,
  top_p: 1,
  max_prompt_tokens: LIMITS.minTokens,
  max_completion_tokens: 4_000,
  truncation_strategy: { type: 'last_messages', last_messages: 10 },
  tool_choice: { type: 'function', function: { name: 'refund' } },
  parallel_tool_calls: false,
  response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } },
  retry: { attempts: 2, expired: 'end', budget_factor: 1.5, backoff_seconds: 0.5 },
  limits: { deadline_seconds: 60, attempt_seconds: 30, rounds: 3, history_events: 100 },
  on_unfinished: 'return',
  on_busy_thread: 'enqueue',
  turn_seconds: 60,
} as const satisfies RunRequest;

/** Each field of the contract's types, checked by the compiler. */
const CONTRACT_FIELDS = {
  request: { ...full },
  retry: {
    attempts: 1,
    expired: 'end',
    gone: 'end',
    max_completion_tokens: 'end',
    max_prompt_tokens: 'end',
    content_filter: 'end',
    rate_limit_exceeded: 'end',
    server_error: 'end',
    invalid_prompt: 'end',
    cancelled_elsewhere: 'end',
    invalid_output: 'end',
    budget_factor: 1,
    budget_ceiling_tokens: 256,
    backoff_seconds: 1,
  },
  limits: { deadline_seconds: 1, attempt_seconds: 1, rounds: 1, tokens: 1, cost: 0.5, history_events: 1 },
  message: { role: 'user', content: 'x', attachments: [], metadata: {} },
} satisfies {
  request: Required<RunRequest>;
  retry: Required<RetryPolicy>;
  limits: Required<RunLimits>;
  message: Required<InputMessage>;
};

function issuesOf(value: unknown): readonly Issue[] {
  return checkRunRequest(value).issues ?? [];
}

const issueAt = (value: unknown, field: string): Issue | undefined =>
  issuesOf(value).find((issue) => issue.field === field);

describe('a request that is right', () => {
  it('has the fields of the contract and no others', () => {
    const named = Object.entries(CONTRACT_FIELDS).map(([of, fields]) => [of, Object.keys(fields).sort()]);
    const known = Object.entries(KNOWN_FIELDS).map(([of, fields]) => [of, fields.toSorted()]);
    expect(known).toEqual(named);
    const { retry, limits, message } = CONTRACT_FIELDS;
    expect(issuesOf({ assistant_id: 'a', input: [message], retry, limits })).toEqual([]);
  });

  it.each([
    ['the least there can be', minimal],
    ['every field', full],
    ['a thread to go on with and nothing to add', { assistant_id: 'a', thread_id: 'thread_1' }],
    [
      'null where null means not said',
      { ...minimal, model: null, tools: null, metadata: null, temperature: null, thread_id: null },
    ],
  ])('is accepted as it is: %s', (_, request) => {
    expect(checkRunRequest(request)).toEqual({ request });
  });

  it('is a copy that later changes of the original do not reach', () => {
    const original = { ...minimal, context: { tenant: 'a' } };
    const request = parseRunRequest(original);
    original.context.tenant = 'b';
    expect(request.context).toEqual({ tenant: 'a' });
  });

  it('may have undefined properties, which count as absent', () => {
    expect(parseRunRequest({ ...minimal, model: undefined })).toStrictEqual(minimal);
  });

  it('may come from another realm', () => {
    expect(
      parseRunRequest(runInNewContext('({ assistant_id: "support", input: "Where is 1042?" })')),
    ).toEqual(minimal);
  });

  it('may be at each limit', () => {
    const metadata = Object.fromEntries(
      Array.from({ length: LIMITS.metadataPairs }, (_, index) => [
        String(index).padStart(LIMITS.metadataKeyChars, 'k'),
        'v'.repeat(LIMITS.metadataValueChars),
      ]),
    );
    const request = {
      ...minimal,
      metadata,
      temperature: 2,
      top_p: 0,
      instructions: 'i'.repeat(LIMITS.instructionsChars),
      tools: Array.from({ length: LIMITS.tools }, (_, index) =>
        String(index).padStart(LIMITS.toolNameChars, 't'),
      ),
    };
    expect(issuesOf(request)).toEqual([]);
  });
});

describe('a limit that is passed is named with field, limit and value', () => {
  const pairs = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`k${index}`, 'v']));
  const bigUrl = `data:image/png;base64,${'A'.repeat(LIMITS.dataUrlBytes)}`;
  const image = (url: string) => ({ type: 'image_url', image_url: { url } });
  const message = (content: unknown) => ({ assistant_id: 'a', input: [{ role: 'user', content }] });

  it.each<[string, object, Issue]>([
    [
      'metadata pairs',
      { ...minimal, metadata: pairs },
      {
        field: 'metadata',
        message: expect.stringMatching(/16.*drover_run.*14 are left/),
        limit: 14,
        value: 15,
      },
    ],
    [
      'metadata keys',
      { ...minimal, metadata: { ['k'.repeat(65)]: 'v' } },
      { field: expect.stringContaining('metadata.'), message: expect.any(String), limit: 64, value: 65 },
    ],
    [
      'metadata values',
      { ...minimal, metadata: { ticket: 'v'.repeat(513) } },
      { field: 'metadata.ticket', message: expect.any(String), limit: 512, value: 513 },
    ],
    [
      'temperature',
      { ...minimal, temperature: 2.1 },
      { field: 'temperature', message: 'must be at most 2', limit: 2, value: 2.1 },
    ],
    [
      'temperature',
      { ...minimal, temperature: -1 },
      { field: 'temperature', message: 'must be at least 0', limit: 0, value: -1 },
    ],
    [
      'top_p',
      { ...minimal, top_p: 1.5 },
      { field: 'top_p', message: 'must be at most 1', limit: 1, value: 1.5 },
    ],
    [
      'max_prompt_tokens',
      { ...minimal, max_prompt_tokens: 255 },
      { field: 'max_prompt_tokens', message: 'must be at least 256', limit: 256, value: 255 },
    ],
    [
      'max_completion_tokens',
      { ...minimal, max_completion_tokens: 1 },
      { field: 'max_completion_tokens', message: 'must be at least 256', limit: 256, value: 1 },
    ],
    [
      'instructions',
      { ...minimal, instructions: 'i'.repeat(256_001) },
      { field: 'instructions', message: expect.any(String), limit: 256_000, value: 256_001 },
    ],
    [
      'additional_instructions',
      { ...minimal, additional_instructions: 'i'.repeat(256_001) },
      { field: 'additional_instructions', message: expect.any(String), limit: 256_000, value: 256_001 },
    ],
    [
      'tool count',
      { ...minimal, tools: Array.from({ length: 129 }, (_, index) => `t${index}`) },
      { field: 'tools', message: expect.stringContaining('128 entries'), limit: 128, value: 129 },
    ],
    [
      'input messages, over both lists',
      {
        assistant_id: 'a',
        input: Array.from({ length: 600 }, () => ({ role: 'user', content: 'x' })),
        additional_messages: Array.from({ length: 600 }, () => ({ role: 'user', content: 'x' })),
      },
      { field: 'additional_messages', message: expect.any(String), limit: 1_000, value: 1_200 },
    ],
    [
      'one data URL',
      message([image(bigUrl)]),
      {
        field: 'input.0.content.0.image_url.url',
        message: expect.stringContaining('pass a file_id or a url'),
        limit: LIMITS.dataUrlBytes,
        value: bigUrl.length,
      },
    ],
    [
      'several data URLs together',
      message([image(bigUrl.slice(0, 70_000)), { type: 'file', file: { url: bigUrl.slice(0, 70_000) } }]),
      {
        field: 'input',
        message: expect.stringContaining('pass a file_id or a url'),
        limit: LIMITS.dataUrlBytes,
        value: 140_000,
      },
    ],
    [
      'context',
      { ...minimal, context: { text: 'é'.repeat(16_384) } },
      { field: 'context', message: expect.any(String), limit: 32_768, value: 32_768 + 11 },
    ],
    [
      'the whole request',
      { assistant_id: 'a', input: 'x'.repeat(1_500_000) },
      { field: '', message: expect.any(String), limit: 1_500_000, value: expect.any(Number) },
    ],
    [
      'attempts',
      { ...minimal, retry: { attempts: 0 } },
      { field: 'retry.attempts', message: 'must be at least 1', limit: 1, value: 0 },
    ],
    [
      'a duration',
      { ...minimal, limits: { deadline_seconds: 0 } },
      { field: 'limits.deadline_seconds', message: 'must be more than 0', limit: 0, value: 0 },
    ],
    [
      'message metadata',
      {
        assistant_id: 'a',
        input: [
          {
            role: 'user',
            content: 'x',
            metadata: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v'])),
          },
        ],
      },
      { field: 'input.0.metadata', message: 'has 17 pairs', limit: 16, value: 17 },
    ],
  ])('%s', (_, request, issue) => {
    expect(issuesOf(request)).toEqual([issue]);
  });
});

describe('a request that is wrong', () => {
  it('names every mistake at once, in one typed error', () => {
    const wrong = {
      ...minimal,
      temperature: 3,
      retry: { attempts: 0 },
      metadata: { drover_key: 'x' },
      foo: 1,
    };
    const parse = (): unknown => parseRunRequest(wrong);
    expect(parse).toThrow(InvalidRequestError);
    expect(
      issuesOf(wrong)
        .map(({ field }) => field)
        .sort(),
    ).toEqual(['foo', 'metadata.drover_key', 'retry.attempts', 'temperature']);
    expect(parse).toThrow(
      /4 mistakes; nothing was created[^]*temperature: must be at most 2 \(limit 2, value 3\)/,
    );
  });

  it.each([
    ['asistant_id', 'assistant_id'],
    ['maxCompletionTokens', 'max_completion_tokens'],
    ['max_output_tokens', 'max_completion_tokens'],
    ['messages', 'input'],
    ['previous_response_id', 'thread_id'],
  ])('that has the unknown field %s is told of %s', (name, meant) => {
    expect(issueAt({ ...minimal, [name]: 'x' }, name)?.message).toBe(
      `is no field of a request; did you mean ${meant}?`,
    );
  });

  it('that has an unknown field far from every known one is told only that', () => {
    expect(issuesOf({ ...minimal, zzzzzzzzz: 1 })).toEqual([
      { field: 'zzzzzzzzz', message: 'is no field of a request' },
    ]);
  });

  it('that has an unknown field in retry is told of the known one', () => {
    expect(issueAt({ ...minimal, retry: { atempts: 2 } }, 'retry.atempts')?.message).toContain('attempts?');
  });

  it.each(Object.values(METADATA_KEYS))("that sets %s, which is Drover's, is refused", (key) => {
    expect(issueAt({ ...minimal, metadata: { [key]: 'x' } }, `metadata.${key}`)?.message).toContain('Drover');
  });

  it('that says nothing to the model is refused', () => {
    expect(issueAt({ assistant_id: 'a' }, 'input')?.message).toContain('is missing');
    expect(issueAt({ assistant_id: 'a', input: '' }, 'input')?.message).toBe('must not be empty');
    expect(issueAt({ assistant_id: 'a', input: [] }, 'input')?.message).toBe('must not be empty');
  });

  it.each([
    ['a.b', 'tools.0'],
    ['a b', 'tools.0'],
    ['drover.createRun', 'tools.0'],
    ['x'.repeat(65), 'tools.0'],
    ['', 'tools.0'],
    [{ type: 'function', function: { name: 'a.b' } }, 'tools.0.function.name'],
    [{ type: 'function', function: {} }, 'tools.0.function.name'],
    [{ type: 'function' }, 'tools.0.function'],
    [{ type: 'function', name: 'flat', parameters: {} }, 'tools.0.function'],
    [{ function: { name: 'a' } }, 'tools.0.type'],
    [5, 'tools.0'],
  ])('that lists the tool %j is refused', (tool, field) => {
    expect(issuesOf({ ...minimal, tools: [tool] }).map((issue) => issue.field)).toEqual([field]);
  });

  it('that lists one function twice is refused, by name or as an object', () => {
    const tools = ['refund', { type: 'function', function: { name: 'refund' } }];
    expect(issueAt({ ...minimal, tools }, 'tools.1')).toMatchObject({
      message: expect.stringContaining('tools.0'),
      value: 'refund',
    });
  });

  it('that chooses a function which it does not list is refused', () => {
    const tool_choice = { type: 'function', function: { name: 'other' } };
    expect(
      issueAt({ ...minimal, tools: ['refund'], tool_choice }, 'tool_choice.function.name'),
    ).toMatchObject({
      value: 'other',
    });
  });

  it.each([
    ['a file without id and url', { type: 'file', file: { filename: 'a' } }, 'file'],
    ['a file with id and url', { type: 'file', file: { file_id: 'f', url: 'https://a' } }, 'file'],
    ['a part of an unknown type', { type: 'audio' }, 'type'],
    ['a text part without text', { type: 'text' }, 'text'],
    [
      'a URL of another scheme',
      { type: 'image_url', image_url: { url: 'file:///etc/passwd' } },
      'image_url.url',
    ],
  ])('that has %s is refused', (_, part, field) => {
    expect(
      issuesOf({ assistant_id: 'a', input: [{ role: 'user', content: [part] }] }).map((issue) => issue.field),
    ).toEqual([`input.0.content.0.${field}`]);
  });

  it.each(['../runs', 'a/b', 'a?b', 'a#b', '..', 'a b', 'a%2fb', 'a\nb'])(
    'that goes on with thread %j, which would change the URL, is refused',
    (thread_id) => {
      expect(issueAt({ ...minimal, thread_id }, 'thread_id')?.message).toContain('no spaces, slashes');
    },
  );

  it.each([
    ['on_unfinished', 'throw'],
    ['tool_choice', 'any'],
    ['response_format', 'json'],
    ['parallel_tool_calls', 'yes'],
    ['max_prompt_tokens', 300.5],
    ['temperature', '1'],
    ['truncation_strategy', { type: 'last_messages', last_messages: 0 }],
    ['metadata', { a: 1 }],
    ['retry', { expired: 'maybe' }],
    ['limits', { deadline_seconds: 1e12 }],
    ['limits', { rounds: 1.5 }],
    ['assistant_id', ''],
    ['assistant_id', 'a\u0000b'],
    ['backend', 5],
    ['input', 5],
    ['tools', 'refund'],
  ])('that has %s %j is refused for it', (field, value) => {
    const fields = issuesOf({ ...minimal, [field]: value }).map((issue) => issue.field);
    expect(fields).toHaveLength(1);
    expect(fields[0]?.split('.')[0]).toBe(field);
  });

  it.each([undefined, null, 5, 'text', [], () => 1])('that is no object is refused: %s', (value) => {
    expect(issuesOf(value)).toHaveLength(1);
  });
});

/** Sixty-four objects, and more of them than stars once each is copied to where it stands. */
function withoutEnd(): unknown {
  let value: unknown = 'leaf';
  for (let level = 0; level < 60; level++) value = { left: value, right: value };
  return value;
}

describe('what is no JSON is refused', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = { a: deep };

  it.each<[string, unknown, string]>([
    ['a cycle', cyclic, 'context.self'],
    ['NaN', { a: Number.NaN }, 'context.a'],
    ['Infinity', { a: Number.POSITIVE_INFINITY }, 'context.a'],
    ['a bigint', { a: 1n }, 'context.a'],
    ['a function', { a: () => 1 }, 'context.a'],
    ['a Date', { a: new Date(0) }, 'context.a'],
    ['a Map', new Map(), 'context'],
    ['undefined in a list', { a: [undefined] }, 'context.a.0'],
    ['a hole in a list', { a: Array.from({ length: 1 }) }, 'context.a.0'],
    ['half a surrogate pair', { a: '\ud800' }, 'context.a'],
    ['half a surrogate pair in a key', { ['\udc00']: 1 }, 'context."\ufffd"'],
    ['the key __proto__', JSON.parse('{"__proto__":{"admin":true}}'), 'context.__proto__'],
  ])('%s', (_, context, field) => {
    expect(issuesOf({ ...minimal, context }).map((issue) => issue.field)).toEqual([field]);
  });

  it('nesting without end', () => {
    const [issue, ...rest] = issuesOf({ ...minimal, context: deep });
    expect(rest).toEqual([]);
    expect(issue).toMatchObject({ message: 'is nested too deep', limit: 64 });
  });

  it('and beside it every other mistake', () => {
    const fields = issuesOf({ ...minimal, temperature: 3, top_p: Number.NaN, context: { a: 1n } });
    expect(fields.map(({ field }) => field)).toEqual(['top_p', 'context.a', 'temperature']);
  });

  it.each<[string, unknown]>([
    ['a list longer than all memory', Object.assign([], { [2 ** 32 - 2]: 1 })],
    ['an object that holds another twice, and so on', withoutEnd()],
    ['one long text a thousand times', Array.from({ length: 1_000 }, () => 'x'.repeat(1_000_000))],
  ])('%s, before memory ends', (_, context) => {
    const issues = issuesOf({ ...minimal, context, temperature: 3 });
    expect(issues).toEqual([
      { field: '', message: expect.stringContaining('far too large') as string, limit: LIMITS.requestBytes },
    ]);
  });

  it('and is not listed without end', () => {
    const context = Array.from({ length: 100_000 }, () => Number.NaN);
    expect(issuesOf({ ...minimal, context })).toHaveLength(1_000);
  });

  it('what throws when it is read', () => {
    const throws = (): never => {
      throw new Error('broken');
    };
    const context = {
      getter: Object.defineProperty({}, 'a', { enumerable: true, get: throws }),
      proxy: new Proxy({}, { ownKeys: throws }),
      prototype: new Proxy({}, { getPrototypeOf: throws }),
    };
    const fields = issuesOf({ ...minimal, context }).map(({ field }) => field);
    expect(fields).toEqual(['context.getter', 'context.proxy', 'context.prototype']);
  });

  it('but one object in two places is', () => {
    const shared = { a: 1 };
    expect(issuesOf({ ...minimal, context: { left: shared, right: shared } })).toEqual([]);
  });

  it('and nothing of it reaches the prototype of the copy', () => {
    const { issues } = checkRunRequest(
      JSON.parse('{"assistant_id":"a","input":"b","__proto__":{"model":"m"}}'),
    );
    expect(issues?.map(({ field }) => field)).toEqual(['__proto__']);
    expect({}).not.toHaveProperty('model');
  });
});

describe('secrets', () => {
  const key = 'sk-proj-abcdefghijklmnopqrstuvwxyz123456';
  const mcp = (more: object) => ({ type: 'mcp', server_label: 'crm', ...more });

  it.each([
    ['a header', mcp({ headers: { Authorization: `Bearer ${key}` } }), 'tools.0.headers.Authorization'],
    [
      'any header that is not known to be harmless',
      mcp({ headers: { 'X-Tenant': 'acme' } }),
      'tools.0.headers.X-Tenant',
    ],
    ['authorization', mcp({ authorization: 'hunter2' }), 'tools.0.authorization'],
    ['a field called api_key', mcp({ api_key: 'hunter2' }), 'tools.0.api_key'],
    ['the shape of a key anywhere', mcp({ note: key }), 'tools.0.note'],
    ['a JWT', mcp({ x: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln' }), 'tools.0.x'],
    ['a password without a user in a URL', mcp({ note: 'redis://:hunter2@cache' }), 'tools.0.note'],
    ['a password in a URL', mcp({ server_url: 'https://me:hunter2@crm.example' }), 'tools.0.server_url'],
    ['a token in a query', mcp({ server_url: 'https://crm.example/?token=hunter2' }), 'tools.0.server_url'],
    ['a list', mcp({ headers: { 'X-Keys': ['hunter2'] } }), 'tools.0.headers.X-Keys.0'],
    [
      'a description of a function',
      { type: 'function', function: { name: 'f', description: key } },
      'tools.0.function.description',
    ],
    [
      'a reference with something beside it',
      mcp({ authorization: { secret: 'hunter2', or: 1 } }),
      'tools.0.authorization.secret',
    ],
  ])('written out in tools are refused: %s', (_, tool, field) => {
    const issues = issuesOf({ ...minimal, tools: [tool] });
    expect(issues.map((issue) => issue.field)).toEqual([field]);
    expect(issues[0]?.message).toContain('{"secret": "NAME"}');
    expect(JSON.stringify(issues)).not.toMatch(/hunter2|abcdefghijkl|acme|eyJ/);
  });

  it.each([
    [
      'references',
      mcp({ headers: { Authorization: { secret: 'CRM' } }, authorization: { secret: 'CRM_2' } }),
    ],
    ['harmless headers', mcp({ headers: { Accept: 'text/event-stream' } })],
    [
      'arguments of a function that are called so',
      {
        type: 'function',
        function: {
          name: 'log_in',
          parameters: {
            type: 'object',
            properties: {
              password: { type: 'string', description: 'The password' },
              token: { type: 'string' },
            },
            required: ['password'],
          },
        },
      },
    ],
  ])('that are none are let through: %s', (_, tool) => {
    expect(issuesOf({ ...minimal, tools: [tool] })).toEqual([]);
  });

  it('and content stand in no issue, wherever they are', () => {
    const wrong = {
      assistant_id: key,
      input: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'marked-prompt' } }] }],
      instructions: 'marked-prompt'.repeat(30_000),
      model: `${key}\n`,
      metadata: { a: 'marked-prompt'.repeat(60) },
      context: { text: 'marked-prompt'.repeat(9_000) },
      thread_id: `${key}/`,
      tools: [`${key}.x`],
      on_unfinished: key,
    };
    const { issues } = checkRunRequest(wrong);
    expect(issues?.length).toBeGreaterThanOrEqual(7);
    const told = `${JSON.stringify(issues)}${new InvalidRequestError(issues ?? []).message}`;
    expect(told).not.toMatch(/marked-prompt|abcdefghijkl/);
  });
});

describe('a long text', () => {
  // By patterns that can split a text in many ways, each of these would take hours.
  it.each([
    ['colons', `a://${':'.repeat(1_000_000)}`],
    ['almost a token, many times', 'eyJaaaaaaaaaa-'.repeat(100_000)],
    ['quotation marks', '"'.repeat(1_000_000)],
  ])('of %s is searched for secrets once', (_, note) => {
    const tools = [{ type: 'mcp', server_label: 'crm', note }];
    expect(issuesOf({ ...minimal, tools }).every(({ field }) => field === '')).toBe(true);
  });
});

describe('the id of a run', () => {
  it.each(['ticket-77', 'a/b c', 'ü'.repeat(512)])('may be %j', (id) => {
    expect(checkRunId(id)).toBeNull();
  });

  it.each(['', 'a'.repeat(513), 'a\nb', '\ud800', 5, undefined])('may not be %j', (id) => {
    expect(checkRunId(id)).toMatchObject({ field: 'id' });
  });
});

describe('the digest of a request', () => {
  it('is the same whatever the order of its keys, and whether null or absent', () => {
    const one = parseRunRequest({ assistant_id: 'a', input: 'b', context: { x: 1, y: [2] }, model: null });
    const two = parseRunRequest({ context: { y: [2], x: 1 }, input: 'b', assistant_id: 'a' });
    expect(requestDigest(one)).toBe(requestDigest(two));
    expect(requestDigest(one)).toMatch(/^[\da-f]{64}$/);
  });

  it('is another for another request', () => {
    const digests = [
      minimal,
      { ...minimal, input: 'Where is 1043?' },
      { ...minimal, context: null },
      { ...minimal, context: 0 },
      { ...minimal, tools: [] },
      full,
    ].map((request) => requestDigest(parseRunRequest(request)));
    expect(new Set(digests).size).toBe(5);
    expect(digests[0]).toBe(digests[2]);
  });

  it('is the RFC 8785 form that other languages can compute', () => {
    expect(requestDigest(parseRunRequest({ input: 'b', assistant_id: 'a' }))).toBe(
      // sha256 of {"assistant_id":"a","input":"b"}
      '164f3a63c5815c9d3295f3be5c356b2c2f778bad5b5f6eac5715e4e637a6e066',
    );
  });
});
