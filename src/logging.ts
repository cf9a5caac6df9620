/** Logs: pino, one line an event, redacted; also for everything that Temporal's SDK and its core say. */
import { Runtime } from '@temporalio/worker';
import type { Logger, LogLevel, LogMetadata, MetricsExporterConfig } from '@temporalio/worker';
import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger, LoggerOptions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogFormat, LogLevelName } from './env.ts';
import { redactFields, redactLine } from './log-redaction.ts';

export interface LoggerSettings {
  /** @default 'info' */
  readonly level?: LogLevelName;
  /** @default `pretty` where standard output is a terminal, else `json` */
  readonly format?: LogFormat | undefined;
  /** Where the lines go. Written at once, so that none is lost when the process ends. @default standard output */
  readonly destination?: DestinationStream;
}

/** A pino logger that masks secrets by the name of their field and by their shape. */
export function createLogger(settings: LoggerSettings = {}): PinoLogger {
  const format = settings.format ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const out = settings.destination ?? pino.destination({ dest: 1, sync: true });
  const options: LoggerOptions = {
    level: settings.level ?? 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => redactFields(fields),
    },
    // Errors are data already when it is their turn.
    serializers: { err: (error: unknown) => error },
    hooks: { streamWrite: redactLine },
  };
  if (format === 'json') return pino(options, out);
  const forPeople = prettyFactory({
    colorize: settings.destination === undefined && process.stdout.isTTY,
    translateTime: 'HH:MM:ss.l',
    singleLine: true,
  });
  return pino(options, { write: (line: string) => out.write(forPeople(line)) });
}

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
