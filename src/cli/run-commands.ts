/** `drover show`, `list`, `cancel` and `sweep`: what operators do with runs. */
import type { Command } from 'commander';
import type { RetryOptions, RunHandle, RunListing } from '../client.ts';
import type { RunResult } from '../contract.ts';
import { isRunLostError, RunEndedError } from '../errors.ts';
import { sweep, SWEEP_UNSETTLED } from '../sweep.ts';
import type { Swept } from '../sweep.ts';
import { hours, positive } from './arguments.ts';
import { withConnection, withRuns } from './connect.ts';
import type { CommonOptions } from './connect.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { UsageError } from './fail.ts';
import { printable, table } from './output.ts';
import type { Output } from './output.ts';
import {
  describeAsJson,
  listingAsJson,
  printAnswer,
  printDescription,
  printListing,
  printResult,
} from './print-run.ts';
import { waitForRun } from './wait.ts';

/** Where a command says how the process is to end although nothing was thrown. */
export interface Exit {
  code: number;
}

async function readOutcome(run: RunHandle, output: Output): Promise<RunResult | null> {
  try {
    return await run.outcome();
  } catch (error) {
    if (!isRunLostError(error)) throw error;
    output.note(`${output.noteTone('warn', error.code)} ${error.message}`);
    return null;
  }
}

function addShow(program: Command, output: Output): void {
  withConnection(program.command('show'))
    .description('show where a run stands, or how it ended')
    .argument('<id>', 'id of the run')
    .option('--json', 'print it as JSON')
    .action(async (id: string, options: CommonOptions) => {
      await withRuns(options, async ({ runs }) => {
        const run = runs.getHandle(id);
        const described = await run.describe();
        const result = described.closeTime === null ? null : await readOutcome(run, output);
        if (options.json === true) {
          output.json(describeAsJson(described, result));
          return;
        }
        printDescription(described, output);
        if (result !== null) printResult(result, output);
      });
    });
}

interface ListOptions extends CommonOptions {
  readonly limit: number;
  readonly running?: boolean;
}

function addList(program: Command, output: Output): void {
  withConnection(program.command('list'))
    .description('list runs, the newest first')
    .argument('[query]', "filter in Temporal's list syntax, such as \"DroverAssistantId = 'support'\"")
    .option('-n, --limit <count>', 'how many at most', positive, 20)
    .option('--running', 'only those that have not ended')
    .option('--json', 'print them as a JSON array')
    .action(async (query: string | undefined, options: ListOptions) => {
      await withRuns(options, async ({ runs }) => {
        const filters = [
          ...(query === undefined || query.trim() === '' ? [] : [`(${query})`]),
          ...(options.running === true ? ["ExecutionStatus = 'Running'"] : []),
        ];
        const found: RunListing[] = [];
        for await (const run of runs.list(filters.join(' AND '))) {
          found.push(run);
          if (found.length >= options.limit) break;
        }
        if (options.json === true) output.json(found.map(listingAsJson));
        else if (found.length === 0) output.note('No runs.');
        else printListing(found, output);
      });
    });
}

interface CancelCommandOptions extends CommonOptions {
  readonly reason?: string;
  readonly wait?: boolean;
}

function addCancel(program: Command, output: Output): void {
  withConnection(program.command('cancel'))
    .description('cancel a run, at its provider too')
    .argument('<id>', 'id of the run')
    .option('--reason <text>', 'why; it stands in the history')
    .option('--wait', 'wait until it has ended')
    .option('--json', 'print JSON')
    .action(async (id: string, options: CancelCommandOptions) => {
      await withRuns(options, async ({ runs }) => {
        const run = runs.getHandle(id);
        await run.cancel(options.reason === undefined ? {} : { reason: options.reason });
        if (options.wait !== true) {
          if (options.json === true) output.json({ id, cancel_requested: true });
          else output.out(`Cancel of ${printable(id)} requested.`);
          return;
        }
        const result = await waitForRun(run, output, { follow: false });
        if (options.json === true) output.json(result);
        else printAnswer(id, result, output);
        // It may have ended before it was cancelled.
        if (result.code !== null && result.code !== 'cancelled')
          throw new RunEndedError(id, result.code, result);
      });
    });
}

