/** Tests in projects: only `integration` needs a Temporal server, and starts one for all its files. */
import { defineConfig } from 'vitest/config';

/** The native core of Temporal's SDK crashes in worker threads. */
const pool = 'forks' as const;

export default defineConfig({
  test: {
    pool,
    // Integration tests wait more than they compute.
    maxWorkers: 4,
    projects: [
      {
        test: {
          name: 'unit',
          pool,
          include: ['test/unit/**/*.test.ts'],
          setupFiles: ['test/support/console-guard.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'conformance',
          pool,
          include: ['test/conformance/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'fuzz',
          pool,
          include: ['test/fuzz/**/*.test.ts'],
          setupFiles: ['test/support/console-guard.ts'],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'replay',
          pool,
          include: ['test/replay/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          pool,
          include: ['test/integration/**/*.test.ts', 'test/faults/**/*.test.ts'],
          globalSetup: ['test/support/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
