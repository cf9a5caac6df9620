/** Finds the configuration and connects, for the commands that speak with Temporal. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { RunClient } from '../client.ts';
import { CONFIG_FILE_NAMES, loadConfigFile } from '../config-file.ts';
import type { LoadedConfig } from '../config.ts';
import { explainRefusal, unreachable } from '../connect-error.ts';
import { connectClient, readConnectionSettings } from '../connection.ts';
import type { ConnectionSettings } from '../connection.ts';
import { NAMES } from '../contract.ts';
import { readEnvironment } from '../env.ts';
import { UnreachableError } from './fail.ts';

/** How long the server may take to describe its namespace. */
const LOOK_MS = 20_000;

export interface CommonOptions {
  readonly config?: string;
  readonly profile?: string;
  readonly taskQueue?: string;
  readonly json?: boolean;
}

/** The options that every command that speaks with Temporal has. */
export function withConnection(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: DROVER_CONFIG, else drover.config.ts here)')
    .option('--profile <name>', "profile of Temporal's configuration file (default: TEMPORAL_PROFILE)")
    .option('--task-queue <name>', 'task queue of the workers (default: the configuration, else drover)');
}

export interface Connected {
  readonly client: Client;
  readonly settings: ConnectionSettings;
  readonly runs: RunClient;
  /** Null where there is no configuration file: commands that only speak with Temporal need none. */
  readonly config: LoadedConfig | null;
  readonly taskQueue: string;
}

async function findConfig(options: CommonOptions): Promise<LoadedConfig | null> {
  const path = options.config ?? readEnvironment().configPath;
  const isHere = CONFIG_FILE_NAMES.some((name) => existsSync(resolve(name)));
  if (path === undefined && !isHere) return null;
  return (await loadConfigFile({ path })).config;
}

/** What hinders a connection, in words that say what to do. */
function explain(error: unknown, settings: ConnectionSettings): UnreachableError {
  const told = explainRefusal(error, settings) ?? unreachable(error, settings);
  return new UnreachableError(told.message, { cause: told });
}

/**
 * For what stays: without its namespace it would be there, and serve nobody.
 *
 * @throws UnreachableError
 */
export async function requireNamespace({ client, settings }: Connected): Promise<void> {
  const { namespace } = settings;
  try {
    await client.withDeadline(Date.now() + LOOK_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
  } catch (error) {
    throw explain(error, settings);
  }
}

/** Connects, does the work, and closes the connection. */
export async function withRuns<T>(
  options: CommonOptions,
  work: (connected: Connected) => Promise<T>,
): Promise<T> {
  const settings = readConnectionSettings(options.profile === undefined ? {} : { profile: options.profile });
  const config = await findConfig(options);
  const taskQueue = options.taskQueue ?? readEnvironment().taskQueue ?? config?.taskQueue ?? NAMES.taskQueue;
  let client: Client;
  try {
    client = await connectClient(settings, { dataConverter: config?.dataConverter });
  } catch (error) {
    throw explain(error, settings);
  }
  try {
    return await work({
      client,
      settings,
      runs: new RunClient({ client, taskQueue }),
      config,
      taskQueue,
    });
  } finally {
    await client.connection.close();
  }
}
