/** A workflow that dispatches one tool as Drover's own does, and tells what became of it. */
import { ActivityFailure, ApplicationFailure, scheduleActivity } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { ToolInput } from '../../src/steps.ts';

export interface ToolEnd {
  readonly output: string | null;
  /** The failure's type or its kind. */
  readonly failure: string | null;
  readonly details: unknown;
}

export async function dispatchTool(input: ToolInput, options: ActivityOptions): Promise<ToolEnd> {
  try {
    return {
      output: await scheduleActivity<string>(input.name, [input], options),
      failure: null,
      details: null,
    };
  } catch (error) {
    const cause = error instanceof ActivityFailure ? error.cause : error;
    if (cause instanceof ApplicationFailure) {
      return { output: null, failure: cause.type ?? null, details: cause.details?.[0] ?? null };
    }
    return { output: null, failure: cause instanceof Error ? cause.name : 'none', details: null };
  }
}
