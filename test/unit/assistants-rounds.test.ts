import { describe, expect, test } from 'vitest';
import { afterSubmit, atLook } from '../../src/backends/assistants-rounds.ts';
import { observeRun } from '../../src/backends/assistants-read.ts';
import type { Observation } from '../../src/backends/backend.ts';
import { readRun, type Json } from '../../src/run.ts';

type Call = readonly [id: string, name: string, args: string];

function seen(...calls: readonly Call[]): Observation {
  const run = readRun({
    id: 'run_1',
    status: calls.length > 0 ? 'requires_action' : 'in_progress',
    required_action: {
      type: 'submit_tool_outputs',
      submit_tool_outputs: {
        tool_calls: calls.map(([id, name, args]) => ({
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
      },
    },
  });
  if (run === null) throw new Error('The run is not readable.');
  return observeRun(run, { threadId: 'thread_1', key: 'first/1' }, null);
}

const PAY: Call = ['call_1', 'pay', '{"cents":5}'];

/** The state of an attempt that was asked for a round and was given its outputs. */
function given(...calls: readonly Call[]): Json {
  const { attempt } = atLook(seen(...calls), null);
  return afterSubmit(seen(), attempt.state).attempt.state;
}

describe('a look at calls', () => {
  test('that nobody was asked for before is news', () => {
    expect(atLook(seen(PAY), null).repeats).toBeUndefined();
  });

  test('whose outputs were handed in repeats them', () => {
    expect(atLook(seen(PAY), given(PAY)).repeats).toBe('last');
  });

  test.each<[string, readonly Call[]]>([
    ['has another id', [['call_2', 'pay', '{"cents":5}']]],
    ['has other arguments under the same id', [['call_1', 'pay', '{"cents":6}']]],
    ['is of another tool under the same id', [['call_1', 'refund', '{"cents":5}']]],
    ['comes with another', [PAY, ['call_2', 'pay', '{"cents":5}']]],
  ])('of which one %s is news', (_what, calls) => {
    expect(atLook(seen(...calls), given(PAY)).repeats).toBeUndefined();
  });

  test('is remembered over looks that show none', () => {
    const quiet = atLook(seen(), given(PAY));
    expect(atLook(seen(PAY), quiet.attempt.state).repeats).toBe('last');
  });

  test('is remembered over later rounds, also one whose submit was lost', () => {
    const next: Call = ['call_2', 'ship', '{}'];
    const asked = atLook(seen(next), given(PAY));
    const behind = afterSubmit(seen(PAY), asked.attempt.state);
    expect(atLook(seen(PAY), behind.attempt.state).repeats).toBe('earlier');
    expect(atLook(seen(next), behind.attempt.state).repeats).toBe('last');
  });

  test('is remembered for as long as a copy may be behind, and no longer', () => {
    let state: Json = null;
    const round = (n: number): Call => [`call_${n}`, 'pay', '{}'];
    for (let n = 0; n < 20; n += 1)
      state = afterSubmit(seen(), atLook(seen(round(n)), state).attempt.state).attempt.state;
    expect(atLook(seen(round(19)), state).repeats).toBe('last');
    expect(atLook(seen(round(15)), state).repeats).toBe('earlier');
    expect(atLook(seen(round(0)), state).repeats).toBeUndefined();
  });

  test('that were shown but not answered is news', () => {
    const { attempt } = atLook(seen(PAY), null);
    expect(atLook(seen(PAY), attempt.state).repeats).toBeUndefined();
  });
});

test('an attempt without calls carries no state', () => {
  expect(atLook(seen(), null).attempt.state).toBeNull();
  expect(afterSubmit(seen(), null).attempt.state).toBeNull();
});
