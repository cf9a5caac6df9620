import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  incompleteReason,
  isKnownStatus,
  isTerminal,
  pendingCalls,
  readRun,
  RUN_PROPERTIES,
  RUN_STATUSES,
} from '../../src/run.ts';
import type { RunObject, RunStatus } from '../../src/run.ts';
import { isLegalTransition, TRANSITIONS } from '../../src/run-transitions.ts';

/** A run with a value of its own in each of the 27 properties: no real run has all of them at once. */
const FULL = {
  id: 'run_1',
  object: 'thread.run',
  created_at: 1_700_000_000,
  thread_id: 'thread_1',
  assistant_id: 'asst_1',
  status: 'requires_action',
  required_action: {
    type: 'submit_tool_outputs',
    submit_tool_outputs: {
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'get_order', arguments: '{"id":7}' } },
      ],
    },
  },
  last_error: { code: 'server_error', message: 'It broke.' },
  expires_at: 1_700_000_600,
  started_at: 1_700_000_001,
  cancelled_at: 1_700_000_002,
  failed_at: 1_700_000_003,
  completed_at: 1_700_000_004,
  incomplete_details: { reason: 'max_prompt_tokens' },
  model: 'a-model',
  instructions: 'Be brief.',
  tools: [{ type: 'function', function: { name: 'get_order', parameters: { type: 'object' } } }],
  metadata: { ticket: '77' },
  usage: { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 },
  temperature: 0.25,
  top_p: 0.5,
  max_prompt_tokens: 5_000,
  max_completion_tokens: 4_000,
  truncation_strategy: { type: 'last_messages', last_messages: 7 },
  tool_choice: { type: 'function', function: { name: 'get_order' } },
  parallel_tool_calls: false,
  response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } },
} as const;

const read = (fields: object): RunObject => {
  const run = readRun({ id: 'run_1', status: 'queued', ...fields });
  if (run === null) throw new Error('It was not read as a run.');
  return run;
};

describe('the properties of a run', () => {
  test('are 27', () => {
    expect(RUN_PROPERTIES).toHaveLength(27);
    expect(new Set(RUN_PROPERTIES).size).toBe(27);
    expect(Object.keys(FULL)).toEqual(RUN_PROPERTIES);
  });

  test.each(RUN_PROPERTIES)('%s is read as it was sent', (property) => {
    expect(readRun(FULL)?.[property]).toEqual(FULL[property]);
  });

  const optional = RUN_PROPERTIES.filter((property) => !['id', 'object', 'status'].includes(property));

  test.each(optional)('%s is null where it is missing', (property) => {
    const { [property]: _left, ...rest } = FULL;
    const run = readRun(rest);
    expect(run).toHaveProperty(property, null);
    expect({ ...run, [property]: undefined }).toEqual({ ...FULL, [property]: undefined });
  });

  test.each(optional)('%s is null where it is null', (property) => {
    expect(readRun({ ...FULL, [property]: null })).toHaveProperty(property, null);
  });

  test.each(
    optional.filter((name) => !['truncation_strategy', 'tool_choice', 'response_format'].includes(name)),
  )('%s is no crash where it is of another type', (property) => {
    const odd = [[], {}, '', 'odd', 0, -1, true, Number.NaN, [null], [[null]], { odd: null }];
    for (const value of odd) expect(readRun({ ...FULL, [property]: value })?.id).toBe('run_1');
  });

  test('unknown ones are kept as they came', () => {
    const extras = {
      tool_resources: { file_search: {} },
      reasoning_effort: 'high',
      file_ids: [],
      novel: null,
    };
    expect(readRun({ ...FULL, ...extras })).toEqual({ ...FULL, ...extras });
  });

  test('those within its objects are kept too', () => {
    const run = read({
      usage: {
        prompt_tokens: 1,
        completion_tokens: 2,
        total_tokens: 3,
        prompt_token_details: { cached_tokens: 1 },
      },
      last_error: { code: 'server_error', message: 'x', param: 'y' },
      required_action: { type: 'submit_tool_approval', submit_tool_approval: { tool_calls: [] } },
      incomplete_details: { reason: 'length', at: 3 },
    });
    expect(run).toMatchObject({
      usage: { prompt_token_details: { cached_tokens: 1 } },
      last_error: { param: 'y' },
      required_action: { type: 'submit_tool_approval', submit_tool_approval: { tool_calls: [] } },
      incomplete_details: { reason: 'length', at: 3 },
    });
  });

  test('reading it a second time changes nothing', () => {
    const once = readRun(FULL);
    expect(readRun(once)).toEqual(once);
    const sparse = read({});
    expect(readRun(sparse)).toEqual(sparse);
  });

  test.each([
    null,
    undefined,
    'run_1',
    7,
    [],
    [FULL],
    {},
    { id: 'run_1' },
    { status: 'queued' },
    { id: '', status: 'queued' },
    { id: 'run_1', status: '' },
    { id: 7, status: 'queued' },
    { id: 'run_1', status: null },
  ])('%j is no run', (value) => {
    expect(readRun(value)).toBeNull();
  });
});

