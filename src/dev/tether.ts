/**
 * A process that runs a command for as long as whoever started it lives: its standard input is a pipe
 * from there, which the system closes however that process ends. `node tether.ts <command> <argument>…`
 * writes the command's process id to standard output and ends with its exit code.
 */
import { spawn } from 'node:child_process';

/** How long the command has to end by itself, in milliseconds. */
const GRACE_MS = 5_000;

const [command = '', ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 2, 2] });

const stop = (): void => {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
};

child.once('spawn', () => process.stdout.write(`${child.pid}\n`));
child.once('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(127);
});
child.once('exit', (code) => process.exit(code ?? 1));
process.stdin.once('end', stop).once('error', stop).resume();
// Whoever reads these may be gone first.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);
