import { describe, expect, test } from 'vitest';
import type { LostLook, LostStep, ResolvedRun } from '../../src/backends/backend.ts';
import { readLostStep } from '../../src/backends/responses-lost.ts';
import type { JsonObject } from '../../src/run.ts';

const run = { messages: [{ role: 'user', content: 'Refund order 7' }] } as unknown as ResolvedRun;
const input = { id: 'm1', type: 'message', role: 'user', content: 'Refund order 7' };
const other = { id: 'm0', type: 'message', role: 'user', content: 'Something else' };
const said = { id: 'm2', type: 'message', role: 'assistant', content: 'Done.' };
const asked = { id: 'f1', type: 'function_call', call_id: 'c1', name: 'refund', arguments: '{}' };
const output = { id: 'o1', type: 'function_call_output', call_id: 'c1', output: 'refunded' };

const answer = (lost: Partial<LostStep>, items: readonly JsonObject[], complete = true): LostLook['answer'] =>
  readLostStep({ thread_id: 'conv', call_ids: null, first: true, ...lost }, run, {
    items,
    seen: items,
    newest: '',
    complete,
  }).answer;

describe('a lost create', () => {
  test.each<[string, readonly JsonObject[], LostLook['answer']]>([
    ['may work where nothing follows its input', [input], null],
    ['is over where an answer follows', [input, said], 'its'],
    ['is over where a call follows', [input, asked], 'its'],
    ['may work where its input has not come', [other], null],
    ["may work where another's answer stands last", [other, said], null],
    ['may work in an empty conversation', [], null],
  ])('%s', (_what, items, expected) => {
    expect(answer({}, items)).toBe(expected);
    expect(answer({}, items, false)).toBe(expected);
  });

  test('of a later attempt brings nothing that would tell whose the answer is', () => {
    expect(answer({ first: false }, [other])).toBeNull();
    expect(answer({ first: false }, [input, asked, output])).toBeNull();
    expect(answer({ first: false }, [input, said])).toBe('somebodys');
  });
});

describe('a lost submit', () => {
  test.each<[string, readonly JsonObject[], LostLook['answer']]>([
    ['may work where nothing follows its outputs', [input, asked, output], null],
    ['is over where an answer follows', [input, asked, output, said], 'its'],
    ['may work where its outputs have not come', [input, asked], null],
  ])('%s', (_what, items, expected) => {
    expect(answer({ call_ids: ['c1'], first: false }, items)).toBe(expected);
  });
});
