/** A worker whose clock is ahead of the server's, which is a process of its own. Workflows have the server's time. */
export function fastClock(aheadMs: number): Disposable {
  const { now } = Date;
  Date.now = () => now.call(Date) + aheadMs;
  return {
    [Symbol.dispose]: () => {
      Date.now = now;
    },
  };
}
