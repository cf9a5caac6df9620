/** What reading a run's progress or its output throws. No workflow code needs them, unlike `errors.ts`. */
import { DroverError } from './errors.ts';

/** A run's output has not the shape that was asked for. Names fields, never values. */
export class InvalidOutputError extends DroverError {
  readonly runId: string;

  constructor(runId: string, why: string, cause?: unknown) {
    super(
      'InvalidOutputError',
      'invalid_output',
      `The output of the run ${runId} cannot be read by its schema: ${why}. Look at the result's code, refusal and output_text.`,
      cause,
    );
    this.runId = runId;
  }
}

/** What `watch` was to go on after is no offset of an event. */
export class InvalidOffsetError extends DroverError {
  constructor(offset: string) {
    super(
      'InvalidOffsetError',
      'invalid_offset',
      `${JSON.stringify(offset.slice(0, 100))} is no offset of an event of this run, or of none that Temporal still has. Give the \`offset\` of one as it was told, or none to watch from the start.`,
    );
  }
}
