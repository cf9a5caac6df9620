/**
 * `npm run record`: records the histories that `test/replay` replays, each once. What is recorded stays as it is.
 *
 *     npm run record                              records what is missing
 *     npm run record -- deadline two-rounds       of these shapes
 *     npm run record -- --force [shape…]          replaces what is there
 *
 * A history is replaced only where it was never the history of a released workflow. See test/replay/README.md.
 */
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import { ROOT } from './run-tool.ts';

const { values, positionals } = parseArgs({
  options: { force: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const vitest = await startVitest('test', [], {
  config: false,
  root: ROOT,
  run: true,
  watch: false,
  pool: 'forks',
  include: ['test/replay/record.ts'],
  globalSetup: ['test/support/global-setup.ts'],
  provide: { record: { force: values.force, only: positionals } },
  testTimeout: 120_000,
});
await vitest.close();
