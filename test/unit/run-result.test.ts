import { describe, expect, test } from 'vitest';
import type { RunRequest, ToolCallResult } from '../../src/contract.ts';
import { FAILURES } from '../../src/failures.ts';
import { readRun, RUN_PROPERTIES } from '../../src/run.ts';
import type { AttemptRef, Created } from '../../src/steps.ts';
import {
  attemptCreated,
  attemptEnded,
  attemptSeen,
  initialState,
  nextAttempt,
} from '../../src/workflows/drive-state.ts';
import { packState, unpackState } from '../../src/workflows/pack-state.ts';
import { boundResult, buildResult, cutText, jsonBytes, utf8Bytes } from '../../src/workflows/run-result.ts';
import { fitRound } from '../../src/workflows/fit-round.ts';

const request: RunRequest = { assistant_id: 'support', input: 'Hello', metadata: { ticket: '77' } };
const ref = (id: string): AttemptRef => ({
  id,
  thread_id: 'thread_1',
  key: 'k/1',
  provider_ids: [id],
  state: null,
});
const created = (id: string, run: object = {}): Created => ({
  kind: 'created',
  attempt: ref(id),
  run: readRun({ id, status: 'queued', created_at: 100, ...run })!,
  adopted: false,
  ambiguous: false,
  findable: true,
  resumed: false,
  backend: 'openai',
  limits: {},
  retry: {},
  search_attributes: false,
});

function twoAttempts() {
  const state = initialState(request, 1_000_000);
  attemptCreated(state, created('run_1'), 1_001_000);
  const first = readRun({
    id: 'run_1',
    status: 'expired',
    started_at: 102,
    usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
  })!;
  attemptSeen(state, { attempt: ref('run_1'), run: first, raw_code: null, ambiguous: false });
  attemptEnded(state, 'expired', 1_600_000);
  nextAttempt(state, {}, null);
  attemptCreated(state, created('run_2', { created_at: 700 }), 1_601_000);
  const last = readRun({
    id: 'run_2',
    status: 'completed',
    started_at: 701,
    completed_at: 720,
    model: 'm2',
    metadata: { ticket: '77', drover_key: 'k/2', drover_run: 'ticket-77' },
    usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
  })!;
  attemptSeen(state, { attempt: ref('run_2'), run: last, raw_code: null, ambiguous: false });
  attemptEnded(state, 'completed', 1_720_000);
  return state;
}

const end = { runId: 'ticket-77', code: null, nowMs: 1_720_000 } as const;

describe('the logical run', () => {
  const { run, attempts, usage } = buildResult(request, twoAttempts(), end);

  test('has every property of the run object', () => {
    for (const property of RUN_PROPERTIES) expect(run).toHaveProperty(property);
  });

  test('takes its first times from the first attempt, its last ones and its model from the last', () => {
    expect(run).toMatchObject({
      id: 'ticket-77',
      created_at: 100,
      started_at: 102,
      completed_at: 720,
      model: 'm2',
    });
  });

  test('sums usage over all attempts', () => {
    expect(usage).toEqual({ prompt_tokens: 15, completion_tokens: 3, total_tokens: 18 });
    expect(run.usage).toEqual(usage);
  });

  test("keeps the service's metadata and none of Drover's own", () => {
    expect(run.metadata).toEqual({ ticket: '77' });
  });

  test('says of each attempt why it ended', () => {
    expect(attempts.map(({ id, reason }) => [id, reason])).toEqual([
      ['run_1', 'expired'],
      ['run_2', 'completed'],
    ]);
  });

  test.each(Object.entries(FAILURES))(
    'ended by %s has one of the nine statuses and its own time',
    (code, kind) => {
      const failed = buildResult(request, initialState(request, 0), {
        ...end,
        code: code as keyof typeof FAILURES,
      });
      expect(failed.run.status).toBe(kind.status);
      expect(failed.message).toContain('ticket-77');
      const { status, failed_at, cancelled_at } = failed.run;
      expect([failed_at, cancelled_at]).toEqual([
        status === 'failed' ? 1720 : null,
        status === 'cancelled' ? 1720 : null,
      ]);
    },
  );
});

const toolCall = (index: number, output: string): ToolCallResult => ({
  id: `call_${index}`,
  attempt: 1,
  round: 1,
  name: 'get_order',
  arguments: '{}',
  output,
  status: 'completed',
  key: `k/get_order/d${index}/0`,
  reused: false,
  divergent: false,
  started_at: 1,
  duration_ms: 1,
});

