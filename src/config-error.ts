/** The one error of a configuration, of the environment and of a worker's own registrations. */
import type { Issue } from './contract.ts';
import { describeIssue, DroverError } from './errors.ts';

/** The message shows so many; `issues` has all. */
const SHOWN_ISSUES = 50;

/** Everything that is wrong with a configuration, at once. Holds no secret: values are named, never shown. */
export class ConfigError extends DroverError {
  readonly issues: readonly Issue[];
  /** Where the mistakes are: a file, or the environment. */
  readonly source: string | null;

  constructor(
    issues: readonly Issue[],
    options: { readonly source?: string | null; readonly cause?: unknown } = {},
  ) {
    super('ConfigError', 'config', configMessage(issues, options.source ?? null), options.cause);
    this.issues = issues;
    this.source = options.source ?? null;
  }
}

function configMessage(issues: readonly Issue[], source: string | null): string {
  const where = source === null ? 'The configuration' : source;
  const count = issues.length === 1 ? 'one mistake' : `${issues.length} mistakes`;
  const lines = issues.slice(0, SHOWN_ISSUES).map((issue) => `  - ${describeIssue(issue)}`);
  const rest = issues.length - lines.length;
  if (rest > 0) lines.push(`  - and ${rest} more, see \`issues\``);
  return `${where} has ${count}:\n${lines.join('\n')}`;
}

/** The mistakes of several sources as one error, whose message tells each source's. */
export function joinConfigErrors(errors: readonly ConfigError[]): ConfigError {
  const [only, ...more] = errors;
  if (only !== undefined && more.length === 0) return only;
  const joined = new ConfigError(
    errors.flatMap(({ issues }) => issues),
    { cause: new AggregateError(errors) },
  );
  joined.message = errors.map(({ message }) => message).join('\n');
  return joined;
}

/** By name and not by class: a configuration may be loaded by another copy of the package. */
export function isConfigError(error: unknown): error is ConfigError {
  return (
    error instanceof Error &&
    error.name === 'ConfigError' &&
    Array.isArray((error as Partial<ConfigError>).issues)
  );
}
