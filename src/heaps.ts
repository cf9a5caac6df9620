/** How far the heaps of a worker's process may grow, and how soon. */
import { setFlagsFromString } from 'node:v8';

/**
 * In percent of what was alive after a collection, until the next one. Where a machine has much memory, V8 lets a heap
 * grow up to fourfold. Read at each collection, so that it holds for all heaps of the process from now on.
 */
const GROWING = ['--heap-growing-percent=75'];

/**
 * Of one half of the young generation, in MB, in threads that start from now on: the SDK's workflow thread. It begins
 * larger than V8's 4 MB, so that most of what a workflow task made is gone by the next collection, and stays below V8's
 * 64 MB.
 */
const YOUNG = ['--min-semi-space-size=16', '--max-semi-space-size=32'];

const nameOf = (flag: string): string => flag.replace(/=.*/, '');

/** For the heaps of a worker, its own and the workflow thread's. What Node was started with a flag for stays as it is. */
export function tuneHeaps(): void {
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ').replaceAll('_', '-');
  for (const flags of [GROWING, YOUNG]) {
    if (flags.some((flag) => given.includes(nameOf(flag)))) continue;
    for (const flag of flags) setFlagsFromString(flag);
  }
}
