import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { SecretKeeper } from '../../src/activities/secret-keeper.ts';

const mcp = (authorization: string) => ({
  type: 'mcp',
  server_url: 'https://shop.example.com/mcp',
  headers: { Authorization: authorization, Accept: 'text/plain' },
});

describe('what an activity hands to Temporal', () => {
  test('has no secret that is configured as text, and none that was read from a function', async () => {
    const keeper = new SecretKeeper({ A: 'granite walrus', B: () => Promise.resolve('copper lantern') });
    const say = keeper.withhold(() =>
      Promise.resolve({ said: ['a granite walrus', { deep: 'a copper lantern' }], n: 1, none: null }),
    );
    expect(await say(null)).toEqual({
      said: ['a [redacted]', { deep: 'a copper lantern' }],
      n: 1,
      none: null,
    });
    const read = keeper.source['B'];
    expect(typeof read === 'function' ? await read() : read).toBe('copper lantern');
    expect(await say(null)).toMatchObject({ said: ['a [redacted]', { deep: 'a [redacted]' }] });
    expect(keeper.mask('copper lantern')).toBe('[redacted]');
  });

  test('keeps the old value of a secret that was rotated away', async () => {
    let current = 'granite walrus';
    const keeper = new SecretKeeper({ A: () => current });
    const read = keeper.source['A'];
    if (typeof read !== 'function') throw new Error('A function stays one.');
    await read();
    current = 'copper lantern';
    await read();
    expect(keeper.mask('granite walrus, copper lantern')).toBe('[redacted], [redacted]');
  });

  test('shows no credential of a tool, although this worker never knew its value', async () => {
    const keeper = new SecretKeeper({});
    const give = keeper.withhold((tools: readonly object[]) =>
      Promise.resolve({ run: { tools }, attempt: { state: { answer: { tools } } } }),
    );
    const seen = await give([mcp('granite walrus')]);
    expect(seen.run.tools).toEqual([mcp('[redacted]')]);
    expect(seen.attempt.state.answer.tools).toEqual([mcp('[redacted]')]);
  });

  test('leaves a function tool as it is, whose parameters may be called what secrets are called', async () => {
    const tool = {
      type: 'function',
      function: { name: 'log_in', parameters: { properties: { password: { type: 'string' } } } },
    };
    const keeper = new SecretKeeper({});
    const give = keeper.withhold((tools: readonly object[]) => Promise.resolve({ tools }));
    expect(await give([tool])).toEqual({ tools: [tool] });
  });

  test('is a failure of the same kind, without the secret in its message, details or stack', async () => {
    const keeper = new SecretKeeper({ A: 'granite walrus' });
    const failing = keeper.withhold(() => {
      throw ApplicationFailure.create({
        type: 'drover.backend',
        message: 'granite walrus',
        details: [{ message: 'granite walrus', suspect: true }],
        nonRetryable: true,
        nextRetryDelay: 3_000,
        category: 'BENIGN',
      });
    });
    const error: unknown = await failing(null).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject({
      type: 'drover.backend',
      message: '[redacted]',
      details: [{ message: '[redacted]', suspect: true }],
      nonRetryable: true,
      nextRetryDelay: 3_000,
      category: 'BENIGN',
    });
    expect((error as Error).stack).not.toContain('granite');
  });

  test('is any other error as it was thrown', async () => {
    const thrown = new Error('x');
    const keeper = new SecretKeeper({});
    await expect(keeper.withhold(() => Promise.reject(thrown))(null)).rejects.toBe(thrown);
  });
});
