/** Checks what a person says of a call that waits, before anything is recorded. Pure. */
import { ApplicationFailure } from '@temporalio/common';
import { LIMITS } from '../contract.ts';
import { DECISION_LIMITS, DECISION_REFUSED, OUTCOMES } from '../decisions.ts';
import type { Decision, DecisionOutcome, DecisionRefusal } from '../decisions.ts';
import { utf8Bytes } from './run-result.ts';
import type { Waiting, WaitingRoom } from './waiting-room.ts';

export function refuse(code: DecisionRefusal, message: string): never {
  throw ApplicationFailure.create({
    type: DECISION_REFUSED,
    message,
    nonRetryable: true,
    details: [{ code }],
  });
}

function checkText(value: unknown, field: string, most: number): void {
  if (value === undefined || value === null) return;
  if (typeof value !== 'string') refuse('malformed', `\`${field}\` is text.`);
  if (value.length > most) refuse('malformed', `\`${field}\` has more than ${most} characters.`);
}

function checkOutput(outcome: DecisionOutcome, output: unknown): void {
  const wanted = outcome === 'answer' || outcome === 'done';
  if (!wanted) {
    if (output !== undefined)
      refuse('malformed', `\`output\` goes with answer and done, not with ${outcome}.`);
    return;
  }
  if (typeof output !== 'string') refuse('malformed', '`output` is what the model reads: text.');
  if (utf8Bytes(output) > LIMITS.maxOutputBytes) {
    refuse('malformed', `\`output\` has more than ${LIMITS.maxOutputBytes} bytes.`);
  }
}

function isOutcome(value: unknown): value is DecisionOutcome {
  return Object.values(OUTCOMES).some((outcomes) => (outcomes as readonly unknown[]).includes(value));
}

/**
 * The call that a decision is about.
 *
 * @throws ApplicationFailure `drover.decision_refused` with the refusal's code in its details.
 */
export function checkDecision(given: unknown, room: WaitingRoom): Waiting {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    refuse('malformed', 'A decision is an object with `key`, `arguments_digest` and `outcome`.');
  }
  const { key, arguments_digest, outcome, output, by, reason } = given as Partial<Record<string, unknown>>;
  if (typeof key !== 'string') refuse('malformed', '`key` is the key of a call that waits.');
  if (!isOutcome(outcome)) refuse('malformed', '`outcome` is none of the outcomes of a decision.');
  checkOutput(outcome, output);
  checkText(by, 'by', DECISION_LIMITS.byChars);
  checkText(reason, 'reason', DECISION_LIMITS.reasonChars);
  const waiting = room.calls.get(key);
  if (waiting === undefined) refuse('unknown_call', 'No call of this run waits under this key.');
  if (waiting.decision !== null || waiting.deciding) {
    refuse('already_decided', 'This call has been decided already.');
  }
  const { kind, arguments_digest: shown } = waiting.call;
  if (arguments_digest !== shown) {
    refuse('other_arguments', 'This call waits with other arguments than those that were decided on.');
  }
  if (!OUTCOMES[kind].includes(outcome)) {
    refuse('malformed', `A call that waits for ${kind} takes ${OUTCOMES[kind].join(', ')}.`);
  }
  return waiting;
}

/** The Update `settleEffect` as a decision: its answer names no arguments, as the key tells one effect. */
export function settlementOf(answer: unknown, room: WaitingRoom): Decision {
  const given = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Decision>;
  const waiting = room.calls.get(given.key ?? '');
  return { ...given, arguments_digest: waiting?.call.arguments_digest ?? '' } as Decision;
}
