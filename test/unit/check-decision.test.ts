import { describe, expect, test } from 'vitest';
import type { WaitingCall, WaitKind } from '../../src/decisions.ts';
import { checkDecision, settlementOf } from '../../src/workflows/check-decision.ts';
import { emptyRoom, type WaitingRoom } from '../../src/workflows/waiting-room.ts';

const callOf = (key: string, kind: WaitKind): WaitingCall => ({
  key,
  kind,
  name: 'refund_order',
  tool_call_id: `call_${key}`,
  arguments: '{}',
  arguments_digest: `digest-${key}`,
  attempt: 1,
  round: 1,
  since: 0,
  until: 1,
});

function roomOf(...kinds: readonly WaitKind[]): WaitingRoom {
  const room = emptyRoom();
  for (const kind of kinds) {
    room.calls.set(kind, { call: callOf(kind, kind), guarded: true, decision: null, deciding: false });
  }
  return room;
}
const room = roomOf('approval', 'external', 'unknown_outcome');
const on = (kind: WaitKind, said: object) => ({ key: kind, arguments_digest: `digest-${kind}`, ...said });
const refusal = (code: string) =>
  expect.objectContaining({ type: 'drover.decision_refused', nonRetryable: true, details: [{ code }] });

describe('a decision', () => {
  test.each([
    on('approval', { outcome: 'approve' }),
    on('approval', { outcome: 'reject', reason: 'no', by: 'anna' }),
    on('approval', { outcome: 'answer', output: '' }),
    on('external', { outcome: 'answer', output: 'blue' }),
    on('external', { outcome: 'reject' }),
    on('unknown_outcome', { outcome: 'done', output: 'refunded' }),
    on('unknown_outcome', { outcome: 'not_done' }),
    on('unknown_outcome', { outcome: 'end', by: 'anna' }),
  ])('is taken: %j', (decision) => {
    expect(checkDecision(decision, room).call.key).toBe(decision.key);
  });

  test.each([
    ['malformed', 'no object', null],
    ['malformed', 'a list', []],
    ['malformed', 'no key', { outcome: 'approve', arguments_digest: 'x' }],
    ['malformed', 'no outcome', on('approval', {})],
    ['malformed', 'an outcome of another name', on('approval', { outcome: 'perhaps' })],
    ['malformed', 'an outcome of another kind', on('approval', { outcome: 'done', output: 'x' })],
    ['malformed', 'an approval of an external call', on('external', { outcome: 'approve' })],
    ['malformed', 'an answer without an output', on('approval', { outcome: 'answer' })],
    ['malformed', 'an output that goes with nothing', on('approval', { outcome: 'approve', output: 'x' })],
    [
      'malformed',
      'an output past the limit',
      on('approval', { outcome: 'answer', output: 'x'.repeat(300_000) }),
    ],
    ['malformed', 'a name that is no text', on('approval', { outcome: 'approve', by: 7 })],
    ['malformed', 'a name past the limit', on('approval', { outcome: 'approve', by: 'x'.repeat(256) })],
    [
      'malformed',
      'a reason past the limit',
      on('approval', { outcome: 'reject', reason: 'x'.repeat(2_001) }),
    ],
    ['unknown_call', 'a key that nothing has', { ...on('approval', { outcome: 'approve' }), key: 'k9' }],
    [
      'other_arguments',
      'other arguments',
      { ...on('approval', { outcome: 'approve' }), arguments_digest: 'digest-external' },
    ],
  ])('is refused as %s: %s', (code, _what, decision) => {
    expect(() => checkDecision(decision, room)).toThrow(refusal(code));
  });

  test('is refused where the call is decided, or being decided, already', () => {
    const decided = roomOf('approval');
    const waiting = decided.calls.get('approval')!;
    const decision = on('approval', { outcome: 'approve' });
    waiting.deciding = true;
    expect(() => checkDecision(decision, decided)).toThrow(refusal('already_decided'));
    waiting.deciding = false;
    waiting.decision = checkDecision(decision, decided) && (decision as never);
    expect(() => checkDecision(decision, decided)).toThrow(refusal('already_decided'));
  });
});

describe('a settlement', () => {
  test('is a decision on an effect with an unknown outcome, without its arguments', () => {
    const answer = { key: 'unknown_outcome', outcome: 'done', output: 'refunded' };
    expect(checkDecision(settlementOf(answer, room), room).call.kind).toBe('unknown_outcome');
  });

  test('approves nothing', () => {
    const answer = { key: 'approval', outcome: 'done', output: 'refunded' };
    expect(() => checkDecision(settlementOf(answer, room), room)).toThrow(refusal('malformed'));
  });

  test.each([null, 'text', { outcome: 'not_done' }])('that is none is refused: %j', (answer) => {
    expect(() => checkDecision(settlementOf(answer, room), room)).toThrow(
      expect.objectContaining({ type: 'drover.decision_refused' }),
    );
  });
});
