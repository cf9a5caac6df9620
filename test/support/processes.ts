/** Programs of this repository, run as processes of their own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once standard output has this text; rejects where the program ends before. */
  readonly says: (text: string) => Promise<void>;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** Starts a command, and kills it when the test ends before it; a path that ends in `.ts` is run by this Node. */
export function startProgram(command: readonly [string, ...string[]], options?: ProgramOptions): Program {
  const program = launch(command, options);
  onTestFinished(() => {
    if (program.child.exitCode === null) program.child.kill('SIGKILL');
  });
  return program;
}

function launch(command: readonly [string, ...string[]], options: ProgramOptions = {}): Program {
  const [first, ...rest] = command;
  const [file, args] = first.endsWith('.ts') ? [process.execPath, [first, ...rest]] : [first, rest];
  const child = spawn(file, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(options.input ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      look();
      ended.then(
        (end) =>
          reject(new Error(`It ended with ${end.code} and never said ${text}:\n${end.stdout}${end.stderr}`)),
        reject,
      );
    });
  return { child, ended, says };
}

/** Runs a command to its end. */
export function runProgram(
  command: readonly [string, ...string[]],
  options?: ProgramOptions,
): Promise<Ended> {
  return launch(command, options).ended;
}
