/** The configuration, the tools in it and the environment: read, or refused by one error that names every mistake. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import type { ResponsesOptions } from '../../src/backends/responses.ts';
import { isConfigError } from '../../src/config-error.ts';
import type { DroverConfig } from '../../src/config.ts';
import { ENVIRONMENT, readEnvironment } from '../../src/env.ts';
import { loadConfig } from '../../src/load-config.ts';
import { dropNulls } from '../../src/tools/drop-nulls.ts';
import { defineRemoteTool, defineTool } from '../../src/tools/define-tool.ts';
import type { AnyTool } from '../../src/tools/define-tool.ts';
import { createRegistry } from '../../src/tools/registry.ts';
import { isToolDefinitionError } from '../../src/tools/tool-error.ts';
import { expectIssues, expectTold, fuzz } from '../support/fuzz.ts';
import { anyJson, anyMistake, anyText, mutated, realise } from '../support/fuzz-values.ts';

const SECRET = 'MARKED-SECRET-0123456789';

const TOOL: AnyTool = defineTool({
  name: 'refund',
  description: 'Refunds an order.',
  parameters: z.object({ order_id: z.string(), cents: z.number().optional() }),
  context: z.object({ tenant_id: z.string() }),
  effect: 'once',
  effectKey: ({ order_id }) => [order_id],
  onUnknown: 'wait',
  lookup: () => ({ status: 'unknown' }),
  maxOutputBytes: 1_000,
  activity: {
    startToCloseTimeout: '1 minute',
    retry: { maximumAttempts: 2, initialInterval: '1 second' },
    priority: { priorityKey: 1, fairnessKey: 'a', fairnessWeight: 1 },
  },
  execute: () => 'done',
});
const REMOTE = {
  kind: 'remote',
  name: 'geocode',
  description: 'Where it is.',
  parameters: {
    type: 'object',
    properties: {
      place: { $ref: '#/$defs/place' },
      how: { oneOf: [{ type: 'string', enum: ['a', 'b'] }, { type: 'null' }] },
      list: { type: 'array', items: { type: 'integer', minimum: 0 } },
    },
    required: ['place'],
    additionalProperties: false,
    $defs: { place: { type: 'object', properties: { in: { $ref: '#/$defs/place' } } } },
  },
  activity: { taskQueue: 'python', heartbeatTimeout: 5_000 },
} as const;

const ONE = responses({ apiKey: SECRET });
const TWO = assistants({ apiKey: SECRET });
const CONFIG = {
  taskQueue: 'drover',
  backends: { one: (name: string) => ONE(name), two: (name: string) => TWO(name) },
  defaultBackend: 'one',
  assistants: {
    support: { model: 'm', instructions: 'Be kind.', tools: ['refund'], provider_assistant_id: 'asst_1' },
  },
  tools: [TOOL, REMOTE],
  limits: { deadline_seconds: 60, attempt_seconds: 30, rounds: 3 },
  retry: { attempts: 2, expired: 'end' },
  secrets: { MCP: SECRET, ROTATED: () => SECRET },
  dataConverter: { payloadCodecs: [{ encode: () => [], decode: () => [] }] },
  worker: { maxConcurrentActivityTaskExecutions: 10 },
  metrics: { prometheus: '0.0.0.0:9464' },
};

function expectLoadedOrRefused(recipe: unknown): void {
  try {
    const config = loadConfig(realise(recipe) as DroverConfig);
    assert.equal(Object.isFrozen(config), true);
    assert.notEqual(config.backends.get(config.defaultBackend), undefined);
    for (const name of config.registry.names()) JSON.stringify(config.registry.definition(name));
  } catch (error) {
    if (!isConfigError(error)) throw error;
    expectTold(error.message);
    expectIssues(error.issues);
    assert.ok(!error.message.includes(SECRET));
  }
}

describe('a configuration', () => {
  test('of anything at all is refused by name', async () => {
    expect(await fuzz(fc.property(anyMistake, expectLoadedOrRefused))).toBeNull();
  });

  test('with something odd in it is loaded or refused by name, without its secrets', async () => {
    assert.deepEqual(loadConfig(CONFIG as unknown as DroverConfig).registry.names(), ['refund', 'geocode']);
    expect(await fuzz(fc.property(mutated(CONFIG, anyMistake), expectLoadedOrRefused), 300)).toBeNull();
  });

  test('with an odd backend in it is refused by name', async () => {
    const options: ResponsesOptions = {
      baseURL: 'http://127.0.0.1:1/v1',
      apiKey: SECRET,
      query: { 'api-version': '1' },
      headers: { 'x-key': SECRET },
      timeoutMs: 1_000,
      mode: 'foreground',
      store: false,
      body: { service_tier: 'flex' },
    };
    const wires = [responses, assistants] as const;
    expect(
      await fuzz(
        fc.property(fc.constantFrom(...wires), mutated(options, anyMistake), (wire, recipe) => {
          // The factory itself may refuse what it is given, before there is a configuration.
          const backend = (name: string) => wire(realise(recipe) as ResponsesOptions)(name);
          expectLoadedOrRefused({ backends: { odd: backend } });
        }),
        150,
      ),
    ).toBeNull();
  });
});

describe('a tool', () => {
  const define = (recipe: unknown): readonly AnyTool[] => {
    const given = realise(recipe) as AnyTool;
    return [given];
  };

  test('with something odd in it is registered or refused by name', async () => {
    const tools = fc.oneof(mutated({ ...TOOL }, anyMistake), mutated(REMOTE, anyMistake), anyMistake);
    expect(
      await fuzz(
        fc.property(tools, (recipe) => {
          try {
            const registry = createRegistry(define(recipe));
            for (const name of registry.names()) {
              JSON.stringify([registry.definition(name), registry.policy(name)]);
            }
          } catch (error) {
            if (!isToolDefinitionError(error)) throw error;
            expectTold(error.message);
            expectIssues(error.issues);
          }
        }),
        400,
      ),
    ).toBeNull();
  });

  test('of any schema takes arguments or refuses them', async () => {
    const schema = mutated(REMOTE.parameters, fc.oneof(anyJson, schemaParts));
    expect(
      await fuzz(
        fc.property(schema, anyJson, (recipe, value) => {
          const parameters = realise(recipe) as typeof REMOTE.parameters;
          try {
            const tool = defineRemoteTool({ ...REMOTE, parameters, activity: { taskQueue: 'python' } });
            const registry = createRegistry([tool]);
            const { base, check } = registry.parameters('geocode');
            if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
              dropNulls(value as Parameters<typeof dropNulls>[0], base);
            }
            check.safeParse(value);
          } catch (error) {
            if (!isToolDefinitionError(error)) throw error;
            expectIssues(error.issues);
          }
        }),
        500,
      ),
    ).toBeNull();
  });
});

/** What schemas are made of, circles and broken references included. */
const schemaParts = fc.constantFrom<unknown>(
  { $ref: '#' },
  { $ref: '#/$defs/place' },
  { $ref: '#/$defs/none' },
  { $ref: '#/%' },
  { $ref: 'https://example.com/schema.json' },
  { anyOf: [{ $ref: '#/$defs/place' }, { $ref: '#/$defs/place' }] },
  { allOf: [{ $ref: '#/$defs/place' }] },
  { anyOf: [{ type: 'null' }, { $ref: '#' }] },
  { type: 'string', pattern: '(' },
  { type: 'array' },
  { type: ['object', 'null'] },
  { const: null },
  { enum: [] },
  { not: {} },
  true,
  false,
);

describe('the environment', () => {
  test('of anything is read or refused by name', async () => {
    const text = anyText.map((given) => given.replaceAll('\u0000', '').toWellFormed());
    const variables = fc.dictionary(
      fc.constantFrom(...Object.keys(ENVIRONMENT), 'DROVER_', 'DROVER_x', 'DROVER_LOGLEVEL'),
      text,
    );
    expect(
      await fuzz(
        fc.property(variables, (env) => {
          try {
            readEnvironment({ ...env });
          } catch (error) {
            if (!isConfigError(error)) throw error;
            expectTold(error.message);
            expectIssues(error.issues);
          }
        }),
        300,
      ),
    ).toBeNull();
  });
});
