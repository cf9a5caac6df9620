/** `drover demo`: the main job, finite. */
import type { Command } from 'commander';
import type { Exit } from './run-commands.ts';

export function addDemoCommand(program: Command, exit: Exit): void {
  program
    .command('demo')
    .description(
      'drive nine runs at once through what can go wrong, on a real Temporal server, and judge them',
    )
    .option('--keep', 'stay up afterwards for a look round, until Ctrl-C')
    .action(async (options: { readonly keep?: boolean }) => {
      const { runDemo } = await import('../demo/run-demo.ts');
      exit.code = await runDemo({ keep: options.keep === true });
    });
}
