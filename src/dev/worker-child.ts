/** A worker in a process of its own, which can be killed. It ends when this process does. */
import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKER = fileURLToPath(new URL(`../../worker${extname(import.meta.url)}`, import.meta.url));

export interface WorkerChildOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where the configuration is looked for. @default process.cwd() */
  readonly cwd?: string;
  /** Given each line that it writes. @default its output goes where this process's goes */
  readonly onLine?: (line: string) => void;
  /** Another entry than Drover's `worker.ts`. It has to `process.send('ready')`. */
  readonly entry?: string;
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WorkerChild {
  readonly pid: number;
  /** Resolves when it takes work; rejects where it ends before. */
  readonly ready: Promise<void>;
  readonly exited: Promise<WorkerExit>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and the wait for its end. */
  stop(): Promise<WorkerExit>;
}

/** Starts a worker. @throws where no process could be started */
export function startWorkerChild(options: WorkerChildOptions = {}): WorkerChild {
  const { onLine } = options;
  const output = onLine === undefined ? 'inherit' : 'pipe';
  const child = fork(options.entry ?? WORKER, [], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', output, output, 'ipc'],
    execArgv: [],
  });
  if (child.pid === undefined) throw new Error(`The worker's process could not be started: ${WORKER}`);
  if (onLine !== undefined) {
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, onLine);
  }
  const exited = new Promise<WorkerExit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code, signal) => {
      reject(new Error(`The worker ended (${signal ?? code}) before it took work. Read its log.`));
    });
    child.once('error', reject);
  });
  // Whoever does not wait for it learns of its end from `exited`.
  ready.catch(() => undefined);
  const kill = (signal: NodeJS.Signals): void => void child.kill(signal);
  return {
    pid: child.pid,
    ready,
    exited,
    kill,
    stop: async () => {
      kill('SIGTERM');
      return await exited;
    },
  };
}

function eachLine(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line);
  });
  stream?.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
