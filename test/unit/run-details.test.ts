import { describe, expect, test } from 'vitest';
import { currentDetails, searchable } from '../../src/workflows/run-details.ts';
import { initialState } from '../../src/workflows/drive-state.ts';
import type { ToolCallResult } from '../../src/contract.ts';

const pending = (name: string): ToolCallResult => ({
  id: 'call_1',
  attempt: 1,
  round: 1,
  name,
  arguments: '{"secret":"prompt text"}',
  output: null,
  status: 'pending',
  key: 'k',
  reused: false,
  divergent: false,
  started_at: null,
  duration_ms: null,
});

describe('what Temporal UI shows of a run while it works', () => {
  test('names pending calls with their counts, and none of their arguments', () => {
    const state = initialState({ assistant_id: 'a', input: 'prompt text' }, 0);
    state.calls.push(pending('get_weather'), pending('get_weather'), pending('get_order'));
    const shown = currentDetails(state, 'running tools', new Map());
    expect(shown).toContain('- **Pending calls**: `get_weather` ×2, `get_order`');
    expect(shown).not.toContain('prompt text');
  });

  test('names an effect that waits for a person, with its key and the Update that settles it', () => {
    const state = initialState({ assistant_id: 'a' }, 0);
    const shown = currentDetails(state, 'running tools', new Map([['run/refund/abc/0', 'refund']]));
    expect(shown).toContain('`refund`; settle `run/refund/abc/0` by the Update `settleEffect`');
  });

  test('keeps ids inside their ticks', () => {
    const state = initialState({ assistant_id: 'a', thread_id: 'thread`\n# big' }, 0);
    expect(currentDetails(state, 'creating', new Map())).toContain('- **Thread**: `thread  # big`');
  });
});

test('a search attribute is never longer than the server takes', () => {
  expect(searchable('x'.repeat(3_000))).toHaveLength(255);
  expect(searchable(null)).toBe('');
});
