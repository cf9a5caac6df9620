/** The command line of `drover`: commands, options, help. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addDemoCommand } from './demo-command.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { reportError } from './fail.ts';
import { createOutput, printable } from './output.ts';
import type { Output } from './output.ts';
import { addPeopleCommands } from './people-commands.ts';
import { addProcessCommands } from './process-commands.ts';
import { addRunCommand } from './run-command.ts';
import { addRunCommands } from './run-commands.ts';
import type { Exit } from './run-commands.ts';

/** Of the package, which stands one folder up from the sources and two from the build. */
function version(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const read = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { version?: unknown };
      if (typeof read.version === 'string') return read.version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}

function exitCodeHelp(): string {
  const lines = Object.values(EXIT_CODES).map(
    ({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`,
  );
  return `\nExit codes:\n${lines.join('\n')}`;
}

function createProgram(output: Output, exit: Exit, json: boolean): Command {
  const program = new Command('drover')
    .description('Drives LLM runs to their end, durably, on Temporal.')
    .version(version())
    .configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      // As JSON it is told with all other errors.
      writeErr: (text) => (json ? undefined : output.note(printable(text).trimEnd())),
    })
    .showHelpAfterError('(drover --help lists the commands, drover <command> --help its options)')
    .exitOverride()
    .addHelpText('after', exitCodeHelp());
  addRunCommand(program, output);
  addRunCommands(program, output, exit);
  addPeopleCommands(program, output);
  addProcessCommands(program, output, exit);
  addDemoCommand(program, exit);
  return program;
}

/**
 * Runs one command.
 *
 * @param args without the names of Node and of the script
 * @returns the exit code: one of {@link EXIT_CODES}
 */
export async function main(args: readonly string[], output: Output = createOutput()): Promise<number> {
  const exit: Exit = { code: EXIT_CODES.ok.code };
  const json = args.includes('--json');
  try {
    await createProgram(output, exit, json).parseAsync(args, { from: 'user' });
    return exit.code;
  } catch (error) {
    return reportError(error, output, json);
  }
}
