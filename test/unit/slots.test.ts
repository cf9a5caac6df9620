import { describe, expect, test } from 'vitest';
import { createSlots } from '../../src/workflows/slots.ts';

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  test('let so many run at once, and the others after them, in order', async () => {
    const inSlot = createSlots(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3, 4].map((n) =>
      inSlot(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => void ends.push(resolve));
        return n;
      }),
    );
    await settle();
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await settle();
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await settle();
    expect(begun).toEqual([0, 1, 2, 3, 4]);
    for (const end of ends) end();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4]);
    expect(await inSlot(() => Promise.resolve('free again'))).toBe('free again');
  });

  test('are given on where one fails', async () => {
    const inSlot = createSlots(1);
    const failed = inSlot(() => Promise.reject(new Error('no')));
    const next = inSlot(() => Promise.resolve('next'));
    await expect(failed).rejects.toThrow('no');
    expect(await next).toBe('next');
  });
});
