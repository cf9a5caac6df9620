/** Waits for a handler, but not for ever for one that ignores its signal. */

/** How long a handler may go on after its signal was aborted. Milliseconds. */
export const GRACE_MS = 10_000;

export interface GraceOptions {
  readonly signal: AbortSignal;
  readonly graceMs: number;
  /** Told how a handler ended that had been given up before. */
  readonly onLateEnd: (outcome: 'returned' | 'threw') => void;
}

/**
 * What the handler gives or throws; where it does neither within the grace time after the abort, the
 * signal's reason is thrown and the handler is left to itself.
 */
export async function withGrace<T>(run: () => Promise<T>, options: GraceOptions): Promise<T> {
  const { signal, graceMs, onLateEnd } = options;
  const givenUp = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const onAbort = (): void => {
    timer = setTimeout(() => {
      late = true;
      givenUp.reject(signal.reason as Error);
    }, graceMs);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const work = run();
  work.then(
    () => late && onLateEnd('returned'),
    () => late && onLateEnd('threw'),
  );
  try {
    return await Promise.race([work, givenUp.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(timer);
  }
}
