/** Where Temporal is: settings from the environment and Temporal's own profile file, as every SDK reads them. */
import { Client, Connection } from '@temporalio/client';
import type { ClientOptions, ConnectionOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { ConfigError } from './config-error.ts';

const DEFAULT_ADDRESS = '127.0.0.1:7233';
const DEFAULT_NAMESPACE = 'default';

export interface ConnectionSettings {
  /** `host:port`. @default '127.0.0.1:7233' */
  readonly address: string;
  /** @default 'default' */
  readonly namespace: string;
  /** For `Connection.connect` and `NativeConnection.connect` alike. Holds the API key and the TLS keys. */
  readonly options: Pick<ConnectionOptions, 'address' | 'tls' | 'metadata'> & { readonly apiKey?: string };
}

export interface ReadConnectionOptions {
  /** A profile of Temporal's configuration file. @default `TEMPORAL_PROFILE`, else `default` */
  readonly profile?: string;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Reads `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS…`, `TEMPORAL_PROFILE` and
 * the profile in `temporal.toml`; the environment wins over the file. An API key switches TLS on.
 *
 * @throws {ConfigError} where the profile or a file it names cannot be read.
 */
export function readConnectionSettings(options: ReadConnectionOptions = {}): ConnectionSettings {
  const loaded = load(options);
  const { address = DEFAULT_ADDRESS, tls, apiKey, metadata } = loaded.connectionOptions;
  return {
    address,
    namespace: loaded.namespace ?? DEFAULT_NAMESPACE,
    options: {
      address,
      ...(tls === undefined ? {} : { tls }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    },
  };
}

function load(options: ReadConnectionOptions): ReturnType<typeof loadClientConnectConfig> {
  const env = options.env ?? process.env;
  try {
    return loadClientConnectConfig({
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      overrideEnvVars: filledOnly(env),
    });
  } catch (error) {
    // The first line only: a parser's further lines quote the file, keys and all.
    const reason = String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? '';
    const issue = {
      field: 'connection',
      message: `${reason}. Check TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and the TEMPORAL_TLS… variables`,
    };
    throw new ConfigError([issue], { source: "Temporal's connection profile" });
  }
}

/** An empty variable counts as unset, as Drover's own do. */
const filledOnly = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => (entry[1] ?? '') !== ''),
  );

/**
 * A client with these settings and the deployment's data converter. Close it by `client.connection.close()`.
 *
 * @throws the SDK's `ServiceError` where the server cannot be reached in 10 seconds.
 */
export async function connectClient(
  settings: ConnectionSettings,
  options: { readonly dataConverter?: DataConverter | undefined } & Pick<ClientOptions, 'interceptors'> = {},
): Promise<Client> {
  const { dataConverter, ...rest } = options;
  return new Client({
    connection: await Connection.connect(settings.options),
    namespace: settings.namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...rest,
  });
}