describe('what does not fit', () => {
  test('a result is cut from its oldest outputs on, and says so with full sizes', () => {
    const base = buildResult(request, twoAttempts(), end);
    const tool_calls = [0, 1, 2, 3].map((index) => toolCall(index, 'x'.repeat(500_000)));
    const bounded = boundResult({ ...base, tool_calls }, 1_500_000);
    expect(jsonBytes(bounded)).toBeLessThanOrEqual(1_500_000);
    expect(bounded.tool_calls.map(({ truncated }) => truncated)).toEqual([
      500_002,
      500_002,
      undefined,
      undefined,
    ]);
    expect(bounded.warnings.map(({ code }) => code)).toContain('result_truncated');
  });

  test('a result is cut however long the reasons that people gave', () => {
    const base = buildResult(request, twoAttempts(), end);
    const decision = { outcome: 'reject', by: 'maria', reason: '言'.repeat(2_000), at: 1 } as const;
    const tool_calls = Array.from({ length: 512 }, (_, index) => ({
      ...toolCall(index, 'x'),
      decision,
    }));
    const bounded = boundResult({ ...base, tool_calls }, 1_500_000);
    expect(jsonBytes(bounded)).toBeLessThanOrEqual(1_500_000);
    expect(bounded.tool_calls[0]?.decision).toMatchObject({ by: 'maria', reason: '言'.repeat(200) });
  });

  test('a result that fits is left as it is', () => {
    const base = buildResult(request, twoAttempts(), end);
    expect(boundResult(base)).toBe(base);
  });

  test('of a round the largest outputs are cut until the sum fits', () => {
    const outputs = [
      { tool_call_id: 'a', output: 'x'.repeat(900_000) },
      { tool_call_id: 'b', output: 'small' },
      { tool_call_id: 'c', output: 'y'.repeat(300_000) },
    ];
    const { outputs: fitted, cut } = fitRound(outputs, 1_048_576);
    expect([...cut]).toEqual([['a', 900_000]]);
    expect(fitted.map(({ output }) => output.length > 100_000)).toEqual([false, false, true]);
    expect(JSON.parse(fitted[0]!.output).error.code).toBe('output_too_large');
  });

  test('text is never cut inside a character', () => {
    expect(cutText('ab😀', 3)).toBe('ab');
    expect(cutText('ab😀', 4)).toBe('ab😀');
  });

  test('bytes are those of UTF-8', () => {
    for (const text of ['abc', 'äöü', '日本', '😀a', ''])
      expect(utf8Bytes(text)).toBe(Buffer.byteLength(text));
  });
});

describe('state that is continued as new', () => {
  test('comes back as it was', () => {
    const state = twoAttempts();
    state.calls.push(toolCall(1, 'the output'));
    state.ledger.entries.push({
      key: 'k/get_order/d1/0',
      name: 'get_order',
      arguments_digest: 'a',
      once: false,
      status: 'done',
      output: 'the output',
    });
    const packed = packState(state, 1_500_000)!;
    expect(JSON.stringify(packed).match(/the output/g)).toHaveLength(1);
    expect(unpackState(JSON.parse(JSON.stringify(packed)))).toEqual(state);
  });

  test('is cut to what Temporal carries, the oldest outputs first', () => {
    const state = twoAttempts();
    for (let index = 0; index < 4; index++) {
      const output = 'z'.repeat(400_000);
      state.calls.push(toolCall(index, output));
      state.ledger.entries.push(entry(index, output));
    }
    const packed = packState(state, 1_000_000)!;
    expect(jsonBytes(packed)).toBeLessThanOrEqual(1_000_000);
    const kept = packed.state.ledger.entries.map(({ output }) => (output ?? '').length > 100_000);
    expect(kept).toEqual([false, false, true, true]);
  });

  test('fits however many small calls there were: the records of the oldest go, their effects stay', () => {
    const state = twoAttempts();
    for (let index = 0; index < 4_000; index++) {
      state.calls.push(toolCall(index, 'small output'));
      state.ledger.entries.push(entry(index, 'small output'));
    }
    const packed = packState(state, 1_000_000)!;
    expect(jsonBytes(packed)).toBeLessThanOrEqual(1_000_000);
    expect(packed.state.ledger.entries).toHaveLength(4_000);
    expect(packed.state.warnings.map(({ code }) => code)).toContain('result_truncated');
    const last = unpackState(packed).calls.at(-1);
    expect(last).toMatchObject({ id: 'call_3999', output: 'small output' });
  });

  test('is refused where even the least of it does not fit', () => {
    const state = twoAttempts();
    state.live = {
      ref: { ...ref('run_2'), state: 'x'.repeat(2_000) },
      created_ms: 0,
      outputs: [],
      submitted: true,
      findable: true,
      suspect: false,
    };
    expect(packState(state, 1_000)).toBeNull();
  });
});

function entry(index: number, output: string) {
  const key = `k/get_order/d${index}/0`;
  return { key, name: 'get_order', arguments_digest: 'a', once: false, status: 'done' as const, output };
}
