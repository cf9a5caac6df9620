/** When a process is told to stop, and when to stop at once. */

export interface StopSignals {
  /** Aborted by the first SIGTERM or SIGINT, or when the parent process that forked this one is gone. */
  readonly signal: AbortSignal;
  /** Resolves on a second signal that a person or a supervisor sent. */
  readonly forced: Promise<void>;
  close(): void;
}

/** Resolves when the signal fires, at once where it has. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** One Ctrl-C reaches a process more than once: from the terminal, and from the npm script around it. */
const ECHO_MS = 1_000;

/** Takes SIGTERM and SIGINT over from Node until {@link StopSignals.close}. */
export function listenForStop(): StopSignals {
  const controller = new AbortController();
  let force = (): void => undefined;
  const forced = new Promise<void>((resolve) => {
    force = resolve;
  });
  let firstAt: number | null = null;
  const onSignal = (): void => {
    const now = performance.now();
    if (firstAt === null) {
      firstAt = now;
      controller.abort(new Error('The process was told to stop.'));
    } else if (now - firstAt > ECHO_MS) {
      force();
    }
  };
  const signals = ['SIGTERM', 'SIGINT'] as const;
  for (const name of signals) process.on(name, onSignal);
  process.on('disconnect', onSignal);
  return {
    signal: controller.signal,
    forced,
    close: () => {
      for (const name of signals) process.off(name, onSignal);
      process.off('disconnect', onSignal);
    },
  };
}
