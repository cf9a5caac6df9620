/** What a worker reads before it starts: its environment, its configuration and where Temporal is. */
import { isConfigError, joinConfigErrors } from './config-error.ts';
import type { ConfigError } from './config-error.ts';
import { loadConfigFile } from './config-file.ts';
import type { LoadedConfig } from './config.ts';
import { readConnectionSettings } from './connection.ts';
import type { ConnectionSettings } from './connection.ts';
import { environmentError, surveyEnvironment } from './env.ts';
import type { Environment } from './env.ts';

export interface SetupOptions {
  /** @default `DROVER_CONFIG`, else the file in the working directory */
  readonly configPath?: string | undefined;
  /** @default `DROVER_TASK_QUEUE`, else the configuration's */
  readonly taskQueue?: string | undefined;
  /** A profile of Temporal's configuration file. @default `TEMPORAL_PROFILE` */
  readonly profile?: string | undefined;
}

export interface Setup {
  readonly environment: Environment;
  readonly config: LoadedConfig;
  readonly configPath: string;
  readonly settings: ConnectionSettings;
  readonly taskQueue: string;
}

/** @throws {ConfigError} with every mistake of all three at once */
export async function readSetup({ configPath, profile, ...options }: SetupOptions): Promise<Setup> {
  const { environment, issues } = surveyEnvironment();
  const wrong: ConfigError[] = issues.length > 0 ? [environmentError(issues)] : [];
  const settings = await collect(wrong, () =>
    readConnectionSettings(profile === undefined ? {} : { profile }),
  );
  const file = await collect(wrong, () => loadConfigFile({ path: configPath ?? environment.configPath }));
  if (settings === null || file === null || wrong.length > 0) throw joinConfigErrors(wrong);
  const { config, path } = file;
  const taskQueue = options.taskQueue ?? environment.taskQueue ?? config.taskQueue;
  return { environment, config, configPath: path, settings, taskQueue };
}

/** Null where there are mistakes, which `wrong` holds then. */
async function collect<T>(wrong: ConfigError[], read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!isConfigError(error)) throw error;
    wrong.push(error);
    return null;
  }
}
