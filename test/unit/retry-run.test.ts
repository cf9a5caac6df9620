import { describe, expect, test } from 'vitest';
import { initialState, type DriveState } from '../../src/workflows/drive-state.ts';
import type { LedgerEntry } from '../../src/workflows/effect-ledger.ts';
import { beginAgain, seedOf } from '../../src/workflows/retry-run.ts';

const entry = (key: string, fields: Partial<LedgerEntry>): LedgerEntry => ({
  key,
  name: 'refund',
  arguments_digest: 'a',
  once: false,
  status: 'done',
  output: 'x',
  ...fields,
});
const decided = (outcome: 'approve' | 'reject' | 'timed_out') => ({
  outcome,
  by: null,
  reason: null,
  at: 1,
  key: outcome,
  name: 'refund',
  effect_digest: 'e',
  arguments_digest: 'a',
});

function endedState(): DriveState {
  const state = initialState({ assistant_id: 'a' }, 0);
  state.number = 3;
  state.rounds = 9;
  state.thread_id = 'thread_1';
  state.input_landed = true;
  state.ledger = {
    entries: [
      entry('done', {}),
      entry('once', { status: 'in_flight', once: true }),
      entry('idempotent', { status: 'in_flight' }),
    ],
    seen: { x: 4 },
  };
  state.decisions = [decided('approve'), decided('reject'), decided('timed_out')];
  state.updates = 7;
  state.paused_ms = 99;
  return state;
}

describe('the seed of another try', () => {
  const seed = seedOf(endedState(), 'first-run');

  test('keeps what was done, with what was in flight settled the safe way', () => {
    expect(seed.ledger.entries.map(({ key, status }) => [key, status])).toEqual([
      ['done', 'done'],
      ['once', 'unknown'],
      ['idempotent', 'failed'],
    ]);
    expect(seed.ledger.seen).toEqual({});
    expect(seed).toMatchObject({ thread_id: 'thread_1', input_landed: true, origin_run_id: 'first-run' });
  });

  test('keeps what people said, and forgets what nobody did', () => {
    expect(seed.decisions?.map(({ outcome }) => outcome)).toEqual(['approve', 'reject']);
  });

  test('goes on with another attempt, from which limits count', () => {
    expect(seed).toMatchObject({
      number: 4,
      number_base: 3,
      rounds: 0,
      live: null,
      updates: 0,
      paused_ms: 0,
    });
  });

  test('of a run that was retried before keeps the first execution, of which its keys are made', () => {
    expect(seedOf(seed, 'second-run').origin_run_id).toBe('first-run');
  });

  test('begins with the clocks at zero, and the limits of the request', () => {
    const begun = beginAgain(seed, { assistant_id: 'a', limits: { deadline_seconds: 60 } }, 5_000);
    expect(begun).toMatchObject({
      started_ms: 5_000,
      deadline_ms: 65_000,
      limits: { deadline_seconds: 60 },
      retry: {},
    });
  });
});
