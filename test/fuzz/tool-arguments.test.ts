/** What a model sends as a call: each becomes a call to run or a refusal that it can read, and equal ones one effect. */
import type { Logger } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createToolActivities } from '../../src/activities/tools.ts';
import { LIMITS } from '../../src/contract.ts';
import type { FunctionToolCall, JsonObject } from '../../src/run.ts';
import { ACTIVITY_FAILURES } from '../../src/steps.ts';
import type { PlannedCall, ToolFailureDetails } from '../../src/steps.ts';
import { defineRemoteTool, defineTool } from '../../src/tools/define-tool.ts';
import { dropNulls } from '../../src/tools/drop-nulls.ts';
import { argumentsDigest, keyDigest } from '../../src/tools/effect-digest.ts';
import { canonicalText, canonicalValue } from '../../src/tools/exact-json.ts';
import { planCalls } from '../../src/tools/plan-calls.ts';
import { createRegistry } from '../../src/tools/registry.ts';
import { outputText } from '../../src/tools/tool-output.ts';
import { expectTold, fuzz } from '../support/fuzz.ts';
import {
  anyJson,
  anyMistake,
  anyText,
  anyValue,
  jsonText,
  mutated,
  realise,
} from '../support/fuzz-values.ts';
import { toolInput } from '../support/tool-fixtures.ts';

interface Tree {
  readonly name: string;
  readonly children?: readonly Tree[] | undefined;
}
const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get children() {
    return z.array(tree).optional();
  },
});

const parameters = z.object({
  order_id: z.string(),
  cents: z.number().int().optional(),
  how: z.union([z.literal('card'), z.object({ iban: z.string().nullable() })]).optional(),
  lines: z.array(z.object({ sku: z.string(), count: z.number().optional() })).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  tree: tree.optional(),
  when: z.iso.datetime().optional(),
});
const VALID: JsonObject = {
  order_id: '1042',
  cents: 7,
  how: { iban: null },
  lines: [{ sku: 'a', count: 1 }, { sku: 'b' }],
  labels: { a: 'b' },
  tree: { name: 'root', children: [{ name: 'leaf' }] },
};

const registry = createRegistry([
  defineTool({ name: 'pay', description: 'd', parameters, execute: (args) => args }),
  defineTool({
    name: 'refund',
    description: 'd',
    parameters,
    context: z.object({ tenant_id: z.string() }),
    effect: 'once',
    // Hands the model's own words on: whatever they are, an effect has a name or the call is refused.
    effectKey: (args, { context }) => [context.tenant_id, args.order_id, args.how, args.labels],
    execute: (args) => args,
  }),
  defineRemoteTool({
    name: 'geocode',
    description: 'd',
    parameters: {
      type: 'object',
      properties: { place: { $ref: '#/$defs/place' }, near: { type: ['string', 'null'] } },
      required: ['place'],
      $defs: {
        place: {
          anyOf: [{ type: 'string' }, { type: 'object', properties: { in: { $ref: '#/$defs/place' } } }],
        },
      },
    },
    activity: { taskQueue: 'python' },
  }),
]);
const names = registry.names();

const argumentText = fc.oneof(
  { arbitrary: mutated(VALID, anyJson).map(jsonText), weight: 3 },
  anyJson.map(jsonText),
  anyText,
  // Cut off, or with something after it, as a stream that broke off is.
  fc
    .tuple(mutated(VALID, anyJson).map(jsonText), fc.nat())
    .map(([json, at]) => json.slice(0, at % (json.length + 1))),
  anyText.map((text) => `${jsonText(VALID)}${text}`),
);
const call: fc.Arbitrary<FunctionToolCall> = fc.record({
  id: fc.oneof(fc.constantFrom('call_1', 'call_2'), anyText),
  type: fc.constant('function' as const),
  function: fc.record({
    name: fc.oneof({ arbitrary: fc.constantFrom(...names), weight: 4 }, anyText),
    arguments: argumentText,
  }),
});

const ignore = (): void => undefined;
const SILENT: Logger = {
  log: ignore,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};
