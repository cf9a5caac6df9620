/** Keyed timers: a key has one at most, and {@link Timers.close} clears them all. */
export class Timers {
  readonly #pending = new Map<string, NodeJS.Timeout>();
  readonly #delays = new Set<{ readonly timer: NodeJS.Timeout; readonly resolve: () => void }>();
  #closed = false;

  /** Calls `act` after `ms` milliseconds; replaces the key's earlier timer. */
  set(key: string, ms: number, act: () => void): void {
    this.clear(key);
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#pending.delete(key);
      act();
    }, ms);
    this.#pending.set(key, timer);
  }

  clear(key: string): void {
    clearTimeout(this.#pending.get(key));
    this.#pending.delete(key);
  }

  /** Resolves after `ms` milliseconds, or when the timers are closed. */
  delay(ms: number): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const held = {
        resolve,
        timer: setTimeout(() => {
          this.#delays.delete(held);
          resolve();
        }, ms),
      };
      this.#delays.add(held);
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    for (const { timer, resolve } of this.#delays) {
      clearTimeout(timer);
      resolve();
    }
    this.#delays.clear();
  }
}
