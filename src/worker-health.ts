/**
 * Whether the worker of this container takes work, for its health check: asks the worker's own metrics, at the
 * address of `DROVER_METRICS`, and exits 0 where something polls for tasks. It loads no configuration, which may start
 * processes of its own.
 */
import { readEnvironment, splitHostPort } from './env.ts';

/** Addresses to listen on that are none to ask. */
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const ANSWER_MS = 3_000;
const POLLERS = /^temporal_num_pollers\{[^}]*\} ([1-9]\d*)/m;

async function isPolling(): Promise<boolean> {
  const { metrics } = readEnvironment();
  if (metrics === undefined) return false;
  const { host, port } = splitHostPort(metrics);
  const at = EVERYWHERE.has(host) ? `127.0.0.1:${port}` : metrics;
  const answer = await fetch(`http://${at}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
  return answer.ok && POLLERS.test(await answer.text());
}

process.exit((await isPolling().catch(() => false)) ? 0 : 1);
