/**
 * Whether the worker of this container takes work, for its health check: asks the worker's own metrics, at the
 * port of `DROVER_METRICS`, and exits 0 where something polls for tasks. It loads no configuration, which may start
 * processes of its own.
 */
import { readEnvironment } from './env.ts';

const ANSWER_MS = 3_000;
const POLLERS = /^temporal_num_pollers\{[^}]*\} ([1-9]\d*)/m;

async function isPolling(): Promise<boolean> {
  const port = readEnvironment().metrics?.split(':').at(-1);
  if (port === undefined) return false;
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
  return answer.ok && POLLERS.test(await answer.text());
}

process.exit((await isPolling().catch(() => false)) ? 0 : 1);
