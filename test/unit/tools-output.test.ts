import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../src/contract.ts';
import { outputText } from '../../src/tools/tool-output.ts';

/** Sixty-four objects, and more of them than stars once they are written out. */
function withoutEnd(): unknown {
  let value: unknown = 'leaf';
  for (let level = 0; level < 64; level++) value = { left: value, right: value };
  return value;
}

describe('the text of an output', () => {
  test.each<[string, unknown]>([
    ['an object that holds another twice, and so on', withoutEnd()],
    ['one long text a thousand times', Array.from({ length: 1_000 }, () => 'x'.repeat(1_000_000))],
  ])('of %s is given up before it is written', (_, value) => {
    expect(JSON.parse(outputText('export', value, LIMITS.maxOutputBytes))).toMatchObject({
      error: { code: 'output_too_large', message: expect.stringContaining('many megabytes') as string },
    });
  });

  test('of the largest list that fits is whole', () => {
    const list = Array.from({ length: LIMITS.maxOutputBytes / 2 - 1 }, () => 1);
    expect(JSON.parse(outputText('export', list, LIMITS.maxOutputBytes))).toHaveLength(list.length);
  });
});
