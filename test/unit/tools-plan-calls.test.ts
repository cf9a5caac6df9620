import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { LIMITS } from '../../src/contract.ts';
import type { FunctionToolCall, Json } from '../../src/run.ts';
import { defineRemoteTool, defineTool } from '../../src/tools/define-tool.ts';
import { planCalls } from '../../src/tools/plan-calls.ts';
import { createRegistry } from '../../src/tools/registry.ts';

const nothing = (): string => '';
const registry = createRegistry([
  defineTool({
    name: 'get_order',
    description: 'd',
    parameters: z.object({ order_id: z.string(), note: z.string().optional() }),
    execute: nothing,
  }),
  defineTool({
    name: 'refund',
    description: 'd',
    parameters: z.object({ order_id: z.string(), cents: z.number().default(1) }),
    context: z.object({ tenant_id: z.string() }),
    effect: 'once',
    effectKey: ({ order_id }, { context }) => {
      if (order_id === 'breaks') throw new Error('broken');
      return [context.tenant_id, order_id];
    },
    execute: nothing,
  }),
  defineTool({
    name: 'slow_check',
    description: 'd',
    parameters: z.object({ a: z.string().refine(() => Promise.resolve(false)) }),
    execute: nothing,
  }),
  defineTool({
    name: 'broken_check',
    description: 'd',
    parameters: z.object({
      a: z.string().transform(() => {
        throw new Error('broken');
      }),
    }),
    execute: nothing,
  }),
  defineTool({ name: 'unlisted', description: 'd', parameters: z.object({}), execute: nothing }),
  defineRemoteTool({
    name: 'geocode',
    description: 'd',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
    activity: { taskQueue: 'python' },
  }),
]);
const allowed = new Set(['get_order', 'refund', 'slow_check', 'broken_check', 'geocode', 'not_registered']);

const call = (name: string, args: string, id = 'call_1'): FunctionToolCall => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
const plan = (calls: readonly FunctionToolCall[], context: Json = { tenant_id: 'acme' }) =>
  planCalls({ calls, allowed, registry, context });
function planOne(name: string, args: string, context?: Json) {
  const [planned] = plan([call(name, args)], context);
  if (planned === undefined) throw new Error('nothing was planned');
  return planned;
}
const errorOf = (planned: ReturnType<typeof planOne>): { code: string; message: string } =>
  (JSON.parse(planned.refusal?.output ?? '{"error":{}}') as { error: { code: string; message: string } })
    .error;

