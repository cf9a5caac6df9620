/** Errors of tools: what a handler throws at the model, and what a wrong definition is refused with. */
import type { Issue } from '../contract.ts';

export interface ToolErrorOptions {
  /**
   * Whether the tool acted before it failed. `none`: certainly not, so an equal call may act later.
   * @default 'unknown'
   */
  readonly effect?: 'none' | 'unknown';
  /** Try the same call again by the tool's retry policy. Ignored for `once`, which never starts twice. @default false */
  readonly retryable?: boolean;
}

/**
 * What a handler throws to tell the model that its call failed. The message reaches the model, the
 * workflow's history and the run's result word for word: put nothing secret into it.
 */
export class ToolError extends Error {
  readonly effect: 'none' | 'unknown';
  readonly retryable: boolean;

  constructor(message: string, options: ToolErrorOptions = {}) {
    super(message);
    this.name = 'ToolError';
    this.effect = options.effect ?? 'unknown';
    this.retryable = options.retryable ?? false;
  }
}

/** True for a ToolError of any copy of Drover: it goes by the name, not by the class. */
export function isToolError(error: unknown): error is ToolError {
  if (!(error instanceof Error) || error.name !== 'ToolError') return false;
  const { effect } = error as Partial<ToolError>;
  return effect === 'none' || effect === 'unknown';
}

/** The message shows so many; `issues` has all. */
const SHOWN_ISSUES = 50;

function describe(issues: readonly Issue[]): string {
  const lines = issues.slice(0, SHOWN_ISSUES).map(({ field, message }) => `  ${field}: ${message}`);
  const rest = issues.length - lines.length;
  return [...lines, ...(rest > 0 ? [`  and ${rest} more, see \`issues\``] : [])].join('\n');
}

/** Tools that cannot be registered: every mistake of every tool, at once. */
export class ToolDefinitionError extends Error {
  readonly code = 'invalid_tools';
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    const count = issues.length === 1 ? 'one mistake' : `${issues.length} mistakes`;
    super(`The tools cannot be registered, ${count} to mend:\n${describe(issues)}`);
    this.name = 'ToolDefinitionError';
    this.issues = issues;
  }
}

export function isToolDefinitionError(error: unknown): error is ToolDefinitionError {
  return error instanceof Error && error.name === 'ToolDefinitionError';
}
