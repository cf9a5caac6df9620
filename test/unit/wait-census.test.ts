import { expect, test } from 'vitest';
import { WaitCensus } from '../../src/activities/wait-census.ts';

test('counts each attempt once, until its wait is over or it has not been seen for a while', () => {
  const census = new WaitCensus();
  for (const id of ['a', 'b', 'a']) census.see(id, 1_000_000);
  expect(census.count).toBe(2);
  census.forget('b');
  expect(census.count).toBe(1);
  census.see('c', 1_070_000);
  expect(census.count).toBe(2);
  census.see('a', 1_071_000);
  expect(census.count).toBe(2);
  census.see('a', 1_140_000);
  census.see('d', 1_300_000);
  expect(census.count).toBe(1);
});
