/** Cuts what a step hands back to what Temporal can carry: past its limits a workflow hangs for ever. Pure. */
import { ApplicationFailure } from '@temporalio/common';
import { LIMITS } from '../contract.ts';
import { RUN_PROPERTIES, type RunObject } from '../run.ts';
import type { AttemptOutput } from '../steps.ts';

/** Room beside it in the same payload for the run object with its instructions. */
const OUTPUT_BYTES = LIMITS.resultBytes / 3;

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

/** The beginning that takes at most so many bytes as JSON, where one byte of text may take six. */
function cutTo(text: string, bytes: number): string {
  if (jsonBytes(text) <= bytes) return text;
  let kept = text.slice(0, Math.floor(bytes));
  for (let size = jsonBytes(kept); size > bytes; size = jsonBytes(kept)) {
    kept = kept.slice(0, Math.min(Math.floor((kept.length * bytes) / size), kept.length - 1));
  }
  const whole = /[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept;
  return `${whole}\n[cut: ${Buffer.byteLength(text)} bytes in all]`;
}

/** The text is kept before the messages, which hold it a second time; what was cut says so at its end. */
export function boundOutput(output: AttemptOutput, limit: number = OUTPUT_BYTES): AttemptOutput {
  if (jsonBytes(output) <= limit) return output;
  const { messages } = output;
  return {
    text: cutTo(output.text, limit / 2),
    refusal: output.refusal === null ? null : cutTo(output.refusal, limit / 8),
    messages: jsonBytes(messages) <= limit / 4 ? messages : [],
  };
}

/** What a run can do without, the bulkiest first. */
const DISPENSABLE = [
  'tools',
  'required_action',
  'instructions',
  'response_format',
  'tool_choice',
  'metadata',
  'truncation_strategy',
  'incomplete_details',
  'last_error',
] as const satisfies readonly (keyof RunObject)[];

/** What the provider's run holds beside the 27 properties goes first, then what can be asked for elsewhere. */
function boundRun(run: RunObject, limit: number): RunObject {
  if (jsonBytes(run) <= limit) return run;
  let bound = Object.fromEntries(RUN_PROPERTIES.map((name) => [name, run[name]])) as unknown as RunObject;
  for (const name of DISPENSABLE) {
    if (jsonBytes(bound) <= limit) break;
    bound = { ...bound, [name]: null };
  }
  return bound;
}

function cutAnswer<T extends object>(answer: T): T {
  const over = jsonBytes(answer) - LIMITS.resultBytes;
  if (over <= 0) return answer;
  const { run } = answer as { readonly run?: RunObject | null };
  return run ? { ...answer, run: boundRun(run, Math.max(jsonBytes(run) - over, 0)) } : answer;
}

/** True where not even the least of it can be handed back. */
export const isTooLarge = (answer: object): boolean => jsonBytes(cutAnswer(answer)) > LIMITS.continueBytes;

/**
 * What a step's activity returns, its run cut where it would not fit.
 *
 * @throws ApplicationFailure `PayloadsTooLarge` where it does not fit even so
 */
export function boundAnswer<T extends object>(answer: T): T {
  const cut = cutAnswer(answer);
  const bytes = jsonBytes(cut);
  if (bytes <= LIMITS.continueBytes) return cut;
  throw ApplicationFailure.create({
    type: 'PayloadsTooLarge',
    message: `The answer of this step has ${bytes} bytes, over the limit of ${LIMITS.continueBytes}.`,
    nonRetryable: true,
  });
}
