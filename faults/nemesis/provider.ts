/** What goes wrong at the provider. */
import type { Fault } from '../../src/emulator/index.ts';
import type { Random } from '../random.ts';

const ACTING = '/(runs|submit_tool_outputs|responses|threads|cancel)$/';

/** One fault, or a burst of one. */
export function drawFault(random: Random): Fault {
  const acting = { method: 'POST', path: ACTING };
  return random.weighted<() => Fault>([
    // Acted, and the answer is lost.
    [3, () => ({ match: acting, times: 1, do: { reset: 'after' } })],
    [1, () => ({ match: acting, times: 1, do: { status: random.pick([500, 502, 504]), after: true } })],
    [
      1,
      () => ({
        match: acting,
        times: 1,
        do: { malformed: random.pick(['html', 'empty', 'truncated'] as const) },
      }),
    ],
    [
      2,
      () => ({
        match: { stream: true, method: 'GET' },
        times: random.int(2, 8),
        do: { cut_after_events: random.int(0, 40) },
      }),
    ],
    // A copy that is behind: runs are shown as they were before they took their outputs.
    [
      1,
      () => ({
        match: { method: 'GET', path: '/runs/[^/]+$/' },
        times: random.int(2, 8),
        do: { stale: true },
      }),
    ],
    [2, () => ({ match: {}, times: random.int(1, 4), do: { reset: 'before' } })],
    [
      2,
      () => ({
        match: {},
        times: random.int(3, 12),
        probability: 0.7,
        do: { status: 429, retry_after_s: 1 },
      }),
    ],
    [
      2,
      () => ({
        match: {},
        times: random.int(3, 12),
        probability: 0.7,
        do: { status: random.pick([500, 502, 503]) },
      }),
    ],
    [
      3,
      () => ({
        match: random.chance(0.5) ? acting : {},
        times: random.int(1, 6),
        do: { latency_ms: random.int(300, 3_000), after: random.chance(0.5) },
      }),
    ],
  ])();
}
