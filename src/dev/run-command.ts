/** Runs a command to its end. */
import { execFile } from 'node:child_process';

export type CommandResult =
  | { readonly ok: true; readonly stdout: string }
  /** One line of why, taken from the end of what it wrote to standard error. */
  | { readonly ok: false; readonly reason: string };

const SHOWN_CHARS = 300;

/** Never rejects. @param timeoutMs after which it is killed */
export async function runCommand(
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<CommandResult> {
  return await new Promise((resolve) => {
    execFile(command, args, { timeout: timeoutMs, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error === null) resolve({ ok: true, stdout });
      else resolve({ ok: false, reason: explain(error, stderr, timeoutMs) });
    });
  });
}

function explain(
  error: Error & { readonly code?: unknown; readonly killed?: unknown },
  stderr: string,
  timeoutMs: number,
): string {
  if (error.code === 'ENOENT') return 'there is no such command';
  if (error.killed === true) return `it did not end within ${timeoutMs / 1_000} seconds`;
  const line = stderr.trim().split('\n').at(-1)?.trim() ?? '';
  return (line === '' ? `it ended with ${String(error.code)}` : line).slice(0, SHOWN_CHARS);
}
