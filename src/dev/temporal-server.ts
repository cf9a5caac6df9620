/** A Temporal server for this machine: started, waited for, stopped, and never left behind. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { DroverError } from '../errors.ts';
import { checkSearchAttributes } from '../register-search-attributes.ts';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../search-attributes.ts';
import { findFreePorts } from './ports.ts';

export interface TemporalServerOptions {
  /** The Temporal CLI, as `findTemporalCli` gives it. */
  readonly cli: string;
  /** @default any that is free */
  readonly port?: number;
  /** Port of the UI; null for none. @default any that is free */
  readonly uiPort?: number | null;
  /** Where runs outlive the server. @default memory */
  readonly dbFilename?: string;
  /** @default 'default' */
  readonly namespace?: string;
  /** Registers Drover's search attributes. @default true */
  readonly searchAttributes?: boolean;
  /**
   * Hands out at once an activity that was reset, as webhooks do, instead of up to a second later.
   *
   * @default false, as servers are
   */
  readonly promptTimers?: boolean;
  /** Further arguments of `temporal server start-dev`. */
  readonly extraArgs?: readonly string[];
  /** Given each line that the server writes. */
  readonly log?: (line: string) => void;
}

export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string | null;
  /** Of the server itself. */
  readonly pid: number;
  /** Settles when the server has ended, by {@link stop} or by itself. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/** The server did not start. The message ends with the last lines that it wrote. */
export class TemporalServerError extends DroverError {
  constructor(message: string, cause?: unknown) {
    super('TemporalServerError', 'temporal_server', message, cause);
  }
}

const HOST = '127.0.0.1';
const TETHER = fileURLToPath(new URL(`./tether${extname(import.meta.url)}`, import.meta.url));
const START_MS = 60_000;
const LOOK_MS = 50;
const ANSWER_MS = 2_000;
const KEPT_LINES = 12;
const TRIES = 3;
/** Dynamic settings, as docker/temporal-dynamic-config.yaml has them too. */
export const PROMPT_TIMERS = { 'history.timerProcessorMaxTimeShift': '100ms' } as const;

/** Whether a port was taken that nobody asked for: the server chooses some by itself, and another process may be faster. Pure. */
function lostAPort({ message }: TemporalServerError, { port, uiPort }: TemporalServerOptions): boolean {
  const taken = /:(\d+): bind: address already in use/.exec(message)?.[1];
  return taken !== undefined && Number(taken) !== port && Number(taken) !== uiPort;
}

/**
 * Starts `temporal server start-dev` and waits until it takes requests. It ends when this process ends, however
 * that happens, and does not hear the terminal's Ctrl-C, so that a worker can finish before it.
 *
 * @throws {TemporalServerError}
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      const again = tries < TRIES && error instanceof TemporalServerError && lostAPort(error, options);
      if (!again) throw error;
    }
  }
}

async function startOnce(options: TemporalServerOptions): Promise<TemporalServer> {
  const { namespace = 'default' } = options;
  const [freePort = 0, freeUiPort = 0] = await findFreePorts(2);
  const port = options.port ?? freePort;
  const uiPort = options.uiPort === undefined ? freeUiPort : options.uiPort;
  const child = spawn(process.execPath, [TETHER, options.cli, ...serverArgs(options, port, uiPort)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const lines = keepLines(child, options.log);
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  // A pipe to a process that has ended is an error that nobody needs to hear of.
  child.stdin?.on('error', () => undefined);
  const stop = async (): Promise<void> => {
    child.stdin?.end();
    await exited;
  };
  const address = `${HOST}:${port}`;
  try {
    const pid = await readPid(child, exited);
    await waitUntilReady({ address, namespace, needsAttributes: options.searchAttributes !== false }, exited);
    return {
      address,
      namespace,
      uiUrl: uiPort === null ? null : `http://${HOST}:${uiPort}`,
      pid,
      exited,
      stop,
    };
  } catch (error) {
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    const said = lines.length === 0 ? '' : `\nIt wrote:\n${lines.map((line) => `  ${line}`).join('\n')}`;
    throw new TemporalServerError(
      `The Temporal server on ${address} ${reason}. Check that its ports are free.${said}`,
      error,
    );
  }
}

function serverArgs(options: TemporalServerOptions, port: number, uiPort: number | null): readonly string[] {
  const attributes = options.searchAttributes === false ? [] : SEARCH_ATTRIBUTE_DEFINITIONS;
  return [
    'server',
    'start-dev',
    '--ip',
    HOST,
    '--port',
    String(port),
    ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(options.namespace === undefined ? [] : ['--namespace', options.namespace]),
    ...(options.dbFilename === undefined ? [] : ['--db-filename', options.dbFilename]),
    ...attributes.flatMap(({ name, type }) => ['--search-attribute', `${name}=${type}`]),
    ...Object.entries(options.promptTimers === true ? PROMPT_TIMERS : {}).flatMap(([name, value]) => [
      '--dynamic-config-value',
      `${name}=${JSON.stringify(value)}`,
    ]),
    ...(options.extraArgs ?? []),
  ];
}

/** The last lines of what the server wrote, for an error message. */
function keepLines(child: ChildProcess, log: ((line: string) => void) | undefined): readonly string[] {
  const lines: string[] = [];
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      log?.(line);
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
    }
  });
  return lines;
}

async function readPid(child: ChildProcess, exited: Promise<void>): Promise<number> {
  const told = new Promise<number>((resolve) => {
    child.stdout?.setEncoding('utf8').once('data', (text: string) => resolve(Number.parseInt(text, 10)));
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
  });
  return await Promise.race([told, failed, exited.then(endedEarly)]);
}

const endedEarly = (): never => {
  throw new Error('ended while it was starting');
};

interface Wanted {
  readonly address: string;
  readonly namespace: string;
  readonly needsAttributes: boolean;
}

async function waitUntilReady(wanted: Wanted, exited: Promise<void>): Promise<void> {
  // Without the SDK's own retries: one that is due when the connection closes would throw where nobody can catch it.
  const connection = Connection.lazy({ address: wanted.address, interceptors: [] });
  const over = new AbortController();
  const ready = pollUntilReady(connection, wanted, over.signal);
  try {
    await Promise.race([ready, exited.then(endedEarly)]);
  } finally {
    over.abort();
    await ready.catch(() => undefined);
    await connection.close();
  }
}

async function pollUntilReady(connection: Connection, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const until = Date.now() + START_MS;
  while (!signal.aborted) {
    if (await isReady(connection, wanted)) return;
    if (Date.now() > until) throw new Error(`was not ready within ${START_MS / 1_000} seconds`);
    await sleep(LOOK_MS, undefined, { signal });
  }
}

async function isReady(connection: Connection, wanted: Wanted): Promise<boolean> {
  const { namespace, needsAttributes } = wanted;
  try {
    return await connection.withDeadline(Date.now() + ANSWER_MS, async () => {
      await connection.workflowService.describeNamespace({ namespace });
      return !needsAttributes || (await checkSearchAttributes(connection, namespace)).registered;
    });
  } catch {
    return false;
  }
}
