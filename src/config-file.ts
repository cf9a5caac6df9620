/** Finds and loads the configuration file. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, isConfigError } from './config-error.ts';
import type { DroverConfig, LoadedConfig } from './config.ts';
import { loadConfig } from './load-config.ts';

/** In the order in which they are looked for. */
export const CONFIG_FILE_NAMES = ['drover.config.ts', 'drover.config.js', 'drover.config.mjs'] as const;

export interface ConfigFileOptions {
  /** A path that was given, by argument or by `DROVER_CONFIG`: only this file will do. */
  readonly path?: string | undefined;
  /** @default process.cwd() */
  readonly cwd?: string;
}

export interface ConfigFile {
  readonly path: string;
  readonly config: LoadedConfig;
}

/**
 * The absolute path of the configuration file.
 *
 * @throws {ConfigError} where there is none.
 */
export function findConfigFile(options: ConfigFileOptions = {}): string {
  const cwd = options.cwd ?? process.cwd();
  if (options.path !== undefined) {
    const path = resolve(cwd, options.path);
    if (existsSync(path)) return path;
    throw fileError(path, 'there is no such file. Mend DROVER_CONFIG or the argument that names it');
  }
  const found = CONFIG_FILE_NAMES.map((name) => resolve(cwd, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw fileError(
    cwd,
    `there is no ${CONFIG_FILE_NAMES.join(', ')} here. Create one with \`export default defineConfig({…})\`, or name it by DROVER_CONFIG`,
  );
}

/**
 * Finds, imports and checks the configuration. Node loads `.ts` files by itself from 22.18 on.
 *
 * @throws {ConfigError} which names the file, every mistake in it, and what to do.
 */
export async function loadConfigFile(options: ConfigFileOptions = {}): Promise<ConfigFile> {
  const path = findConfigFile(options);
  const exported = await importConfig(path);
  try {
    return { path, config: loadConfig(exported) };
  } catch (error) {
    if (isConfigError(error)) throw new ConfigError(error.issues, { source: path, cause: error });
    throw error;
  }
}

async function importConfig(path: string): Promise<DroverConfig> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    if (isConfigError(error)) throw new ConfigError(error.issues, { source: path, cause: error });
    throw fileError(path, explainImport(error), error);
  }
  const config = module.default;
  if (config === undefined) {
    throw fileError(path, 'it has no default export. Write `export default defineConfig({…})`');
  }
  if (typeof config !== 'object' || config === null) {
    throw fileError(
      path,
      `its default export is a ${typeof config}, not a configuration. Write \`export default defineConfig({…})\``,
    );
  }
  return config as DroverConfig;
}

function explainImport(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  const reason = error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0]}` : String(error);
  switch (code) {
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return `this Node (${process.version}) does not load TypeScript. Use Node 22.18 or newer, or compile the file to .js`;
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return `Node strips types and nothing more: enums, namespaces and parameter properties do not work here (${reason})`;
    case 'ERR_MODULE_NOT_FOUND':
      return `it imports something that is not there (${reason}). Relative imports of TypeScript files need their .ts suffix`;
    default:
      return `it failed while it was loaded (${reason})`;
  }
}

function fileError(source: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError([{ field: 'file', message }], { source, cause });
}
