/** One of Drover's workers, as `worker.ts` runs it, with the workflows bundled beforehand. */
import { fileURLToPath } from 'node:url';
import { runWorker } from '../src/run-worker.ts';
import { sweepAtStart } from '../src/sweep-at-start.ts';
import { readWorkerEnv } from './worker-env.ts';

process.exit(
  await runWorker({
    configPath: fileURLToPath(new URL('./drover.config.ts', import.meta.url)),
    bundle: { codePath: readWorkerEnv().bundle },
    onRunning: sweepAtStart,
  }),
);