const environment = (activityType: string): MockActivityEnvironment =>
  new MockActivityEnvironment({ activityType }, { logger: SILENT });

const HEX = /^[\da-f]{64}$/;

function expectPlanned(planned: PlannedCall): void {
  assert.match(planned.effect_digest, HEX);
  assert.match(planned.arguments_digest, HEX);
  const { refusal } = planned;
  if (refusal === null) {
    assert.ok(names.includes(planned.name));
    assert.notEqual(planned.policy, null);
    return;
  }
  assert.equal(planned.policy, null);
  expectTold(refusal.output);
  expect(JSON.parse(refusal.output)).toMatchObject({ error: { code: refusal.status } });
}

describe('a round of calls', () => {
  test('is planned, call for call, whatever the model sent', async () => {
    const round = fc.array(call, { minLength: 1, maxLength: 4 });
    expect(
      await fuzz(
        fc.property(round, mutated({ tenant_id: 'acme' }, anyJson), fc.boolean(), (calls, context, all) => {
          const allowed = new Set(all ? names : ['pay', '__proto__', 'constructor']);
          const planned = planCalls({ calls, allowed, registry, context: context as JsonObject });
          assert.deepEqual(
            planned.map(({ id }) => id),
            [...new Set(calls.map(({ id }) => id))],
          );
          planned.forEach(expectPlanned);
          for (const { name, refusal } of planned) if (refusal === null) assert.ok(allowed.has(name));
          // It crosses Temporal as JSON, in one payload.
          assert.deepEqual(JSON.parse(JSON.stringify(planned)), planned);
        }),
        400,
      ),
    ).toBeNull();
  });

  test('of ten thousand is planned as far as a round goes', () => {
    const calls = Array.from({ length: 10_000 }, (_, index) => ({
      id: `call_${index}`,
      type: 'function' as const,
      function: { name: 'pay', arguments: JSON.stringify({ order_id: String(index) }) },
    }));
    const planned = planCalls({ calls, allowed: new Set(names), registry, context: null });
    expect(planned).toHaveLength(10_000);
    expect(planned.filter(({ refusal }) => refusal === null)).toHaveLength(LIMITS.callsPerRound);
    expect(planned.at(-1)?.refusal?.status).toBe('too_many_calls');
  });
});

describe('the name of an effect', () => {
  test('is that of the same JSON in another order and spelling, and of no other', async () => {
    expect(
      await fuzz(
        fc.property(fc.json({ maxDepth: 4 }), fc.json({ maxDepth: 4 }), (one, other) => {
          const respelt = JSON.stringify(JSON.parse(one), null, 2);
          assert.equal(argumentsDigest('pay', respelt), argumentsDigest('pay', one));
          const same = canonicalText(one) === canonicalText(other);
          assert.equal(argumentsDigest('pay', one) === argumentsDigest('pay', other), same);
          assert.notEqual(argumentsDigest('refund', one), argumentsDigest('pay', one));
        }),
        500,
      ),
    ).toBeNull();
  });

  test('is given to any text, and null to a key that no JSON holds', async () => {
    expect(
      await fuzz(
        fc.property(argumentText, anyValue, (text, recipe) => {
          assert.match(argumentsDigest('pay', text), HEX);
          const key = realise(recipe);
          const named = keyDigest('refund', key);
          if (named !== null) assert.match(named, HEX);
          assert.equal(canonicalValue(key) === null, named === null);
        }),
        400,
      ),
    ).toBeNull();
  });

  test('keeps numbers apart that a double does not', async () => {
    expect(
      await fuzz(
        fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 200n }), (big) => {
          assert.notEqual(argumentsDigest('pay', `[${big}]`), argumentsDigest('pay', `[${big + 1n}]`));
          assert.equal(argumentsDigest('pay', `[${big}]`), argumentsDigest('pay', `[${big}.00e0]`));
        }),
      ),
    ).toBeNull();
  });

  test('of a number with a quarter of a million digits is found in one pass', () => {
    const digits = `1${'0'.repeat(LIMITS.argumentsBytes - 10)}1`;
    expect(argumentsDigest('pay', `[${digits}]`)).not.toBe(argumentsDigest('pay', `[${digits}0]`));
  });
});

