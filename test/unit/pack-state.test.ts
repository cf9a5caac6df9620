/** What is left out of a state that is carried on, with entries and sizes as runs have them. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LIMITS, type ToolCallResult } from '../../src/contract.ts';
import type { PlannedCall, ToolPolicy } from '../../src/steps.ts';
import { initialState, type DriveState } from '../../src/workflows/drive-state.ts';
import {
  handIn,
  matchCall,
  openEntry,
  settleEntry,
  type LedgerEntry,
} from '../../src/workflows/effect-ledger.ts';
import { packState, stateBytes, unpackState } from '../../src/workflows/pack-state.ts';

const RUN = '0199c7a5-1111-7222-8333-444455556666';
const OUTPUT = '{"cents":1200}';
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

type Kind = Pick<ToolPolicy, 'effect' | 'reuse'>;
const READ: Kind = { effect: 'none', reuse: false };
const READ_ONCE: Kind = { effect: 'none', reuse: true };
const WRITE: Kind = { effect: 'idempotent', reuse: false };
const ONCE: Kind = { effect: 'once', reuse: false };

const planned = (order: number | string, kind: Kind): PlannedCall => ({
  id: `call_${sha(`${order}`).slice(0, 24)}`,
  name: 'get_order',
  arguments: `{"order_id":"${order}"}`,
  effect_digest: sha(`effect ${order}`),
  arguments_digest: sha(`arguments ${order}`),
  policy: { keyed: false, ...kind } as ToolPolicy,
  refusal: null,
});

/** Calls a tool as a round does. */
function act(state: DriveState, call: PlannedCall, status: LedgerEntry['status'] = 'done'): string {
  const { action, key } = matchCall(state.ledger, call, RUN);
  expect(action).toBe('run');
  openEntry(state.ledger, key, call);
  const output = status === 'in_flight' ? null : OUTPUT;
  settleEntry(state.ledger, key, status, output);
  const record: ToolCallResult = {
    id: call.id,
    attempt: 1,
    round: 1,
    name: call.name,
    arguments: call.arguments,
    output,
    status: status === 'done' ? 'completed' : 'failed',
    key,
    reused: false,
    divergent: false,
    started_at: 1_764_000_000,
    duration_ms: 3,
  };
  state.calls.push(record);
  return key;
}

const fresh = (): DriveState => initialState({ assistant_id: 'bot', input: 'Go' }, 0);

/** In parts, as a ledger is searched from its start for each call. */
function called(count: number, kind: Kind): DriveState {
  const state = fresh();
  for (let from = 0; from < count; from += LIMITS.callsPerRound) {
    const part = fresh();
    for (let order = from; order < Math.min(from + LIMITS.callsPerRound, count); order++)
      act(part, planned(order, kind));
    state.calls.push(...part.calls);
    state.ledger.entries.push(...part.ledger.entries);
    Object.assign(state.ledger.seen, part.ledger.seen);
  }
  return state;
}

describe('entries of a ledger that is carried on', () => {
  test('are left out where nothing is answered from them, and only there', () => {
    const state = fresh();
    act(state, planned('read', READ));
    const kept = [
      act(state, planned('read that may be reused', READ_ONCE)),
      act(state, planned('write', WRITE)),
      act(state, planned('once', ONCE)),
      act(state, planned('read that failed', READ), 'failed'),
      act(state, planned('unknown read', READ), 'unknown'),
      act(state, planned('read in flight', READ), 'in_flight'),
      act(state, planned('read that people answered', READ)),
    ];
    handIn(state.ledger, kept.at(-1)!);
    const packed = packState(state, 1_000_000)!;
    expect(packed.state.ledger.entries.map(({ key }) => key)).toEqual(kept);
    expect(state.ledger.entries).toHaveLength(8);
    const carried = unpackState(JSON.parse(JSON.stringify(packed)));
    expect(carried.calls).toEqual(state.calls);
  });

  test.each([
    ['of the same attempt', {}],
    ['of the next attempt', { seen: {} }],
  ])('change nothing by it for an equal call %s', (_when, over) => {
    const state = called(3, READ);
    const carried = unpackState(packState(state, 1_000_000)!);
    for (const ledger of [state.ledger, carried.ledger]) Object.assign(ledger, structuredClone(over));
    for (const order of [0, 0, 1]) {
      const equal = planned(order, READ);
      expect(matchCall(carried.ledger, equal, RUN)).toEqual(matchCall(state.ledger, equal, RUN));
    }
  });
});

test('small outputs stay with the calls that are kept, and as many calls are kept as fit', () => {
  const limit = 1_000_000;
  const { state } = packState(called(3_000, READ), limit)!;
  expect(new Set(state.calls.map(({ output }) => output))).toEqual(new Set([OUTPUT]));
  expect(state.calls.at(-1)?.id).toBe(planned(2_999, READ).id);
  expect(Buffer.byteLength(JSON.stringify(state))).toBeGreaterThan(limit - 2_000);
});

test('records go until it fits, where the oldest are smaller than the newest', () => {
  const state = called(1_000, READ);
  for (const call of state.calls.slice(500)) call.name = 'n'.repeat(5_000);
  expect(packState(state, 1_000_000)).not.toBeNull();
});

describe('as many calls as docs/operations.md says can be carried on', () => {
  test.each([
    ['12,000 reads', 12_000, READ, stateBytes(1_000)],
    ['3,000 reads beside a request of a megabyte and more', 3_000, READ, stateBytes(1_200_000)],
    ['3,500 effects', 3_500, WRITE, stateBytes(1_000)],
    ['900 effects beside a request of a megabyte and more', 900, WRITE, stateBytes(1_200_000)],
  ])('%s', (_what, count, kind, limit) => {
    const packed = packState(called(count, kind), limit)!;
    expect(Buffer.byteLength(JSON.stringify(packed))).toBeLessThanOrEqual(limit);
    expect(packed.state.ledger.entries).toHaveLength(kind === READ ? 0 : count);
    expect(Object.keys(packed.state.ledger.seen)).toHaveLength(count);
  });

  test('and not many effects more: none of them may be forgotten', () => {
    expect(packState(called(4_000, WRITE), LIMITS.continueBytes)).toBeNull();
  });
});
