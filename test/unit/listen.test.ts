/** What a wait makes of a stream: news, cuts, silence, and what it shows of what it heard. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Listener } from '../../src/activities/listen.ts';
import { BackendError } from '../../src/backends/backend.ts';
import type { Backend, Heard } from '../../src/backends/backend.ts';
import type { AttemptRef } from '../../src/steps.ts';

const attempt: AttemptRef = {
  id: 'resp_1',
  thread_id: null,
  key: 'k',
  provider_ids: ['resp_1'],
  state: null,
};
const heard = (cursor: number, text: string | null = null, news = false): Heard => ({ cursor, text, news });
const never = new AbortController().signal;

type Listen = NonNullable<Backend['listen']>;

type Part = readonly (Heard | Error | 'silence')[];

/** Each call of `listen` plays the next part; the last one repeats. */
function backendOf(parts: readonly Part[]) {
  const cursors: (number | null)[] = [];
  const listen: Listen = async function* (_attempt, { cursor, signal }) {
    const part = parts[Math.min(cursors.length, parts.length - 1)] ?? [];
    cursors.push(cursor);
    for (const one of part) {
      if (one instanceof Error) throw one;
      if (one !== 'silence') yield one;
      else {
        if (!signal.aborted)
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw new BackendError('aborted', 'It was stopped.');
      }
    }
  };
  return { cursors, backend: { listen } as unknown as Backend };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const listenerOf = (...parts: readonly Part[]) => {
  const { backend, cursors } = backendOf(parts);
  const shown: unknown[] = [];
  const listener: Listener = new Listener(backend, false, () => shown.push(listener.said));
  const listen = (signal = never, left = never) => listener.listen(attempt, signal, left);
  return { listener, listen, cursors, shown };
};

describe('a stream', () => {
  test('that tells of an end is news, and is not listened to further', async () => {
    const { listen, cursors } = listenerOf([heard(0), heard(1, 'Hi'), heard(2, null, true), heard(3)]);
    expect(await listen()).toBe('news');
    expect(cursors).toEqual([null]);
  });

  test('that is cut is gone on with behind what was heard, and what comes again is skipped', async () => {
    const cut = new BackendError('connection', 'It was cut.');
    const { listen, listener, cursors } = listenerOf(
      [heard(0, 'Hel'), cut],
      [heard(0, 'Hel'), heard(1, 'lo'), cut],
      [heard(2, null, true)],
    );
    expect([await listen(), await listen(), await listen()]).toEqual(['cut', 'cut', 'news']);
    expect(cursors).toEqual([null, 0, 1]);
    expect(listener.said).toEqual({ id: 'resp_1', from: 0, text: 'Hello' });
  });

  test('that is cut three times with nothing new, or refused, is given up', async () => {
    const { listen, cursors, listener } = listenerOf([heard(0)], []);
    expect(await listen()).toBe('cut');
    expect([await listen(), await listen(), await listen(), await listen()]).toEqual([
      'cut',
      'cut',
      'deaf',
      'deaf',
    ]);
    expect(cursors).toHaveLength(4);
    expect(listener.isDeaf).toBe(true);
    const refused = listenerOf([new BackendError('rejected', 'It was not created by a stream.')]);
    expect(await refused.listen()).toBe('deaf');
  });

  test('that says nothing is looked after, time and again', async () => {
    const { listen } = listenerOf(['silence']);
    for (let n = 0; n < 5; n += 1) {
      const listening = listen();
      await vi.advanceTimersByTimeAsync(30_000);
      expect(await listening).toBe('news');
    }
  });

  test('ends with the time of the wait, and fails where the wait itself is stopped', async () => {
    const over = new AbortController();
    const first = listenerOf(['silence']).listen(never, over.signal);
    over.abort();
    expect(await first).toBe('news');
    const second = listenerOf(['silence']).listen(over.signal);
    await expect(second).rejects.toMatchObject({ kind: 'aborted' });
  });
});

describe('what was heard', () => {
  test('is shown at once, then once a second, the last of it too', async () => {
    const { listen, shown } = listenerOf([heard(0, 'a'), heard(1, 'b'), 'silence']);
    const listening = listen();
    await vi.advanceTimersByTimeAsync(10);
    expect(shown).toEqual([{ id: 'resp_1', from: 0, text: 'ab' }]);
    await vi.advanceTimersByTimeAsync(30_000);
    await listening;
    expect(shown).toHaveLength(1);
  });

  test('is the end of it, in whole characters', async () => {
    const { listen, listener } = listenerOf([
      ...Array.from({ length: 30 }, (_, n) => heard(n, 'x'.repeat(999))),
      heard(30, '😀'.repeat(4_500)),
      heard(31, '\ud83d'),
      heard(32, null, true),
    ]);
    await listen();
    const { from = 0, text = '' } = listener.said ?? {};
    expect(text.length).toBeLessThanOrEqual(8_000);
    expect(text.length).toBeGreaterThan(7_900);
    expect(text.replaceAll('😀', '')).toBe('');
    expect(from + text.length).toBe(30 * 999 + 9_000);
  });
});