describe('shapes that other servers send', () => {
  const TIMES = [
    'created_at',
    'expires_at',
    'started_at',
    'cancelled_at',
    'failed_at',
    'completed_at',
  ] as const;

  test.each(TIMES)('%s may be a fraction, 0 or absent', (time) => {
    expect(read({ [time]: 1_700_000_000.75 })[time]).toBe(1_700_000_000);
    expect(read({ [time]: 0 })[time]).toBeNull();
    expect(read({ [time]: 0.25 })[time]).toBeNull();
    expect(read({})[time]).toBeNull();
  });

  test('required_action may be an empty object', () => {
    const run = read({ status: 'in_progress', required_action: {} });
    expect(run.required_action).toBeNull();
    expect(pendingCalls(run)).toEqual([]);
  });

  test.each(['7', 'f'.repeat(32), 'x'.repeat(200), '0195f9e0-0000-7000-8000-000000000000'])(
    'an id may be %s',
    (id) => {
      expect(readRun({ ...FULL, id })?.id).toBe(id);
    },
  );

  test('last_error may be a plain string, empty, or without a code or message', () => {
    expect(read({ last_error: 'CUDA out of memory' }).last_error).toEqual({
      code: 'server_error',
      message: 'CUDA out of memory',
    });
    expect(read({ last_error: '' }).last_error).toBeNull();
    expect(read({ last_error: {} }).last_error).toBeNull();
    expect(read({ last_error: { message: 'x' } }).last_error).toEqual({ code: 'server_error', message: 'x' });
    expect(read({ last_error: { code: 'tool_user_error' } }).last_error).toEqual({
      code: 'tool_user_error',
      message: '',
    });
  });

  test('a queued answer may have almost every field null', () => {
    const nulls = Object.fromEntries(RUN_PROPERTIES.map((property) => [property, null]));
    const run = readRun({ ...nulls, id: 'run_1', status: 'queued' });
    expect(run).toEqual({ ...nulls, id: 'run_1', object: 'thread.run', status: 'queued' });
  });

  test('usage may lack its sum or its parts', () => {
    expect(read({ usage: { prompt_tokens: 3, completion_tokens: 4 } }).usage?.total_tokens).toBe(7);
    expect(read({ usage: {} }).usage).toEqual({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
  });

  test('metadata may hold numbers, and then holds their text', () => {
    expect(read({ metadata: { step: 3, done: true } }).metadata).toEqual({ step: '3', done: 'true' });
  });

  test('metadata may hold objects that have no text of their own', () => {
    const held = { toString: 1, valueOf: null };
    expect(read({ metadata: { held } }).metadata).toEqual({ held: '{"toString":1,"valueOf":null}' });
  });

  test.each([
    ['a megabyte', 'r'.repeat(1_048_576)],
    ['half a surrogate pair', 'run_\ud800'],
    ['a line break', 'run_1\n    at somewhere'],
  ])('an id of %s is none', (_, id) => {
    expect(readRun({ id, status: 'queued' })).toBeNull();
    const calls = [{ id, function: { name: 'f', arguments: '{}' } }];
    const run = read({
      status: 'requires_action',
      required_action: { submit_tool_outputs: { tool_calls: calls } },
    });
    expect(pendingCalls(run)).toEqual([]);
  });

  test('a status longer than any name is none', () => {
    expect(readRun({ id: 'run_1', status: 's'.repeat(65) })).toBeNull();
    expect(readRun({ id: 'run_1', status: 'brand_new' })?.status).toBe('brand_new');
  });

  test('tools may hold entries that are no tools, and those are left out', () => {
    const tool = { type: 'code_interpreter' };
    expect(read({ tools: [null, tool, 'file_search', 7] }).tools).toEqual([tool]);
  });

  test('arguments may be an object instead of text, or be missing', () => {
    const calls = [
      { id: 'a', function: { name: 'f', arguments: { n: 1 } } },
      { id: 'b', function: { name: 'f' } },
    ];
    const run = read({
      status: 'requires_action',
      required_action: { submit_tool_outputs: { tool_calls: calls } },
    });
    expect(run.required_action?.type).toBe('submit_tool_outputs');
    expect(pendingCalls(run).map((call) => call.function.arguments)).toEqual(['{"n":1}', '{}']);
  });
});

describe('the status of a run', () => {
  test('is one of nine, five of them terminal', () => {
    expect(RUN_STATUSES).toHaveLength(9);
    expect(RUN_STATUSES.filter((status) => isTerminal(status)).sort()).toEqual([
      'cancelled',
      'completed',
      'expired',
      'failed',
      'incomplete',
    ]);
    for (const status of RUN_STATUSES) expect(isKnownStatus(status)).toBe(true);
  });

  test.each(['pondering', 'Completed', 'constructor', '__proto__', 'toString', 'canceled', ' completed'])(
    'may be one that nobody knows (%s), which is kept and never terminal',
    (status) => {
      const run = read({ status });
      expect(run.status).toBe(status);
      expect(isTerminal(run.status)).toBe(false);
      expect(isKnownStatus(run.status)).toBe(false);
    },
  );

  const ENDS = { cancelled_at: 5, failed_at: 5, completed_at: 5, started_at: 4 };

  test.each(RUN_STATUSES)(
    'is not inferred from a timestamp: %s stays so whatever times are set',
    (status) => {
      expect(read({ status, ...ENDS }).status).toBe(status);
      expect(read({ status }).status).toBe(status);
    },
  );

  test('does not invent a timestamp either', () => {
    const { completed_at, cancelled_at, failed_at, started_at } = read({ status: 'completed' });
    expect([completed_at, cancelled_at, failed_at, started_at]).toEqual([null, null, null, null]);
  });
});

describe('changes of status', () => {
  const reached = (start: RunStatus): ReadonlySet<RunStatus> => {
    const seen = new Set<RunStatus>([start]);
    for (const status of seen) {
      for (const { from, to } of TRANSITIONS) if (from === status) seen.add(to);
    }
    return seen;
  };

  test('begin with a create and reach each of the nine', () => {
    expect([...reached('queued')].sort()).toEqual([...RUN_STATUSES].sort());
  });

  test('never leave a terminal status', () => {
    expect(TRANSITIONS.filter(({ from }) => from !== null && isTerminal(from))).toEqual([]);
    for (const from of RUN_STATUSES.filter((status) => isTerminal(status))) {
      for (const to of RUN_STATUSES)
        expect([from, to, isLegalTransition(from, to)]).toEqual([from, to, from === to]);
    }
  });

  test('stand once each in the table, with a cause and a source', () => {
    const pairs = TRANSITIONS.map(({ from, to }) => `${from} ${to}`);
    expect(new Set(pairs).size).toBe(pairs.length);
    for (const { cause, source } of TRANSITIONS) {
      expect(cause).not.toBe('');
      expect(['documented', 'observed']).toContain(source);
    }
  });

  test('are legal exactly as the table says', () => {
    const listed = new Set(TRANSITIONS.map(({ from, to }) => `${from} ${to}`));
    for (const from of [null, ...RUN_STATUSES]) {
      for (const to of RUN_STATUSES) {
        const legal = from === to || listed.has(`${from} ${to}`);
        expect([from, to, isLegalTransition(from, to)]).toEqual([from, to, legal]);
      }
    }
  });

  test('to and from a status that nobody knows are anybody’s guess', () => {
    expect(isLegalTransition('queued', 'pondering')).toBe(true);
    expect(isLegalTransition('pondering', 'completed')).toBe(true);
    expect(isLegalTransition('completed', 'pondering')).toBe(true);
  });

  test('out of every status that is not terminal there is a way to an end', () => {
    for (const status of RUN_STATUSES) {
      expect([status, [...reached(status)].some((held) => isTerminal(held))]).toEqual([status, true]);
    }
  });
});

describe('the calls that a run waits for', () => {
  const calls = [
    { id: 'call_1', type: 'function', function: { name: 'a', arguments: '{}' } },
    { id: 'call_2', type: 'function', function: { name: 'b', arguments: 'no json' } },
  ];
  const action = (tool_calls: unknown): object => ({
    required_action: { type: 'submit_tool_outputs', submit_tool_outputs: { tool_calls } },
  });

  test('are all of its action, in order', () => {
    expect(pendingCalls(read({ status: 'requires_action', ...action(calls) }))).toEqual(calls);
  });

  test.each(RUN_STATUSES.filter((status) => status !== 'requires_action'))(
    'are none while it is %s',
    (status) => {
      expect(pendingCalls(read({ status, ...action(calls) }))).toEqual([]);
    },
  );

  test.each([
    undefined,
    null,
    {},
    'call_1',
    [null, 7, 'call_1', {}, { id: 'x' }, { id: 7, function: { name: 'a' } }, { id: 'x', function: null }],
  ])('are none where the action names none (%j)', (given) => {
    expect(pendingCalls(read({ status: 'requires_action', ...action(given) }))).toEqual([]);
    expect(pendingCalls(read({ status: 'requires_action', required_action: null }))).toEqual([]);
  });

  test('are none where it waits for an approval', () => {
    const required_action = {
      type: 'submit_tool_approval',
      submit_tool_approval: { tool_calls: [{ id: 'call_1', type: 'mcp', name: 'search' }] },
    };
    expect(pendingCalls(read({ status: 'requires_action', required_action }))).toEqual([]);
  });
});

describe('why a run is incomplete', () => {
  test.each([
    ['max_completion_tokens', 'max_completion_tokens'],
    ['max_output_tokens', 'max_completion_tokens'],
    ['max_tokens', 'max_completion_tokens'],
    ['length', 'max_completion_tokens'],
    ['max_prompt_tokens', 'max_prompt_tokens'],
    ['content_filter', 'content_filter'],
    ['max_messages', 'other'],
    ['__proto__', 'other'],
    [7, 'other'],
    [undefined, 'other'],
  ])('%s is %s', (reason, expected) => {
    expect(incompleteReason(read({ status: 'incomplete', incomplete_details: { reason } }))).toBe(expected);
  });

  test('is not known without details', () => {
    expect(incompleteReason(read({ status: 'incomplete' }))).toBe('other');
    expect(incompleteReason(read({ status: 'incomplete', incomplete_details: 'length' }))).toBe('other');
  });
});

interface Example {
  readonly label: string;
  readonly payload: unknown;
}

const folder = process.env['DROVER_OPENAPI_DIR'] ?? '';
const examplesFile = join(folder, 'run-examples.json');
const descriptionFile = join(folder, 'openai-openapi.yaml');
const hasExamples = folder !== '' && existsSync(examplesFile);
const hasDescription = folder !== '' && existsSync(descriptionFile);

describe.skipIf(!hasExamples)(
  'real and official examples (skipped where DROVER_OPENAPI_DIR is unset)',
  () => {
    const held = hasExamples
      ? (JSON.parse(readFileSync(examplesFile, 'utf8')) as Record<string, readonly Example[]>)
      : {};
    const examples = ['runs', 'azure', 'lists', 'stream'].flatMap((part) => runsIn(held[part] ?? [], part));

    test('are there', () => {
      expect(examples.length).toBeGreaterThan(30);
    });

    test.each(examples)('$label: every property is what was sent, or null', ({ payload }) => {
      const run = readRun(payload);
      expect(run).not.toBeNull();
      for (const property of RUN_PROPERTIES) {
        const sent = property === 'object' ? 'thread.run' : (payload[property] ?? null);
        expect([property, run?.[property]]).toEqual([property, sent]);
      }
      expect(run).toMatchObject(payload);
      expect(pendingCalls(read(payload)).every(({ id }) => id.startsWith('call_'))).toBe(true);
      expect(isKnownStatus(run?.status ?? '')).toBe(true);
    });
  },
);

/** Every run in examples of runs, lists of runs and streams of events. */
function runsIn(
  examples: readonly Example[],
  part: string,
): { label: string; payload: Record<string, unknown> }[] {
  const found: { label: string; payload: Record<string, unknown> }[] = [];
  const visit = (value: unknown, label: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if ((value as { object?: unknown }).object === 'thread.run') {
      found.push({ label: `${part}, ${label}`, payload: value as Record<string, unknown> });
      return;
    }
    for (const [key, inner] of Object.entries(value)) visit(inner, `${label}.${key}`);
  };
  for (const { label, payload } of examples) visit(payload, label);
  return found;
}

describe.skipIf(!hasDescription)(
  'the official description (skipped where DROVER_OPENAPI_DIR is unset)',
  () => {
    interface Schemas {
      readonly components: {
        readonly schemas: Record<
          string,
          { readonly properties: Record<string, { readonly enum?: readonly string[] }> }
        >;
      };
    }
    const schemas = hasDescription
      ? (parse(readFileSync(descriptionFile, 'utf8')) as Schemas).components.schemas
      : {};

    test('has no property of a run that is not among the 27', () => {
      expect(Object.keys(schemas['RunObject']?.properties ?? {}).sort()).toEqual([...RUN_PROPERTIES].sort());
    });

    test('has the nine statuses and no other', () => {
      expect([...(schemas['RunObject']?.properties['status']?.enum ?? [])].sort()).toEqual(
        [...RUN_STATUSES].sort(),
      );
    });
  },
);
