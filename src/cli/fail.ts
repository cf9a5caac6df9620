/** From an error to one clear line and an exit code; never a stack trace. */
import { CommanderError } from 'commander';
import { CHECK_CREDENTIALS, isCredentialRefusal, reasonOf } from '../connect-error.ts';
import { isDroverError, isRunEndedError } from '../errors.ts';
import type { Issue } from '../contract.ts';
import { SEARCH_ATTRIBUTES } from '../search-attributes.ts';
import { EXIT_CODES } from './exit-codes.ts';
import type { ExitName } from './exit-codes.ts';
import { printable } from './output.ts';
import type { Output } from './output.ts';

/** Arguments that cannot be used as they are. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Temporal did not answer, or refused. */
export class UnreachableError extends Error {
  /** The run that it is about, where it is about one. */
  readonly runId: string | undefined;

  constructor(message: string, { runId, cause }: { readonly runId?: string; readonly cause: unknown }) {
    super(message, { cause });
    this.name = 'UnreachableError';
    this.runId = runId;
  }
}

/** The user pressed Ctrl-C while a run was waited for. */
export class InterruptedError extends Error {
  readonly runId: string;

  constructor(runId: string, message: string) {
    super(message);
    this.name = 'InterruptedError';
    this.runId = runId;
  }
}

const BY_NAME: ReadonlyMap<string, ExitName> = new Map([
  ['UsageError', 'usage'],
  ['InvalidRequestError', 'usage'],
  ['RunRefusedError', 'usage'],
  ['ConfigError', 'usage'],
  ['ToolDefinitionError', 'usage'],
  ['UnreachableError', 'unreachable'],
  ['ConnectError', 'unreachable'],
  ['NamespaceNotFoundError', 'unreachable'],
  ['WorkflowNotFoundError', 'notFound'],
  ['RunNotFoundError', 'notFound'],
  ['RunConflictError', 'conflict'],
  ['DecisionRefusedError', 'conflict'],
  ['RunNotRetryableError', 'conflict'],
  ['RunEndedError', 'failed'],
  ['RunLostError', 'lost'],
  ['InterruptedError', 'interrupted'],
]);

/** Temporal's own errors have no common class that survives two copies of its client. */
function isFromTemporal(error: Error): boolean {
  if (error.name === 'ServiceError') return true;
  return 'code' in error && typeof error.code === 'number' && 'details' in error;
}

/** gRPC's code of an argument that the server cannot use, such as a query with a mistake in it. */
const INVALID_ARGUMENT = 3;

function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error ? error.code : codeOf(error.cause);
}

/**
 * The error with words that name the run, where Temporal was lost over it: nobody else knows its id, and whoever repeats
 * the command without it pays for two runs. Any other error is given back.
 */
export function namingRun(error: unknown, runId: string, what: string): unknown {
  if (!(error instanceof Error) || !isFromTemporal(error) || codeOf(error) === INVALID_ARGUMENT) return error;
  const message = `${what} (${reasonOf(error)}). \`drover show ${runId}\` looks at it; the same request with \`--id ${runId}\` waits for it and starts no other.`;
  return new UnreachableError(message, { runId, cause: error });
}

interface Told {
  readonly exit: ExitName;
  readonly code: string;
  readonly message: string;
  readonly issues?: readonly Issue[];
  readonly runId?: string;
}

/** What Temporal could not use. A search attribute of Drover's that it does not know was never registered. */
function explainArgument(reason: string): string {
  const isOurs = Object.values(SEARCH_ATTRIBUTES).some(({ name }) => reason.includes(name));
  const todo = isOurs
    ? '. Look whether it is registered: `drover doctor` tells, `drover doctor --fix` registers it.'
    : '';
  return `Temporal refused it: ${reason}${todo}`;
}

function tell(error: unknown): Told {
  if (!(error instanceof Error)) return { exit: 'failed', code: 'internal', message: String(error) };
  const exit = BY_NAME.get(error.name);
  if (exit !== undefined) {
    const code = isDroverError(error) ? error.code : exit;
    const { issues, runId } = error as Partial<Pick<Told, 'issues' | 'runId'>>;
    return {
      exit,
      code,
      message: error.message,
      ...(issues === undefined ? {} : { issues }),
      ...(runId === undefined ? {} : { runId }),
    };
  }
  if (isFromTemporal(error)) {
    if (codeOf(error) === INVALID_ARGUMENT) {
      return { exit: 'usage', code: 'usage', message: explainArgument(reasonOf(error)) };
    }
    if (isCredentialRefusal(error)) {
      const message = `Temporal refused the credentials: ${reasonOf(error)}. ${CHECK_CREDENTIALS}`;
      return { exit: 'unreachable', code: 'unreachable', message };
    }
    const message = `Temporal did not do it: ${reasonOf(error)}. Check TEMPORAL_ADDRESS and that the server and a worker run; \`drover doctor\` looks at all of it.`;
    return { exit: 'unreachable', code: 'unreachable', message };
  }
  return { exit: 'failed', code: 'internal', message: `${error.name}: ${error.message.split('\n', 1)[0]}` };
}

function wordsOf({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'There is no command. `drover --help` lists them.';
  return printable(message.replace(/^error: /, ''));
}

/** Prints the error, as JSON on standard error where that was asked for. @returns the exit code */
export function reportError(error: unknown, output: Output, json: boolean): number {
  if (error instanceof CommanderError) {
    // Help and version are no errors.
    if (error.exitCode === 0) return EXIT_CODES.ok.code;
    // For people commander has printed its own line by now.
    if (json) output.note(JSON.stringify({ error: { code: 'usage', message: wordsOf(error) } }));
    return EXIT_CODES.usage.code;
  }
  const { exit, code, message, issues, runId } = tell(error);
  // The result of a run that ended is on standard output already.
  if (json && !isRunEndedError(error)) {
    output.note(JSON.stringify({ error: { code, message, issues, run_id: runId } }));
  } else if (!json) {
    output.note(`${output.noteTone(exit === 'interrupted' ? 'quiet' : 'bad', 'drover:')} ${message}`);
  }
  return EXIT_CODES[exit].code;
}