interface RetryCommandOptions extends CommonOptions {
  readonly deadline?: number;
  readonly attempts?: number;
  readonly rounds?: number;
  readonly wait?: boolean;
}

/** The limits that were given, and no others. */
function retryOptions({ deadline, attempts, rounds, taskQueue }: RetryCommandOptions): RetryOptions {
  const limits = {
    ...(deadline === undefined ? {} : { deadline_seconds: deadline }),
    ...(rounds === undefined ? {} : { rounds }),
  };
  return {
    limits,
    ...(attempts === undefined ? {} : { retry: { attempts } }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  };
}

function addRetry(program: Command, output: Output): void {
  withConnection(program.command('retry'))
    .description('go on with a run that ended badly: what its tools have done is not done again')
    .argument('<id>', 'id of the run')
    .option('--deadline <seconds>', 'another deadline', positive)
    .option('--attempts <count>', 'how many attempts it may make from here', positive)
    .option('--rounds <count>', 'how many rounds of tool calls from here', positive)
    .option('--wait', 'wait until it has ended')
    .option('--json', 'print JSON')
    .action(async (id: string, options: RetryCommandOptions) => {
      await withRuns(options, async ({ runs }) => {
        const run = await runs.retry(id, retryOptions(options));
        if (options.wait !== true) {
          if (options.json === true) output.json({ id, retried: true });
          else output.out(`${printable(id)} goes on.`);
          return;
        }
        const result = await waitForRun(run, output, { follow: false });
        if (options.json === true) output.json(result);
        else printAnswer(id, result, output);
        if (result.code !== null) throw new RunEndedError(id, result.code, result);
      });
    });
}

interface SweepCommandOptions extends CommonOptions {
  readonly since: number;
  readonly dryRun?: boolean;
}

function printSwept(swept: readonly Swept[], output: Output): void {
  if (swept.length === 0) {
    output.out('No run was terminated in that time.');
    return;
  }
  output.out(
    table(
      ['ID', 'BACKEND', 'ATTEMPT', 'OUTCOME', 'DETAIL'],
      swept.map((one) => [one.id, one.backend ?? '–', one.attemptId ?? '–', one.outcome, one.detail ?? '']),
    ),
  );
}

function addSweep(program: Command, output: Output, exit: Exit): void {
  withConnection(program.command('sweep'))
    .description('cancel what terminated runs left alive at their providers; a worker has to be running')
    .option('--since <hours>', 'how far back to look', hours, 24)
    .option('--dry-run', 'only look')
    .option('--json', 'print a JSON array')
    .action(async (options: SweepCommandOptions) => {
      await withRuns(options, async ({ client, config, taskQueue }) => {
        if (config === null) {
          throw new UsageError(
            'sweep needs the configuration of the worker: give --config or DROVER_CONFIG.',
          );
        }
        const swept: Swept[] = [];
        const found = sweep({
          client,
          config,
          taskQueue,
          sinceSeconds: options.since * 3_600,
          dryRun: options.dryRun === true,
        });
        for await (const one of found) swept.push(one);
        if (options.json === true) {
          output.json(
            swept.map(({ workflowRunId, attemptId, ...one }) => ({
              ...one,
              workflow_run_id: workflowRunId,
              attempt_id: attemptId,
            })),
          );
        } else {
          printSwept(swept, output);
        }
        if (swept.some(({ outcome }) => SWEEP_UNSETTLED.has(outcome))) exit.code = EXIT_CODES.unwell.code;
      });
    });
}

export function addRunCommands(program: Command, output: Output, exit: Exit): void {
  addShow(program, output);
  addList(program, output);
  addCancel(program, output);
  addRetry(program, output);
  addSweep(program, output, exit);
}
