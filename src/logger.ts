/** Logs: pino, one line an event, redacted. */
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
