import { describe, expect, test } from 'vitest';
import type { LostStep, ResolvedRun } from '../../src/backends/backend.ts';
import { mayWork } from '../../src/backends/responses-lost.ts';
import type { JsonObject } from '../../src/run.ts';

const run = { messages: [{ role: 'user', content: 'Refund order 7' }] } as unknown as ResolvedRun;
const input = { id: 'm1', type: 'message', role: 'user', content: 'Refund order 7' };
const other = { id: 'm0', type: 'message', role: 'user', content: 'Something else' };
const said = { id: 'm2', type: 'message', role: 'assistant', content: 'Done.' };
const asked = { id: 'f1', type: 'function_call', call_id: 'c1', name: 'refund', arguments: '{}' };
const output = { id: 'o1', type: 'function_call_output', call_id: 'c1', output: 'refunded' };

const works = (lost: Partial<LostStep>, items: readonly JsonObject[], complete = true): boolean =>
  mayWork({ thread_id: 'conv', call_ids: null, first: true, ...lost }, run, {
    items,
    seen: items,
    newest: '',
    complete,
  });

describe('a lost create', () => {
  test.each([
    ['may work where nothing follows its input', [input], true],
    ['is over where an answer follows', [input, said], false],
    ['is over where a call follows', [input, asked], false],
    ['was never made where its input did not come', [other], false],
    ['was never made in an empty conversation', [], false],
  ])('%s', (_what, items, expected) => {
    expect(works({}, items)).toBe(expected);
    expect(works({}, items, false)).toBe(expected);
  });

  test('of a later attempt brings nothing that would tell, and may work where nothing follows', () => {
    expect(works({ first: false }, [other])).toBe(true);
    expect(works({ first: false }, [input, asked, output])).toBe(true);
    expect(works({ first: false }, [input, said])).toBe(false);
  });
});

describe('a lost submit', () => {
  test.each([
    ['may work where nothing follows its outputs', [input, asked, output], true],
    ['is over where an answer follows', [input, asked, output, said], false],
    ['was never made where its outputs did not come', [input, asked], false],
  ])('%s', (_what, items, expected) => {
    expect(works({ call_ids: ['c1'], first: false }, items)).toBe(expected);
  });
});
