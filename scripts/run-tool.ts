/** Runs this package's own tools, whatever the PATH is. */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));

export interface ToolOptions {
  /** Shows its output as it comes. @default false */
  readonly show?: boolean;
  /** It is stopped after so many milliseconds, and counts as failed. @default never */
  readonly limitMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ToolEnd {
  readonly ok: boolean;
  /** What it wrote, standard error included, and why it ended where it did not by itself. */
  readonly output: string;
}

const STOP_MS = 5_000;

/** Tools of `node_modules/.bin` win, and `node` is the one that runs this. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const path = [join(ROOT, 'node_modules', '.bin'), dirname(process.execPath), process.env['PATH'] ?? ''];
  return { ...process.env, PATH: path.join(delimiter) };
}

/** Runs one command to its end in this package's folder. Never rejects. */
export function runTool(
  command: readonly [string, ...string[]],
  options: ToolOptions = {},
): Promise<ToolEnd> {
  const [file, ...args] = command;
  return new Promise((resolve) => {
    // A process group of its own: stopping it stops what it has started.
    const child = spawn(file, args, {
      cwd: ROOT,
      env: { ...toolEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const chunks: Buffer[] = [];
    const signalGroup = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // It has ended.
      }
    };
    const interrupt = (): void => {
      child.once('close', () => process.exit(130));
      signalGroup('SIGTERM');
      setTimeout(() => signalGroup('SIGKILL'), STOP_MS).unref();
    };
    let why = '';
    const timers: NodeJS.Timeout[] = [];
    if (options.limitMs !== undefined) {
      const limitMs = options.limitMs;
      timers.push(
        setTimeout(() => {
          why = `\nIt was stopped: it had not ended after ${limitMs / 1000} s.\n`;
          signalGroup('SIGTERM');
        }, limitMs),
        setTimeout(() => signalGroup('SIGKILL'), limitMs + STOP_MS),
      );
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, interrupt);
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (options.show === true) process.stdout.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (options.show === true) process.stderr.write(chunk);
    });
    const end = (ok: boolean, note: string): void => {
      for (const timer of timers) clearTimeout(timer);
      for (const signal of signals) process.off(signal, interrupt);
      // What it left behind of its group ends with it.
      signalGroup('SIGKILL');
      resolve({ ok, output: Buffer.concat(chunks).toString() + note });
    };
    child.once('error', (error) => end(false, `${file} could not be started: ${error.message}\n`));
    child.once('close', (code, signal) =>
      end(code === 0, signal === null || why !== '' ? why : `\n${signal}\n`),
    );
  });
}
