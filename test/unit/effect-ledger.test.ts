import { describe, expect, test } from 'vitest';
import type { PlannedCall, ToolPolicy } from '../../src/steps.ts';
import {
  beginAttempt,
  emptyLedger,
  matchCall,
  openEntry,
  settleEntry,
  type LedgerState,
} from '../../src/workflows/effect-ledger.ts';

const RUN = 'first-run';

const policy = (over: Partial<ToolPolicy> = {}): ToolPolicy => ({
  effect: 'idempotent',
  keyed: false,
  remote: false,
  reuse: false,
  on_unknown: 'end',
  has_lookup: false,
  task_queue: null,
  start_to_close_ms: 1000,
  schedule_to_start_ms: null,
  heartbeat_ms: null,
  max_output_bytes: 1000,
  priority: null,
  retry: { maximum_attempts: 1, initial_interval_ms: 1, backoff_coefficient: 1, maximum_interval_ms: 1 },
  ...over,
});

const call = (over: Partial<PlannedCall> = {}): PlannedCall => ({
  id: 'call_1',
  name: 'refund',
  arguments: '{}',
  effect_digest: 'd1',
  arguments_digest: 'a1',
  policy: policy(),
  refusal: null,
  ...over,
});

/** Matches, and where it may run, runs it to `done` with this output. */
function act(ledger: LedgerState, wanted: PlannedCall, output: string) {
  const match = matchCall(ledger, wanted, RUN);
  if (match.action === 'run') {
    openEntry(ledger, match.key, wanted);
    settleEntry(ledger, match.key, 'done', output);
  }
  return match;
}

