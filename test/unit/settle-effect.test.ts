import { describe, expect, test } from 'vitest';
import { checkSettlement } from '../../src/workflows/settle-effect.ts';

const waiting = new Map([['k1', 'refund_order']]);
const none = new Map<string, unknown>();

describe('what a person says of an effect with an unknown outcome', () => {
  test.each([
    { key: 'k1', outcome: 'done', output: 'refunded' },
    { key: 'k1', outcome: 'not_done' },
    { key: 'k1', outcome: 'end', by: 'anna' },
  ])('is taken: %j', (answer) => {
    expect(() => checkSettlement(answer, waiting, none)).not.toThrow();
  });

  test.each([
    ['no object', null],
    ['no known key', { key: 'k2', outcome: 'not_done' }],
    ['no key at all', { outcome: 'not_done' }],
    ['an outcome of another name', { key: 'k1', outcome: 'perhaps' }],
    ['done without an output', { key: 'k1', outcome: 'done' }],
    ['an output past the limit', { key: 'k1', outcome: 'done', output: 'x'.repeat(300_000) }],
  ])('is refused with a typed failure: %s', (_, answer) => {
    expect(() => checkSettlement(answer, waiting, none)).toThrow(
      expect.objectContaining({ type: 'drover.settlement_refused', nonRetryable: true }),
    );
  });

  test('is refused where it has been said already', () => {
    const settled = new Map([['k1', {}]]);
    expect(() => checkSettlement({ key: 'k1', outcome: 'not_done' }, waiting, settled)).toThrow('already');
  });
});
