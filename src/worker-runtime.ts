/** Temporal's runtime of a worker process, and its metrics where they were asked for. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Runtime } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';
import { ConfigError } from './config-error.ts';
import { splitHostPort } from './env.ts';
import { installRuntime } from './logging.ts';
import type { Setup } from './worker-setup.ts';

type Asked = Pick<Setup, 'environment' | 'config' | 'configPath'>;

/** @throws {ConfigError} where the metrics cannot be served at their address */
export async function startRuntime(asked: Asked, logger: PinoLogger): Promise<Runtime> {
  const prometheus = asked.environment.metrics ?? asked.config.metrics.prometheus;
  if (prometheus === undefined) return installRuntime({ logger });
  try {
    return installRuntime({ logger, prometheus: await toAddress(prometheus) });
  } catch (error) {
    if (!isOfMetrics(error)) throw error;
    throw metricsError(asked, prometheus, error);
  }
}

/** Temporal's core knows addresses only. A name stands for its IPv4 address where it has one. */
async function toAddress(hostPort: string): Promise<string> {
  const { host, port } = splitHostPort(hostPort);
  if (isIP(host) !== 0) return hostPort;
  const { address, family } = await lookup(host, { order: 'ipv4first' });
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Of the look at the name, or of the core's listener. */
const isOfMetrics = (error: unknown): error is Error =>
  error instanceof Error && ('syscall' in error || /prometheus/i.test(error.message));

function metricsError({ environment, configPath }: Asked, value: string, cause: Error): ConfigError {
  const isOfEnvironment = environment.metrics !== undefined;
  const issue = {
    field: isOfEnvironment ? 'DROVER_METRICS' : 'metrics.prometheus',
    message: `cannot be listened on: ${cause.message}. Name an address of this machine and a free port, as in 0.0.0.0:9464`,
    value,
  };
  return new ConfigError([issue], { source: isOfEnvironment ? 'The environment' : configPath, cause });
}