describe('the effect ledger', () => {
  test('runs a call that it does not know, under a key that names run, tool, digest and ordinal', () => {
    expect(act(emptyLedger(), call(), 'ok')).toEqual({ action: 'run', key: 'first-run/refund/d1/0' });
  });

  test('tells equal calls of one attempt apart by their ordinal', () => {
    const ledger = emptyLedger();
    expect(act(ledger, call(), 'one').key).toBe('first-run/refund/d1/0');
    expect(act(ledger, call({ id: 'call_2' }), 'two').key).toBe('first-run/refund/d1/1');
  });

  test('answers a re-created attempt that asks in another order, and for fewer, from the first', () => {
    let ledger = emptyLedger();
    act(ledger, call({ effect_digest: 'a' }), 'first a');
    act(ledger, call({ effect_digest: 'b' }), 'first b');
    act(ledger, call({ effect_digest: 'a' }), 'second a');
    ledger = beginAttempt(ledger);
    expect(act(ledger, call({ effect_digest: 'b' }), 'x')).toMatchObject({
      action: 'reuse',
      output: 'first b',
    });
    expect(act(ledger, call({ effect_digest: 'a' }), 'x')).toMatchObject({
      action: 'reuse',
      output: 'first a',
    });
    ledger = beginAttempt(ledger);
    expect(act(ledger, call({ effect_digest: 'a' }), 'x')).toMatchObject({
      action: 'reuse',
      output: 'first a',
    });
    expect(act(ledger, call({ effect_digest: 'a' }), 'x')).toMatchObject({
      action: 'reuse',
      output: 'second a',
    });
    expect(act(ledger, call({ effect_digest: 'a' }), 'x')).toMatchObject({ action: 'run' });
  });

  test('makes one effect of a once tool that names it by effectKey, however often and in whatever words it is asked', () => {
    const keyed = policy({ effect: 'once', keyed: true });
    let ledger = emptyLedger();
    act(ledger, call({ policy: keyed }), 'refunded');
    const again = act(ledger, call({ policy: keyed, arguments_digest: 'a2' }), 'x');
    expect(again).toMatchObject({ action: 'reuse', divergent: true, output: 'refunded' });
    ledger = beginAttempt(ledger);
    expect(act(ledger, call({ policy: keyed }), 'x')).toMatchObject({ action: 'reuse', divergent: false });
  });

  test('joins an equal keyed call of the same round that is in flight', () => {
    const keyed = policy({ effect: 'once', keyed: true });
    const ledger = emptyLedger();
    const first = matchCall(ledger, call({ policy: keyed }), RUN);
    openEntry(ledger, first.key, call({ policy: keyed }));
    expect(matchCall(ledger, call({ policy: keyed, arguments_digest: 'a2' }), RUN)).toEqual({
      action: 'join',
      key: first.key,
      divergent: true,
    });
  });

  test('lets nothing equal run while an outcome is unknown', () => {
    let ledger = emptyLedger();
    const first = matchCall(ledger, call(), RUN);
    openEntry(ledger, first.key, call());
    settleEntry(ledger, first.key, 'unknown', 'nobody knows');
    ledger = beginAttempt(ledger);
    expect(matchCall(ledger, call(), RUN)).toEqual({
      action: 'blocked',
      key: first.key,
      output: 'nobody knows',
    });
  });

  test('lets nothing equal run in the same attempt either', () => {
    const ledger = emptyLedger();
    const first = matchCall(ledger, call(), RUN);
    openEntry(ledger, first.key, call());
    settleEntry(ledger, first.key, 'unknown', 'nobody knows');
    const again = { action: 'blocked', key: first.key, output: 'nobody knows' };
    expect([matchCall(ledger, call(), RUN), matchCall(ledger, call(), RUN)]).toEqual([again, again]);
    expect(matchCall(ledger, call({ effect_digest: 'd2' }), RUN).action).toBe('run');
  });

  test('answers from what was done beside an unknown one', () => {
    let ledger = emptyLedger();
    const keys = [matchCall(ledger, call(), RUN), matchCall(ledger, call(), RUN)].map(({ key }) => key);
    for (const key of keys) openEntry(ledger, key, call());
    settleEntry(ledger, keys[0] ?? '', 'unknown', 'nobody knows');
    settleEntry(ledger, keys[1] ?? '', 'done', 'refunded');
    ledger = beginAttempt(ledger);
    expect(matchCall(ledger, call(), RUN).action).toBe('blocked');
    expect(matchCall(ledger, call(), RUN)).toMatchObject({ action: 'reuse', output: 'refunded' });
  });

  test('gives a failed effect that is asked for again its key again, and a later attempt what came of it', () => {
    let ledger = emptyLedger();
    const first = matchCall(ledger, call(), RUN);
    openEntry(ledger, first.key, call());
    settleEntry(ledger, first.key, 'failed', 'timeout');
    expect(act(ledger, call(), 'refunded')).toEqual(first);
    expect(act(ledger, call(), 'refunded again')).toEqual({ action: 'run', key: 'first-run/refund/d1/1' });
    ledger = beginAttempt(ledger);
    expect(act(ledger, call(), 'x')).toMatchObject({ action: 'reuse', output: 'refunded' });
    expect(act(ledger, call(), 'x')).toMatchObject({ action: 'reuse', output: 'refunded again' });
  });

  test('asks whether that holds only where it makes a difference, and counts as before where it does not', () => {
    const ledger = emptyLedger();
    let asked = 0;
    const never = (): boolean => {
      asked += 1;
      return false;
    };
    const first = matchCall(ledger, call(), RUN, never);
    openEntry(ledger, first.key, call());
    settleEntry(ledger, first.key, 'failed', 'timeout');
    expect(asked).toBe(0);
    expect(matchCall(ledger, call(), RUN, never)).toEqual({ action: 'run', key: 'first-run/refund/d1/1' });
    expect(asked).toBe(1);
  });

  test('runs a failed effect again under the same key', () => {
    let ledger = emptyLedger();
    const first = matchCall(ledger, call(), RUN);
    openEntry(ledger, first.key, call());
    settleEntry(ledger, first.key, 'failed', 'no');
    ledger = beginAttempt(ledger);
    expect(matchCall(ledger, call(), RUN)).toEqual({ action: 'run', key: first.key });
  });

  test('runs a tool without effect again in a new attempt, unless it says that its output may be reused', () => {
    let ledger = emptyLedger();
    const reads = call({ policy: policy({ effect: 'none' }) });
    act(ledger, reads, 'old');
    ledger = beginAttempt(ledger);
    expect(matchCall(ledger, reads, RUN).action).toBe('run');
    ledger = beginAttempt(ledger);
    const reused = call({ policy: policy({ effect: 'none', reuse: true }) });
    expect(matchCall(ledger, reused, RUN)).toMatchObject({ action: 'reuse', output: 'old' });
  });
});
