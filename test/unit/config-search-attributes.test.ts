import { describe, expect, test } from 'vitest';
import { ASK_AGAIN_MS, createSearchAttributeProbe } from '../../src/register-search-attributes.ts';
import type { OperatorConnection } from '../../src/register-search-attributes.ts';
import { SEARCH_ATTRIBUTE_DEFINITIONS, SEARCH_ATTRIBUTES } from '../../src/search-attributes.ts';

const ALL = Object.fromEntries(SEARCH_ATTRIBUTE_DEFINITIONS.map(({ name }) => [name, 2]));

/** A namespace whose answers the test sets, and that counts the questions. */
function namespace() {
  const state = { attributes: {} as object, error: null as Error | null, asked: 0 };
  const operatorService = {
    listSearchAttributes: async () => {
      state.asked += 1;
      if (state.error !== null) throw state.error;
      return { customAttributes: state.attributes };
    },
  };
  return { state, connection: { operatorService } as unknown as OperatorConnection };
}

describe('the search attributes', () => {
  test('are at most six Keywords, each with the prefix of Drover', () => {
    expect(SEARCH_ATTRIBUTE_DEFINITIONS.length).toBeLessThanOrEqual(6);
    expect(SEARCH_ATTRIBUTE_DEFINITIONS.every(({ type }) => type === 'Keyword')).toBe(true);
    expect(Object.values(SEARCH_ATTRIBUTES).every(({ name }) => name.startsWith('Drover'))).toBe(true);
  });
});

describe('createSearchAttributeProbe', () => {
  test('keeps a yes, and asks again after a minute while the answer is no', async () => {
    const { state, connection } = namespace();
    let now = 0;
    const probe = createSearchAttributeProbe(connection, 'default', { now: () => now });
    expect(await probe()).toBe(false);
    now = ASK_AGAIN_MS - 1;
    expect(await probe()).toBe(false);
    expect(state.asked).toBe(1);
    now = ASK_AGAIN_MS;
    state.attributes = ALL;
    expect(await probe()).toBe(true);
    now *= 100;
    expect(await probe()).toBe(true);
    expect(state.asked).toBe(2);
  });

  test('asks once for calls that come together', async () => {
    const { state, connection } = namespace();
    state.attributes = ALL;
    const probe = createSearchAttributeProbe(connection, 'default');
    expect(await Promise.all([probe(), probe(), probe()])).toEqual([true, true, true]);
    expect(state.asked).toBe(1);
  });

  test('takes a server that cannot be asked, a missing attribute and one of another type for a no', async () => {
    const { state, connection } = namespace();
    let now = 0;
    const errors: unknown[] = [];
    const options = { now: () => now, onError: (error: unknown) => void errors.push(error) };
    const probe = createSearchAttributeProbe(connection, 'default', options);
    state.error = new Error('not allowed');
    expect(await probe()).toBe(false);
    expect(errors).toEqual([state.error]);
    state.error = null;
    for (const attributes of [
      { ...ALL, DroverStatus: undefined },
      { ...ALL, DroverStatus: 1 },
    ]) {
      now += ASK_AGAIN_MS;
      state.attributes = attributes;
      expect(await probe()).toBe(false);
    }
    expect(state.asked).toBe(3);
  });
});
