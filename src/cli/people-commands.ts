/** `drover waiting`, `approve`, `reject`, `answer` and `settle`: what people do about calls that wait for them. */
import { userInfo } from 'node:os';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { RunHandle, WaitingRun } from '../client.ts';
import type { Decision, WaitingCall } from '../decisions.ts';
import { withConnection, withRuns } from './connect.ts';
import type { CommonOptions } from './connect.ts';
import { UsageError } from './fail.ts';
import { duration, printable, table } from './output.ts';
import type { Output } from './output.ts';

const SHOWN_ARGUMENT_CHARS = 100;
const SHOWN_DIGEST_CHARS = 16;

const shortDigest = (call: WaitingCall): string => call.arguments_digest.slice(0, SHOWN_DIGEST_CHARS);

const cut = (text: string): string =>
  text.length > SHOWN_ARGUMENT_CHARS ? `${text.slice(0, SHOWN_ARGUMENT_CHARS)}…` : text;

function printWaiting(runs: readonly WaitingRun[], output: Output): void {
  if (runs.length === 0) {
    output.out('Nothing waits.');
    return;
  }
  const rows = runs.flatMap(({ id, calls }) =>
    calls === null
      ? [[id, '–', '–', 'no worker answered', '–', '–', '–']]
      : calls.map((call) => [
          id,
          call.tool_call_id,
          call.name,
          call.kind,
          cut(call.arguments),
          shortDigest(call),
          duration(call.until * 1_000 - Date.now()),
        ]),
  );
  output.out(table(['RUN', 'CALL', 'TOOL', 'WAITS FOR', 'ARGUMENTS', 'DIGEST', 'LEFT'], rows));
}

function addWaiting(program: Command, output: Output): void {
  withConnection(program.command('waiting'))
    .description('list the calls that wait on people, of one run or of all')
    .argument('[id]', 'id of a run')
    .option('--json', 'print them as a JSON array')
    .action(async (id: string | undefined, options: CommonOptions) => {
      await withRuns(options, async ({ runs }) => {
        const found: WaitingRun[] = [];
        if (id === undefined) for await (const run of runs.waiting()) found.push(run);
        else {
          const calls = await runs.getHandle(id).waiting();
          if (calls.length > 0) found.push({ id, calls });
        }
        if (options.json === true) output.json(found);
        else printWaiting(found, output);
      });
    });
}

/** The call that is meant: by its id or key, or the only one that waits. */
export function chooseCall(
  calls: readonly WaitingCall[],
  named: string | undefined,
  digest: string | undefined,
): WaitingCall {
  if (calls.length === 0) throw new UsageError('No call of this run waits on people.');
  const meant =
    named === undefined
      ? calls
      : calls.filter(({ key, tool_call_id }) => key === named || tool_call_id === named);
  const [call] = meant;
  const list = calls.map(({ tool_call_id, name }) => `${tool_call_id} (${name})`).join(', ');
  if (call === undefined) throw new UsageError(`No call ${named} waits in this run. Waiting: ${list}.`);
  if (meant.length > 1) throw new UsageError(`Say which call is meant: ${list}.`);
  if (digest !== undefined && (digest.length < 8 || !call.arguments_digest.startsWith(digest))) {
    throw new UsageError(
      `Call ${call.tool_call_id} waits with other arguments than those of digest ${digest}. Look at it with drover waiting.`,
    );
  }
  return call;
}

interface DecideOptions extends CommonOptions {
  readonly digest?: string;
  readonly by: string;
  readonly reason?: string;
  /** Of `answer`, which cannot go without. */
  readonly output?: string;
  /** One of these three, of `settle`. */
  readonly done?: string;
  readonly notDone?: boolean;
  readonly end?: boolean;
}

/** What a decision says, without the call that it is about. */
type Said = Decision extends infer D
  ? D extends Decision
    ? Omit<D, 'key' | 'arguments_digest' | 'by' | 'reason'>
    : never
  : never;

async function decide(
  run: RunHandle,
  call: WaitingCall,
  said: Said,
  { by, reason }: DecideOptions,
): Promise<void> {
  const { key, arguments_digest } = call;
  await run.decide({ key, arguments_digest, by, ...(reason === undefined ? {} : { reason }), ...said });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

function addDecision(
  program: Command,
  output: Output,
  what: { readonly name: string; readonly description: string; readonly done: string },
  read: (options: DecideOptions) => Said,
): Command {
  return withConnection(program.command(what.name))
    .description(what.description)
    .argument('<id>', 'id of the run')
    .argument('[call]', 'id or key of the call (default: the only one that waits)')
    .option('--digest <hex>', 'the beginning of the digest that was shown: other arguments are refused')
    .option('--by <name>', 'who decides', userName())
    .option('--reason <text>', 'why; it stands in the result, and the model reads that of a rejection')
    .option('--json', 'print JSON')
    .action(async (id: string, named: string | undefined, options: DecideOptions) => {
      const said = read(options);
      await withRuns(options, async ({ runs }) => {
        const run = runs.getHandle(id);
        const call = chooseCall(await run.waiting(), named, options.digest);
        await decide(run, call, said, options);
        if (options.json === true) output.json({ id, call, outcome: said.outcome, by: options.by });
        else {
          output.out(
            `${what.done} ${printable(call.name)} ${printable(cut(call.arguments))} of ${printable(id)}, by ${printable(options.by)}.`,
          );
        }
      });
    });
}

function readSettlement({ done, notDone, end }: DecideOptions): Said {
  const given = [done !== undefined, notDone === true, end === true].filter(Boolean).length;
  if (given !== 1) throw new UsageError('Give one of --done <output>, --not-done and --end.');
  if (done !== undefined) return { outcome: 'done', output: done };
  return { outcome: notDone === true ? 'not_done' : 'end' };
}

export function addPeopleCommands(program: Command, output: Output): void {
  addWaiting(program, output);
  addDecision(
    program,
    output,
    { name: 'approve', description: 'let a call run that needs approval', done: 'Approved' },
    () => ({ outcome: 'approve' }),
  );
  addDecision(
    program,
    output,
    { name: 'reject', description: 'refuse a call; the model reads the reason', done: 'Rejected' },
    () => ({ outcome: 'reject' }),
  );
  addDecision(
    program,
    output,
    { name: 'answer', description: 'give a call its output, in the place of its tool', done: 'Answered' },
    (options) => ({ outcome: 'answer', output: options.output ?? '' }),
  ).addOption(new Option('--output <text>', 'what the model reads').makeOptionMandatory());
  addDecision(
    program,
    output,
    {
      name: 'settle',
      description: 'say what became of a once-only effect whose outcome is unknown',
      done: 'Settled',
    },
    readSettlement,
  )
    .option('--done <output>', 'it was done; the model reads this output')
    .option('--not-done', 'it was not done: the tool runs again')
    .option('--end', 'end the run');
}