describe('nulls that mean "left out"', () => {
  test('are dropped, and nothing else is', async () => {
    expect(
      await fuzz(
        fc.property(mutated(VALID, anyJson), (value) => {
          if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
          const { base } = registry.parameters('pay');
          const dropped = dropNulls(value as JsonObject, base);
          // Nothing is dropped a second time.
          assert.deepEqual(dropNulls(dropped, base), dropped);
          for (const [key, held] of Object.entries(value)) {
            if (held !== null) assert.ok(Object.hasOwn(dropped, key));
          }
        }),
        400,
      ),
    ).toBeNull();
  });
});

describe("a handler's output", () => {
  test('of anything becomes a text within the limit', async () => {
    expect(
      await fuzz(
        fc.property(anyValue, (recipe) => {
          const text = outputText('pay', realise(recipe), LIMITS.outputBytes);
          assert.ok(Buffer.byteLength(JSON.stringify(text)) <= LIMITS.outputBytes + 2);
          assert.equal(text.isWellFormed(), true);
        }),
        400,
      ),
    ).toBeNull();
  });
});

describe("a tool's activity", () => {
  const { runTool } = createToolActivities({ registry, secrets: ['a-secret-of-the-worker'] });
  const inputs = fc.oneof(
    { arbitrary: argumentText.map((text) => [toolInput('pay', { arguments: text })]), weight: 3 },
    fc
      .tuple(argumentText, anyJson)
      .map(([text, context]) => [toolInput('pay', { arguments: text, context: context as JsonObject })]),
    mutated(toolInput('pay'), anyJson).map((input) => [input]),
    fc.array(anyJson, { maxLength: 3 }),
  );

  test('gives a text, or fails by a type that the workflow knows', async () => {
    const types: readonly string[] = [
      ACTIVITY_FAILURES.toolFailed,
      ACTIVITY_FAILURES.notStarted,
      // The SDK's own, for an activity that this worker does not have: another one may.
      'NotFoundError',
    ];
    expect(
      await fuzz(
        fc.asyncProperty(inputs, async (args) => {
          const env = environment('pay');
          try {
            const output: unknown = await env.run(runTool, ...args);
            assert.equal(typeof output, 'string');
          } catch (error) {
            const failure = error as { type?: string; message: string; details?: ToolFailureDetails[] };
            if (!types.includes(String(failure.type))) throw error;
            expectTold(failure.message);
            if (failure.type === ACTIVITY_FAILURES.toolFailed) {
              const details = failure.details?.[0];
              expectTold(details?.output ?? '');
              assert.equal(details?.effect, 'none');
            }
          }
        }),
        300,
      ),
    ).toBeNull();
  });

  test('of a handler that throws or gives anything says nothing of it', async () => {
    expect(
      await fuzz(
        fc.asyncProperty(anyMistake, fc.boolean(), fc.boolean(), async (recipe, throws, later) => {
          const tools = createRegistry([
            defineTool({
              name: 'odd',
              description: 'd',
              parameters: z.object({}),
              execute: () => {
                const value = realise(recipe);
                if (throws) throw value;
                return later ? new Promise((resolve) => setImmediate(resolve, value)) : value;
              },
            }),
          ]);
          const env = environment('odd');
          const activities = createToolActivities({ registry: tools });
          const ran = env.run(activities.runTool, toolInput('odd', { arguments: '{}' }));
          const ended = await ran.then(
            (output: unknown) => ({ output: String(output) }),
            (error: { type?: string; details?: ToolFailureDetails[] }) => {
              if (error?.type !== ACTIVITY_FAILURES.toolFailed) throw error;
              return { output: error.details?.[0]?.output ?? '' };
            },
          );
          assert.equal(ended.output.isWellFormed(), true);
          assert.ok(Buffer.byteLength(ended.output) <= LIMITS.outputBytes + 2);
        }),
        300,
      ),
    ).toBeNull();
  });
});
