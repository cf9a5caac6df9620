#!/usr/bin/env node
/** The executable `drover`. */
import { main } from './program.ts';

// A closed pipe, as after `| head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
// Nor is it where nobody reads how it goes: the answer is still to come.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const code = await main(process.argv.slice(2));
// Pipes are written to later on some systems, and what is still open must not keep the process alive.
await new Promise<void>((resolve) => {
  process.stdout.write('', () => resolve());
});
process.exit(code);
