/** How far the heaps of a worker's process may grow, and how soon. */
import { setFlagsFromString } from 'node:v8';

/**
 * In percent of what was alive after a collection, until the next one. Where a machine has much memory, V8 lets a heap
 * grow up to fourfold. Read at each collection, so that it holds for all heaps of the process from now on.
 */
const GROWING = { flag: '--heap-growing-percent', value: 30 };

/**
 * Of one half of the young generation, in MB, in threads that start from now on: the SDK's workflow thread. It begins
 * larger than V8's 4 MB, so that most of what a workflow task made is gone by the next collection, and stays below V8's
 * 64 MB.
 */
const YOUNG = [
  { flag: '--min-semi-space-size', value: 16 },
  { flag: '--max-semi-space-size', value: 32 },
];

/** For the heaps of a worker, its own and the workflow thread's. Flags that Node was started with are left as they are. */
export function tuneHeaps(): void {
  for (const { flag, value } of [GROWING, ...YOUNG]) {
    if (!process.execArgv.some((given) => given.startsWith(flag))) setFlagsFromString(`${flag}=${value}`);
  }
}
