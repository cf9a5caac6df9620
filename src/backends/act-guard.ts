/**
 * Keeps a worker that was stopped (SIGSTOP, a frozen container, a suspended laptop) from acting when it wakes:
 * by then Temporal may have given its work to another one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const TICK_MS = 250;
/** Without a tick for so long the process was stopped, or as good as. Below every heartbeat timeout of Drover's. */
const STOPPED_MS = 2_500;

/** In the place of a system error's code: the request was not sent. */
export const STOPPED_CODE = 'DROVER_STOPPED';

class StoppedError extends Error {
  override readonly name = 'StoppedError';
  readonly code = STOPPED_CODE;
}

const guards = new AsyncLocalStorage<{ lastTick: number; stopped: boolean }>();

/** Runs what may act at a provider: from the moment its process is seen to have been stopped, it sends nothing more. */
export async function guardActs<T>(act: () => Promise<T>): Promise<T> {
  const guard = { lastTick: performance.now(), stopped: false };
  const tick = (): void => {
    guard.stopped ||= performance.now() - guard.lastTick > STOPPED_MS;
    guard.lastTick = performance.now();
  };
  const timer = setInterval(tick, TICK_MS);
  try {
    return await guards.run(guard, act);
  } finally {
    clearInterval(timer);
  }
}

/**
 * To be called right before a request that acts is sent. Outside of {@link guardActs} it does nothing.
 *
 * @throws an error with the code {@link STOPPED_CODE}
 */
export function assertNotStopped(): void {
  const guard = guards.getStore();
  if (guard === undefined) return;
  if (guard.stopped || performance.now() - guard.lastTick > STOPPED_MS) {
    throw new StoppedError("This process was stopped meanwhile; its work may be another worker's by now.");
  }
}