describe('planCalls', () => {
  test('plans a good call with its policy and digest', () => {
    const planned = planOne('get_order', '{"order_id":"1042","note":null}');
    expect(planned).toMatchObject({
      id: 'call_1',
      name: 'get_order',
      arguments: '{"order_id":"1042","note":null}',
      refusal: null,
      policy: { effect: 'idempotent' },
    });
    expect(planned.effect_digest).toMatch(/^[0-9a-f]{64}$/);
    expect(planned.arguments_digest).toBe(planned.effect_digest);
  });

  test('takes blank arguments for none', () => {
    expect(planOne('get_order', '').refusal?.output).toContain('order_id');
  });

  test.each([
    'nobody',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'drover.createRun',
    'drover.awaitRun',
    'drover.lookupEffect',
    'default',
    '',
    'not_registered',
    'get_order\n',
  ])('refuses the unknown name %j and lists what there is', (name) => {
    const planned = planOne(name, '{}');
    expect(planned).toMatchObject({ policy: null, refusal: { status: 'unknown_tool' } });
    expect(errorOf(planned)).toMatchObject({
      code: 'unknown_tool',
      message: expect.stringContaining('refund'),
    });
  });

  test('refuses a registered tool that the run does not allow', () => {
    const planned = planOne('unlisted', '{}');
    expect(planned).toMatchObject({ policy: null, refusal: { status: 'not_allowed' } });
  });

  test('keeps little of names and arguments of a megabyte', () => {
    const planned = planOne('n'.repeat(1e6), 'a'.repeat(1e6));
    expect(planned.refusal?.status).toBe('unknown_tool');
    expect(JSON.stringify(planned).length).toBeLessThan(4_096);
    const tooLarge = planOne('get_order', JSON.stringify({ order_id: 'a'.repeat(LIMITS.argumentsBytes) }));
    expect(tooLarge.refusal?.status).toBe('bad_arguments');
    expect(JSON.stringify(tooLarge).length).toBeLessThan(4_096);
  });

  test.each([
    ['text that is no JSON', '{"order_id":"1042"', 'not valid JSON'],
    ['a list', '["1042"]', 'one JSON object'],
    ['null', 'null', 'one JSON object'],
    ['a missing field', '{}', 'order_id'],
    ['a field of another type', '{"order_id":1042}', 'order_id: Invalid input: expected string'],
    ['too deep a nesting', `{"order_id":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 'nested deeper'],
  ])('refuses %s with what to mend', (_, args, message) => {
    const planned = planOne('get_order', args);
    expect(planned).toMatchObject({ policy: null, refusal: { status: 'bad_arguments' } });
    expect(errorOf(planned)).toMatchObject({
      code: 'bad_arguments',
      message: expect.stringContaining(message),
    });
  });

  test('says what is wrong in a bounded text, however much is wrong', () => {
    const many = createRegistry([
      defineTool({
        name: 'many',
        description: 'd',
        parameters: z.object({ list: z.array(z.enum(Array.from({ length: 500 }, (_, i) => `value_${i}`))) }),
        execute: nothing,
      }),
    ]);
    const args = JSON.stringify({ list: Array.from({ length: 900 }, () => 'x') });
    const [planned] = planCalls({
      calls: [call('many', args)],
      allowed: new Set(['many']),
      registry: many,
      context: null,
    });
    expect(planned?.refusal?.output.length).toBeLessThan(2_000);
    expect(planned?.refusal?.output).toContain('and 895 more');
  });

  test('checks the arguments of a remote tool by its JSON Schema', () => {
    expect(planOne('geocode', '{"place":"Bern"}')).toMatchObject({ refusal: null, policy: { remote: true } });
    expect(planOne('geocode', '{"place":null}').refusal?.status).toBe('bad_arguments');
  });

  test('leaves to the handler what cannot be checked at once', () => {
    expect(planOne('slow_check', '{"a":"x"}').refusal).toBeNull();
    expect(planOne('broken_check', '{"a":"x"}').refusal).toBeNull();
  });

  test('names an effect by what effectKey gives', () => {
    const one = planOne('refund', '{"order_id":"1","cents":5}');
    const two = planOne('refund', '{"order_id":"1","cents":6}');
    expect(one.effect_digest).toBe(two.effect_digest);
    expect(one.arguments_digest).not.toBe(two.arguments_digest);
    expect(planOne('refund', '{"order_id":"2"}').effect_digest).not.toBe(one.effect_digest);
    expect(planOne('refund', '{"order_id":"1"}', { tenant_id: 'other' }).effect_digest).not.toBe(
      one.effect_digest,
    );
  });

  test.each([
    ['breaks', '{"order_id":"breaks"}', { tenant_id: 'acme' }],
    ['is given a context that does not fit', '{"order_id":"1"}', null],
  ])('refuses a call whose effect cannot be named: effectKey %s', (_, args, context) => {
    expect(planOne('refund', args, context).refusal?.status).toBe('bad_arguments');
  });

  test('never asks effectKey about arguments that do not fit', () => {
    expect(planOne('refund', '{"order_id":["breaks"]}').refusal?.status).toBe('bad_arguments');
  });

  test('plans one call for an id that comes twice: the first', () => {
    const planned = plan([call('get_order', '{"order_id":"1"}'), call('refund', '{"order_id":"2"}')]);
    expect(planned.map(({ name }) => name)).toEqual(['get_order']);
  });

  test('refuses the calls past the limit, and each has an answer', () => {
    const calls = Array.from({ length: LIMITS.callsPerRound + 3 }, (_, index) =>
      call('get_order', '{"order_id":"1"}', `call_${index}`),
    );
    const planned = plan(calls);
    expect(planned).toHaveLength(calls.length);
    const refused = planned.filter(({ refusal }) => refusal !== null);
    expect(refused.map(({ id }) => id)).toEqual(calls.slice(LIMITS.callsPerRound).map(({ id }) => id));
    expect(refused.every(({ refusal }) => refusal?.status === 'too_many_calls')).toBe(true);
  });

  test('refuses calls whose arguments would not cross Temporal together', () => {
    const args = JSON.stringify({ order_id: 'a'.repeat(200_000) });
    const planned = plan(Array.from({ length: 8 }, (_, index) => call('get_order', args, `call_${index}`)));
    expect(planned.filter(({ refusal }) => refusal === null)).toHaveLength(5);
    expect(Buffer.byteLength(JSON.stringify(planned))).toBeLessThan(1_500_000);
  });
});
