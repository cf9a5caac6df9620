import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { staleSchemas } from '../../scripts/generate-schema.ts';
import type { RunResult } from '../../src/contract.ts';
import { checkRunRequest } from '../../src/request.ts';
import { readRun } from '../../src/run.ts';
import type { ToolInput } from '../../src/steps.ts';

async function published(name: string): Promise<object> {
  const text = await readFile(new URL(`../../docs/schema/${name}`, import.meta.url), 'utf8');
  return JSON.parse(text) as object;
}

const validRequest = new Ajv2020({ strict: true, allErrors: true }).compile(
  await published('run-request.json'),
);
const validResult = new Ajv({ allowUnionTypes: true }).compile(await published('run-result.json'));
const validInput = new Ajv({ allowUnionTypes: true }).compile(await published('tool-input.json'));

function errorsOf(validate: ValidateFunction, value: unknown): readonly unknown[] {
  validate(value);
  return validate.errors ?? [];
}

const run = readRun({ id: 'ticket-77', status: 'completed', new_field: { of: 'a server' } });
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const result: RunResult = {
  run: run!,
  code: null,
  message: null,
  output_text: 'It has shipped.',
  refusal: null,
  messages: [{ id: 'msg_1', role: 'assistant', content: [{ type: 'text', text: 'It has shipped.' }] }],
  attempts: [],
  tool_calls: [],
  usage,
  warnings: [],
  issues: [],
};
const input: ToolInput = {
  run_id: 'ticket-77',
  thread_id: null,
  assistant_id: 'support',
  attempt: 1,
  attempt_id: 'run_1',
  tool_call_id: 'call_1',
  name: 'geocode',
  arguments: '{"city":"Ulm"}',
  context: { tenant_id: 'acme' },
  effect: 'none',
  idempotency_key: 'a/geocode/b/0',
};

describe('the published JSON Schemas', () => {
  it('are up to date: run `npm run schema` where this fails', async () => {
    expect(await staleSchemas()).toEqual([]);
  });

  it.each([
    { assistant_id: 'a', input: 'b' },
    { assistant_id: 'a', thread_id: 'thread_1', model: null, tools: null, metadata: null },
    {
      assistant_id: 'a',
      input: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a/b' } }] }],
      tools: ['get_order', { type: 'mcp', authorization: { secret: 'CRM' } }],
      response_format: { type: 'json_object' },
      tool_choice: 'auto',
      limits: { deadline_seconds: 0.5 },
    },
  ])('take the request that Drover takes: %j', (request) => {
    expect(checkRunRequest(request).issues).toBeUndefined();
    expect(errorsOf(validRequest, request)).toEqual([]);
  });

  it.each([
    {},
    { assistant_id: 5, input: 'b' },
    { assistant_id: 'a', input: 'b', unknown: 1 },
    { assistant_id: 'a', input: 'b', temperature: 2.5 },
    { assistant_id: 'a', input: 'b', metadata: { ['k'.repeat(65)]: 'v' } },
    {
      assistant_id: 'a',
      input: 'b',
      metadata: Object.fromEntries(Array.from({ length: 15 }, (_, i) => [i, 'v'])),
    },
    { assistant_id: 'a', input: 'b', thread_id: 'a/b' },
    { assistant_id: 'a', input: 'b', limits: { deadline_seconds: 0 } },
    { assistant_id: 'a', input: 'b', retry: { attempts: 1.5 } },
    { assistant_id: 'a', input: 'b', tools: ['a.b'] },
    { assistant_id: 'a', input: [{ role: 'system', content: 'b' }] },
  ])('refuse a request that Drover refuses: %j', (request) => {
    expect(checkRunRequest(request).issues).not.toHaveLength(0);
    expect(validRequest(request)).toBe(false);
  });

  it('take a result, with a status and fields that nobody knows yet', () => {
    expect(errorsOf(validResult, result)).toEqual([]);
    expect(validResult({ ...result, run: { ...run, status: 'pondering' }, later: 1 })).toBe(true);
    expect(validResult({ ...result, code: 'token_budget' })).toBe(true);
  });

  it('refuse what is no result', () => {
    expect(validResult({ ...result, code: 'no_such_code' })).toBe(false);
    expect(validResult({ ...result, run: undefined })).toBe(false);
  });

  it("take a tool's input and refuse what is none", () => {
    expect(errorsOf(validInput, input)).toEqual([]);
    expect(validInput({ ...input, idempotency_key: undefined })).toBe(false);
    expect(validInput({ ...input, effect: 'twice' })).toBe(false);
  });

  it.each(['run-request.json', 'run-result.json', 'tool-input.json'])(
    'hold only patterns that other languages read too: %s',
    async (name) => {
      const patterns = [...JSON.stringify(await published(name)).matchAll(/"pattern":"((?:[^"\\]|\\.)*)"/g)];
      expect(patterns.filter(([, pattern]) => /\\\\p\{|\(\?<[=!]/i.test(pattern ?? ''))).toEqual([]);
    },
  );
});
