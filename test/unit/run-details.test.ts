import { describe, expect, test } from 'vitest';
import { currentDetails, searchable } from '../../src/workflows/run-details.ts';
import { initialState } from '../../src/workflows/drive-state.ts';
import type { ToolCallResult } from '../../src/contract.ts';
import type { WaitingCall } from '../../src/decisions.ts';

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

const nobody = { runId: 'r', calls: [] };
const waiting = (kind: WaitingCall['kind'], id: string): WaitingCall => ({
  key: `run/refund/abc/${id}`,
  kind,
  name: 'refund',
  tool_call_id: id,
  arguments: '{"secret":"prompt text"}',
  arguments_digest: 'abcdef'.repeat(10),
  attempt: 1,
  round: 1,
  since: 0,
  until: 1,
});

describe('what Temporal UI shows of a run while it works', () => {
  test('names pending calls with their counts, and none of their arguments', () => {
    const state = initialState({ assistant_id: 'a', input: 'prompt text' }, 0);
    state.calls.push(pending('get_weather'), pending('get_weather'), pending('get_order'));
    const shown = currentDetails(state, 'running tools', nobody);
    expect(shown).toContain('- **Pending calls**: `get_weather` ×2, `get_order`');
    expect(shown).not.toContain('prompt text');
  });

  test('names the calls that wait on people, with the digest of their arguments and the command to type', () => {
    const state = initialState({ assistant_id: 'a' }, 0);
    const calls = [waiting('approval', 'call_1'), waiting('external', 'call_2')];
    const shown = currentDetails(state, 'waiting for people', { runId: 'ticket 77', calls });
    expect(shown).toContain(
      "- **Waits for approval**: `refund`, arguments `abcdefabcdefabcd`: `drover approve 'ticket 77' call_1 --digest abcdefabcdefabcd`",
    );
    expect(shown).toContain("`drover answer 'ticket 77' call_2 --digest");
    expect(shown).not.toContain('prompt text');
  });

  test('names eight calls that wait, and how many more', () => {
    const state = initialState({ assistant_id: 'a' }, 0);
    const calls = Array.from({ length: 10 }, (_, index) => waiting('unknown_outcome', `call_${index}`));
    const shown = currentDetails(state, 'waiting for people', { runId: 'r', calls });
    expect(shown.match(/drover settle r call_/g)).toHaveLength(8);
    expect(shown).toContain('- and 2 more: `drover waiting r`');
  });

  test('keeps ids inside their ticks', () => {
    const state = initialState({ assistant_id: 'a', thread_id: 'thread`\n# big' }, 0);
    expect(currentDetails(state, 'creating', nobody)).toContain('- **Thread**: `thread  # big`');
  });
});

test('a search attribute is never longer than the server takes', () => {
  expect(searchable('x'.repeat(3_000))).toHaveLength(255);
  expect(searchable(null)).toBe('');
});
