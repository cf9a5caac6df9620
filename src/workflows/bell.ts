/** Lets the signal `wake` end a wait for an attempt, so that it begins anew, with a look. */
import { CancellationScope, isCancellation, patched } from '@temporalio/workflow';

export class Bell {
  #ring: ((attemptId: unknown) => void) | null = null;

  /** For an attempt that is not the one waited for, nothing: its next wait begins with a look anyway. */
  ring(attemptId: unknown): void {
    this.#ring?.(attemptId);
  }

  async during<T>(attemptId: string, wait: () => Promise<T>): Promise<T> {
    const around = CancellationScope.current();
    for (;;) {
      const scope = new CancellationScope();
      let isRung = false;
      this.#ring = (named) => {
        // A worker from before this signal may have taken it for nothing.
        if (named !== attemptId || !patched('wake')) return;
        isRung = true;
        scope.cancel();
      };
      try {
        return await scope.run(wait);
      } catch (error) {
        if (!isRung || !isCancellation(error) || around.consideredCancelled) throw error;
      } finally {
        this.#ring = null;
      }
    }
  }
}
