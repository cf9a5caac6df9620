/** `drover run`: starts a run, waits for it, prints its answer. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { isCredentialRefusal } from '../connect-error.ts';
import type { RunRequest } from '../contract.ts';
import { RunEndedError } from '../errors.ts';
import { collect, collectField, collectPair, json, positive } from './arguments.ts';
import { withConnection, withRuns } from './connect.ts';
import type { CommonOptions } from './connect.ts';
import { namingRun, UsageError } from './fail.ts';
import type { Output } from './output.ts';
import { printAnswer } from './print-run.ts';
import { waitForRun } from './wait.ts';

interface RunOptions extends CommonOptions {
  readonly id?: string;
  readonly follow?: boolean;
  readonly detach?: boolean;
  readonly request?: string;
  readonly backend?: string;
  readonly model?: string;
  readonly thread?: string;
  readonly onBusyThread?: string;
  readonly instructions?: string;
  readonly context?: unknown;
  readonly tool?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadline?: number;
  readonly set?: Readonly<Record<string, unknown>>;
}

async function readRequest(path: string | undefined): Promise<Record<string, unknown>> {
  if (path === undefined) return {};
  let read: unknown;
  try {
    read = JSON.parse(path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is no JSON' : (error as Error).message;
    throw new UsageError(`The request in ${path === '-' ? 'standard input' : path} cannot be read: ${why}.`);
  }
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return { ...read };
  throw new UsageError('The request file must hold one JSON object.');
}

/** The request as far as it was given; what is missing or wrong is told with all else when it is started. */
async function buildRequest(
  assistant: string | undefined,
  input: string | undefined,
  options: RunOptions,
): Promise<RunRequest> {
  if (input === '-' && options.request === '-') {
    throw new UsageError('Only one of input and --request can come from standard input.');
  }
  const base = await readRequest(options.request);
  const given: Readonly<Record<string, unknown>> = {
    assistant_id: assistant,
    input: input === '-' ? (await text(process.stdin)).trimEnd() : input,
    backend: options.backend,
    model: options.model,
    thread_id: options.thread,
    on_busy_thread: options.onBusyThread,
    instructions: options.instructions,
    context: options.context,
    tools: options.tool,
    metadata: options.metadata,
    limits:
      options.deadline === undefined
        ? undefined
        : { ...(base['limits'] as object | undefined), deadline_seconds: options.deadline },
    ...options.set,
  };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...base, ...said } as unknown as RunRequest;
}

export function addRunCommand(program: Command, output: Output): void {
  withConnection(program.command('run'))
    .description('start a run, wait for it, and print its answer')
    .argument('[assistant]', 'assistant of the configuration, or of the provider')
    .argument('[input]', 'what to say to it; - reads standard input')
    .option('--id <id>', 'id of the run; the same id with the same request attaches to it')
    .option('-f, --follow', 'show on standard error how it goes')
    .option('-d, --detach', 'print its id and do not wait')
    .option('--backend <name>', 'backend of the configuration')
    .option('--model <name>', 'model, instead of the assistant’s')
    .option('--thread <id>', 'thread or conversation to go on with')
    .option('--on-busy-thread <what>', 'enqueue, reject, interrupt or proceed')
    .option('--instructions <text>', 'instructions, instead of the assistant’s')
    .option('--context <json>', 'trusted JSON for the tools', json)
    .option('--tool <name>', 'registered tool that it may call; can be given again', collect)
    .option('--metadata <key=value>', 'metadata; can be given again', collectPair)
    .option('--deadline <seconds>', 'for the whole run', positive)
    .option('--set <field=json>', 'any field of the request; can be given again', collectField)
    .option('--request <file>', 'request as a JSON file, - for standard input; the other options win over it')
    .option('--json', 'print the whole result as JSON')
    .action(async (assistant: string | undefined, input: string | undefined, options: RunOptions) => {
      const request = await buildRequest(assistant, input, options);
      await withRuns(options, async ({ runs }) => {
        const id = options.id ?? `run-${randomUUID()}`;
        const run = await runs.start(request, { id }).catch((error: unknown) => {
          // What was refused has started nothing.
          if (isCredentialRefusal(error)) throw error;
          throw namingRun(error, id, `Nobody knows whether the run ${id} was started: Temporal was lost`);
        });
        if (options.detach === true) {
          if (options.json === true) output.json({ id: run.id });
          else output.out(run.id);
          return;
        }
        if (options.follow === true) output.note(output.noteTone('quiet', `Run ${run.id}`));
        const result = await waitForRun(run, output, { follow: options.follow === true });
        if (options.json === true) output.json(result);
        else printAnswer(run.id, result, output);
        if (result.code !== null) throw new RunEndedError(run.id, result.code, result);
      });
    });
}
