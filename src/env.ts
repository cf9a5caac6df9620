/** The environment variables that Drover reads. Temporal's own (`TEMPORAL_…`) are read by `connection.ts`. */
import { z } from 'zod';
import { ConfigError } from './config-error.ts';
import type { Issue } from './contract.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevelName = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Name, meaning and default of every variable: the documentation prints this table. */
export const ENVIRONMENT = {
  DROVER_CONFIG: {
    about: 'Path of the configuration file',
    default: 'drover.config.ts, .js or .mjs in the working directory',
  },
  DROVER_TASK_QUEUE: { about: 'Task queue; wins over the configuration', default: "the configuration's" },
  DROVER_LOG_LEVEL: { about: `Least level that is logged: ${LOG_LEVELS.join(', ')}`, default: 'info' },
  DROVER_LOG_FORMAT: {
    about: 'json (one object a line) or pretty (for people)',
    default: 'pretty on a terminal, else json',
  },
  DROVER_CONNECT_SECONDS: {
    about: 'How long a worker keeps trying to reach Temporal when it starts',
    default: '15',
  },
  DROVER_METRICS: {
    about: 'host:port of the Prometheus endpoint; wins over the configuration',
    default: "the configuration's, else none",
  },
  DROVER_TEMPORAL_CLI: {
    about: 'Path of the Temporal CLI that dev, demo and tests start',
    default: 'found or fetched',
  },
  DROVER_CACHE_DIR: {
    about: 'Where a fetched Temporal CLI is kept',
    default: '$XDG_CACHE_HOME/drover, else ~/.cache/drover',
  },
  DROVER_EMULATOR_URL: {
    about: "Base URL of the emulator that this repository's own drover.config.ts uses",
    default: 'http://127.0.0.1:8787/v1',
  },
  DROVER_TOOL_JOURNAL: {
    about: 'File to which the example tools append a line for each effect they start and finish',
    default: 'none',
  },
} as const satisfies Record<string, { readonly about: string; readonly default: string }>;

export type EnvironmentVariable = keyof typeof ENVIRONMENT;

/** Read by the test suite only. */
const OF_TESTS = /^DROVER_(TEST_.+|OPENAPI_DIR)$/;

export interface Environment {
  readonly configPath: string | undefined;
  readonly taskQueue: string | undefined;
  readonly logLevel: LogLevelName;
  readonly logFormat: LogFormat | undefined;
  readonly connectSeconds: number;
  /** `host:port`. */
  readonly metrics: string | undefined;
  readonly temporalCli: string | undefined;
  readonly cacheDir: string | undefined;
  readonly emulatorUrl: string;
  readonly toolJournal: string | undefined;
  /** Variables that look like Drover's and are not: most likely misspelt. */
  readonly unknown: readonly string[];
}

const HOST_PORT = /^(?:([\w.-]+)|\[([\da-f:]+)\]):(\d{1,5})$/i;

/** Host and port of a `host:port`, the host without brackets; the port is `NaN` where it is none. */
export function splitHostPort(text: string): { readonly host: string; readonly port: number } {
  const [, name, address, port] = HOST_PORT.exec(text) ?? [];
  return { host: name ?? address ?? '', port: Number(port) };
}

/** True for `host:port` with a port that there is. */
export function isHostPort(text: string): boolean {
  const { port } = splitHostPort(text);
  return port >= 0 && port <= 65_535;
}

const oneOf = (names: readonly string[]): string => `must be one of ${names.join(', ')}`;

const schema = z.object({
  DROVER_CONFIG: z.string().optional(),
  DROVER_TASK_QUEUE: z.string().max(1000, 'must have at most 1000 characters').optional(),
  DROVER_LOG_LEVEL: z.enum(LOG_LEVELS, { error: oneOf(LOG_LEVELS) }).default('info'),
  DROVER_LOG_FORMAT: z.enum(LOG_FORMATS, { error: oneOf(LOG_FORMATS) }).optional(),
  DROVER_CONNECT_SECONDS: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number of seconds, 0 to 9999')
    .transform(Number)
    .default(15),
  DROVER_METRICS: z.string().refine(isHostPort, 'must be host:port, as in 0.0.0.0:9464').optional(),
  DROVER_TEMPORAL_CLI: z.string().optional(),
  DROVER_CACHE_DIR: z.string().optional(),
  DROVER_EMULATOR_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .default('http://127.0.0.1:8787/v1'),
  DROVER_TOOL_JOURNAL: z.string().optional(),
} satisfies Record<EnvironmentVariable, z.ZodType>);

/**
 * What can be read of Drover's variables, and every mistake in them: a wrong variable counts as unset here, as an empty
 * one does.
 */
export function surveyEnvironment(env: NodeJS.ProcessEnv = process.env): {
  readonly environment: Environment;
  readonly issues: readonly Issue[];
} {
  const mine = Object.entries(env).filter(([name, value]) => name.startsWith('DROVER_') && value !== '');
  const issues = (schema.safeParse(Object.fromEntries(mine)).error?.issues ?? []).map((issue) => ({
    field: issue.path.join('.'),
    message: issue.message,
    value: (env[String(issue.path[0])] ?? '').slice(0, 60),
  }));
  const wrong = new Set(issues.map(({ field }) => field));
  const values = schema.parse(Object.fromEntries(mine.filter(([name]) => !wrong.has(name))));
  const environment = {
    configPath: values.DROVER_CONFIG,
    taskQueue: values.DROVER_TASK_QUEUE,
    logLevel: values.DROVER_LOG_LEVEL,
    logFormat: values.DROVER_LOG_FORMAT,
    connectSeconds: values.DROVER_CONNECT_SECONDS,
    metrics: values.DROVER_METRICS,
    temporalCli: values.DROVER_TEMPORAL_CLI,
    cacheDir: values.DROVER_CACHE_DIR,
    emulatorUrl: values.DROVER_EMULATOR_URL.replace(/\/+$/, ''),
    toolJournal: values.DROVER_TOOL_JOURNAL,
    unknown: mine
      .map(([name]) => name)
      .filter((name) => !Object.hasOwn(ENVIRONMENT, name) && !OF_TESTS.test(name)),
  };
  return { environment, issues };
}

/** Mistakes in the variables, as one error. */
export const environmentError = (issues: readonly Issue[]): ConfigError =>
  new ConfigError(issues, { source: 'The environment' });

/**
 * Reads Drover's variables. An empty one counts as unset.
 *
 * @throws {ConfigError} with every mistake at once.
 */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const { environment, issues } = surveyEnvironment(env);
  if (issues.length > 0) throw environmentError(issues);
  return environment;
}
