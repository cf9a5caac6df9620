/** Checks what a person says of an effect with an unknown outcome, before anything is recorded. Pure. */
import { ApplicationFailure } from '@temporalio/common';
import type { SettleEffect } from '../contract.ts';
import { LIMITS } from '../contract.ts';
import { utf8Bytes } from './run-result.ts';

function refuse(message: string): never {
  throw ApplicationFailure.create({ type: 'drover.settlement_refused', message, nonRetryable: true });
}

/** @throws ApplicationFailure `drover.settlement_refused` where the key does not wait or the answer is none. */
export function checkSettlement(
  answer: unknown,
  waiting: ReadonlyMap<string, string>,
  settled: ReadonlyMap<string, unknown>,
): asserts answer is SettleEffect {
  if (typeof answer !== 'object' || answer === null)
    refuse('An answer is an object with `key` and `outcome`.');
  const { key, outcome, output } = answer as Partial<Record<string, unknown>>;
  if (typeof key !== 'string' || !waiting.has(key)) refuse('No effect of this run waits under this key.');
  if (settled.has(key)) refuse('This effect has been answered already.');
  if (outcome !== 'done' && outcome !== 'not_done' && outcome !== 'end') {
    refuse('`outcome` is one of done, not_done and end.');
  }
  if (outcome === 'done' && typeof output !== 'string') refuse('`output` is what the model reads: a string.');
  if (typeof output === 'string' && utf8Bytes(output) > LIMITS.maxOutputBytes) {
    refuse(`\`output\` has more than ${LIMITS.maxOutputBytes} bytes.`);
  }
}
