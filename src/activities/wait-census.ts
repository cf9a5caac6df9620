/** How many attempts this worker waits for, those included whose timer Temporal's server keeps. */

/** A wait that has not been seen for so long has ended, or is another worker's. Longer than any time between two looks. */
const GENERATION_MS = 60_000;

export class WaitCensus {
  #young = new Set<string>();
  #old = new Set<string>();
  #since = 0;

  /** A look at this attempt is under way; epoch milliseconds. */
  see(attemptId: string, now: number = Date.now()): void {
    if (now - this.#since > GENERATION_MS) {
      this.#old = now - this.#since > 2 * GENERATION_MS ? new Set() : this.#young;
      this.#young = new Set();
      this.#since = now;
    }
    this.#old.delete(attemptId);
    this.#young.add(attemptId);
  }

  /** The wait for it is over. */
  forget(attemptId: string): void {
    this.#young.delete(attemptId);
    this.#old.delete(attemptId);
  }

  get count(): number {
    return this.#young.size + this.#old.size;
  }
}
