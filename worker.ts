/** The worker's process: `node worker.ts`, or `node dist/worker.js` once built. */
import { runWorker } from './src/run-worker.ts';
import { sweepAtStart } from './src/sweep-at-start.ts';

process.exit(await runWorker({ onRunning: sweepAtStart }));
