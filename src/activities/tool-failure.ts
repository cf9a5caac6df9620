/** The failures that a tool's activity throws at the workflow. None holds a handler's own words but a ToolError's. */
import { ApplicationFailure } from '@temporalio/common';
import { ACTIVITY_FAILURES } from '../steps.ts';
import type { ToolFailureDetails } from '../steps.ts';
import { errorOutput } from '../tools/tool-output.ts';

/** The effect certainly did not start: the workflow dispatches it again, under the same key. */
export function notStarted(tool: string, reason: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: ACTIVITY_FAILURES.notStarted,
    message: `${tool} was not started: ${reason}`,
    // The attempt ends at once and the workflow decides, with its own back-off.
    nonRetryable: true,
  });
}

export interface ToolFailureOptions {
  readonly output: string;
  readonly effect: ToolFailureDetails['effect'];
  readonly retryable?: boolean;
}

/** The tool failed; the details say what the model reads and whether the effect may have been made. */
export function toolFailed(message: string, options: ToolFailureOptions): ApplicationFailure {
  const details: ToolFailureDetails = { output: options.output, effect: options.effect };
  return ApplicationFailure.create({
    type: ACTIVITY_FAILURES.toolFailed,
    message,
    nonRetryable: !(options.retryable ?? false),
    details: [details],
  });
}

/** Nobody knows whether the tool acted. */
export function unknownOutcome(tool: string, reason: string): ApplicationFailure {
  return toolFailed(`${tool} may have acted: ${reason}`, {
    output: errorOutput('tool_failed', `It is not known whether ${tool} acted.`),
    effect: 'unknown',
  });
}

const NAME = /^[A-Za-z_$][\w$]{0,63}$/;

/** An error's class name, where it is one: messages may hold arguments or keys, names are code. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'a value that is no error';
  return NAME.test(error.name) ? error.name : 'Error';
}

/** Where an error came from, without what it said; empty where the two cannot be told apart. */
export function errorFrames(error: unknown): readonly string[] {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return [];
  const said = error.stack.indexOf(error.message);
  if (said === -1) return [];
  return error.stack
    .slice(said + error.message.length)
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 10)
    .map((line) => line.trim());
}
