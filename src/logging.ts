/** Everything that Temporal's SDK and its core say, through the worker's logger. */
import { Runtime } from '@temporalio/worker';
import type { Logger, LogLevel, LogMetadata, MetricsExporterConfig } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';
import type { LogLevelName } from './env.ts';

const LEVELS: Readonly<Record<LogLevel, LogLevelName>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
};

/** Temporal's logger on pino: its `error` becomes `err`, where pino looks for one. */
export function toTemporalLogger(logger: PinoLogger): Logger {
  const log = (level: LogLevel, message: string, meta: LogMetadata = {}): void => {
    const { error, ...fields } = meta;
    // A message of many lines is a bundler's report, and no event.
    const shown = level === 'INFO' && message.includes('\n') ? 'debug' : LEVELS[level];
    logger[shown](error === undefined ? fields : { ...fields, err: error as unknown }, message);
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

export interface RuntimeSettings {
  readonly logger: PinoLogger;
  /** `host:port` of the Prometheus endpoint. @default none */
  readonly prometheus?: string | undefined;
}

/**
 * Installs Temporal's runtime for this process: its logs and its core's through `logger`, metrics where
 * asked for, and no signal handlers of its own. Once a process, before any connection or worker is made.
 */
export function installRuntime(settings: RuntimeSettings): Runtime {
  const { logger, prometheus } = settings;
  const verbose = logger.isLevelEnabled('debug');
  const metrics: MetricsExporterConfig | undefined =
    prometheus === undefined
      ? undefined
      : {
          prometheus: {
            bindAddress: prometheus,
            countersTotalSuffix: true,
            unitSuffix: true,
            useSecondsForDurations: true,
          },
        };
  return Runtime.install({
    logger: toTemporalLogger(logger),
    shutdownSignals: [],
    telemetryOptions: {
      logging: {
        filter: { core: verbose ? 'DEBUG' : 'WARN', other: verbose ? 'INFO' : 'ERROR' },
        forward: {},
      },
      ...(metrics === undefined ? {} : { metrics }),
    },
  });
}
