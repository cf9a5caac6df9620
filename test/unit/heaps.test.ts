import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const HEAPS = new URL('../../src/heaps.ts', import.meta.url).href;
const MB = 1024 * 1024;
const IN_THREAD = `
  const { getHeapSpaceStatistics } = await import('node:v8');
  console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);
`;
const SCRIPT = `
  const { Worker } = await import('node:worker_threads');
  const { tuneHeaps } = await import(${JSON.stringify(HEAPS)});
  tuneHeaps();
  new Worker(${JSON.stringify(IN_THREAD)}, { eval: true });
`;

/** Bytes that the young generation of a thread has at its start. */
async function youngBytes(flags: readonly string[] = [], nodeOptions = ''): Promise<number> {
  const args = [...flags, '--input-type=module', '--eval', SCRIPT];
  const env = { ...process.env, NODE_OPTIONS: nodeOptions };
  return Number((await promisify(execFile)(process.execPath, args, { env })).stdout);
}

describe('the heaps of a worker', () => {
  test('begin with a larger young generation in a thread that starts later', async () => {
    expect(await youngBytes()).toBe(16 * MB);
  });

  test('are as Node was told to make them', async () => {
    expect(await youngBytes(['--min-semi-space-size=8'])).toBe(8 * MB);
    expect(await youngBytes(['--min_semi_space_size=8'])).toBe(8 * MB);
    // V8's own beginning: who says how far it may grow is not told where to begin.
    expect(await youngBytes([], '--max-semi-space-size=8')).toBe(4 * MB);
  });
});
