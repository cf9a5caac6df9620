/** Worker processes: as many as are wanted, whatever becomes of each. */
import { startWorkerChild } from '../src/dev/worker-child.ts';
import type { WorkerChild } from '../src/dev/worker-child.ts';

export interface PoolOptions {
  readonly size: number;
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** Starts that fail one after the other before the pool gives up. */
const MOST_FAILURES = 20;

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Map<number, WorkerChild>();
  readonly #running = new Set<number>();
  readonly #stopped = new Set<number>();
  /** Told to end, and not gone yet. */
  readonly #leaving = new Set<WorkerChild>();
  #failures = 0;
  #closing = false;

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let n = 0; n < options.size; n += 1) this.#start();
  }

  #start(): void {
    if (this.#closing || this.#failures > MOST_FAILURES) return;
    const { entry, env, onLine } = this.#options;
    const worker = startWorkerChild({ entry, env, onLine: (line) => onLine(`${worker.pid} ${line}`) });
    const { pid } = worker;
    this.#workers.set(pid, worker);
    void this.#watch(worker);
  }

  async #watch(worker: WorkerChild): Promise<void> {
    const { pid } = worker;
    try {
      await worker.ready;
      this.#failures = 0;
      if (this.#workers.has(pid)) this.#running.add(pid);
    } catch {
      this.#failures += 1;
    }
    await worker.exited;
    this.#leaving.delete(worker);
    if (!this.#workers.has(pid)) return;
    this.#forget(pid);
    this.#start();
  }

  #forget(pid: number): void {
    this.#workers.delete(pid);
    this.#running.delete(pid);
    this.#stopped.delete(pid);
  }

  /** Workers that take work: neither starting, nor stopped, nor told to end. */
  running(): readonly number[] {
    return [...this.#running].filter((pid) => !this.#stopped.has(pid));
  }

  /** Kills a worker, and starts another one in its place. False where it is gone already. */
  kill(pid: number): boolean {
    const worker = this.#workers.get(pid);
    if (worker === undefined) return false;
    this.#forget(pid);
    worker.kill('SIGKILL');
    this.#start();
    return true;
  }

  /** Tells a worker to end, and starts another one beside it. */
  terminate(pid: number): boolean {
    const worker = this.#workers.get(pid);
    if (worker === undefined) return false;
    this.#forget(pid);
    this.#leaving.add(worker);
    worker.kill('SIGTERM');
    this.#start();
    return true;
  }

  stop(pid: number): boolean {
    const worker = this.#workers.get(pid);
    if (worker === undefined) return false;
    this.#stopped.add(pid);
    worker.kill('SIGSTOP');
    return true;
  }

  resume(pid: number): boolean {
    this.#stopped.delete(pid);
    const worker = this.#workers.get(pid);
    worker?.kill('SIGCONT');
    return worker !== undefined;
  }

  /** Resolves when so many take work. @throws Error where workers do not start, or not in time */
  async ready(count: number, withinMs = 60_000): Promise<void> {
    const until = Date.now() + withinMs;
    while (this.running().length < count) {
      if (this.#failures > MOST_FAILURES || Date.now() > until)
        throw new Error(`Only ${this.running().length} of ${count} workers take work. Read their log.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Kills all, tools and all. Twice is no error. */
  async close(): Promise<void> {
    this.#closing = true;
    const workers = [...this.#workers.values(), ...this.#leaving];
    for (const worker of workers) worker.kill('SIGKILL');
    await Promise.all(workers.map((worker) => worker.exited));
  }
}
