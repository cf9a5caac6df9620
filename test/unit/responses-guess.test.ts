import { describe, expect, test } from 'vitest';
import { earlierAnswer, spokenFirst } from '../../src/backends/responses-guess.ts';
import type { WireResponse } from '../../src/backends/responses-wire.ts';
import type { JsonObject } from '../../src/run.ts';

const message = (id: string, role: string, content: string): JsonObject => ({
  id,
  type: 'message',
  role,
  content,
});
const input = message('m1', 'user', 'Refund order 7');
const stranger = message('m9', 'user', 'Something else');
const output = { id: 'o1', type: 'function_call_output', call_id: 'c1', output: 'refunded' };
const said = message('m2', 'assistant', 'Done.');
const saidAgain = message('m3', 'assistant', 'Done again.');
const asked = { id: 'f2', type: 'function_call', call_id: 'c2', name: 'refund', arguments: '{}' };

describe('what was spoken first after the look', () => {
  test.each([
    ['nothing where nothing came', [], []],
    ['nothing where only our own words came', [input, output], []],
    ['all of it where nothing was said before or after', [said, asked], [said, asked]],
    ['what follows our own outputs and messages', [output, input, said], [said]],
    ['what stands before the same outputs once more', [output, said, output, saidAgain], [said]],
    ['nothing where a stranger spoke before it', [stranger, said], []],
    ['nothing where a stranger spoke between our words', [output, stranger, said], []],
  ])('is %s', (_what, items, expected) => {
    expect(spokenFirst(items, [input])).toEqual(expected);
  });
});

describe('the answer of an earlier try', () => {
  const own = (...items: readonly JsonObject[]) => ({ output: items }) as unknown as WireResponse;

  test('is what this response did not write', () => {
    expect(earlierAnswer([said, saidAgain], own(saidAgain))?.output).toEqual([said]);
    expect(earlierAnswer([said, asked], own(asked))).toMatchObject({ id: 'm2', status: 'completed' });
    expect(earlierAnswer([said], own())?.output).toEqual([said]);
  });

  test('is not there where this response wrote all of it, or nobody wrote', () => {
    expect(earlierAnswer([said, asked], own(said, asked))).toBeNull();
    expect(earlierAnswer([], own())).toBeNull();
  });

  test('that was cut short is still the one that counts', () => {
    const cut = { ...said, status: 'incomplete' };
    expect(earlierAnswer([cut, saidAgain], own(saidAgain))?.status).toBe('incomplete');
  });
});
