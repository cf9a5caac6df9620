import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createNarrator } from '../../src/demo/narrate.ts';
import type { Line } from '../../src/demo/narrate.ts';
import { createProgress, isLive } from '../../src/demo/progress.ts';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import type { Scenario } from '../../src/demo/scenario.ts';
import type { ToolEntry } from '../../src/demo/tool-journal.ts';
import type { JournalEntry } from '../../src/emulator/index.ts';

const scenario = (name: string): Scenario => SCENARIOS.find((one) => one.name === name)!;

/** A narrator of one scenario, whose run has the scenario's name for its id. */
function tell(name: string) {
  const plot = scenario(name);
  const narrator = createNarrator(new Map([[name, plot]]));
  const lines: Line[] = [];
  const keep = (line: Line | null): void => void (line === null ? undefined : lines.push(line));
  let seq = 0;
  const metadata = (attempt: number) => ({ drover_run: name, drover_key: `x/${attempt}` });
  const provider = (entry: object): number => {
    seq += 1;
    keep(narrator.provider({ seq, at: seq, wire: plot.wire, ...entry } as JournalEntry));
    return seq;
  };
  return {
    told: () => lines.filter(({ weight }) => weight !== 'step').map(({ text }) => text),
    status: (id: string, attempt: number, from: string | null, to: string) =>
      provider({ kind: 'status', id, from, to, metadata: metadata(attempt), attempt: attempt - 1 }),
    post: (path: string, body: object, attempt = 1) => {
      const whole = { metadata: metadata(attempt), ...body };
      const request = provider({ kind: 'request', method: 'POST', path, body: whole });
      provider({ kind: 'answer', request, acted: true });
    },
    tool: (event: ToolEntry['event'], callId: string, fields: Partial<ToolEntry> = {}) => {
      const call = { tool: 'refund_order', subject: 'order 1042', tool_call_id: callId, pid: 7 };
      keep(narrator.tool({ event, run_id: name, at: seq, ...call, ...fields } as ToolEntry));
    },
    killed: (pid: number) => keep(narrator.killed(plot, { pid, at: seq })),
    replaced: (pid: number) => keep(narrator.replaced(plot, pid, seq)),
  };
}

describe('what is told of a run', () => {
  test('that expires while its tool works, and is answered from the ledger', () => {
    const { told, status, post, tool } = tell('expire');
    status('run_1', 1, null, 'queued');
    status('run_1', 1, 'in_progress', 'requires_action');
    tool('started', 'call_refund');
    status('run_1', 1, 'requires_action', 'expired');
    tool('done', 'call_refund');
    status('run_2', 2, null, 'queued');
    status('run_2', 2, 'in_progress', 'requires_action');
    post('/v1/threads/t/runs/run_2/submit_tool_outputs', {
      tool_outputs: [{ tool_call_id: 'call_refund_again', output: '…' }],
    });
    status('run_2', 2, 'in_progress', 'completed');
    expect(told()).toEqual([
      'the model calls refund_order',
      'attempt 1 expired while refund_order was still working',
      'refund_order is done with order 1042',
      'attempt 2 created',
      'the model calls refund_order again, in other words',
      'answered from the ledger: refund_order is not run again',
      'completed on attempt 2; refund_order was started once',
    ]);
  });

  test('whose tool is run again: no word of a ledger', () => {
    const { told, status, post, tool } = tell('expire');
    status('run_1', 1, null, 'queued');
    status('run_1', 1, 'in_progress', 'requires_action');
    tool('started', 'call_refund');
    status('run_2', 2, null, 'queued');
    tool('started', 'call_refund_again');
    post('/v1/threads/t/runs/run_2/submit_tool_outputs', {
      tool_outputs: [{ tool_call_id: 'call_refund_again', output: '…' }],
    });
    status('run_2', 2, 'in_progress', 'completed');
    expect(told().join()).not.toContain('ledger');
    expect(told().at(-1)).toBe('completed on attempt 2; refund_order was started 2 times');
  });

  test('whose worker is killed', () => {
    const { told, status, post, tool, killed, replaced } = tell('killed');
    status('resp_1', 1, null, 'queued');
    status('resp_1', 1, 'in_progress', 'completed');
    tool('started', 'call_refund');
    tool('done', 'call_refund');
    killed(7);
    replaced(8);
    post('/v1/responses', {
      input: [{ type: 'function_call_output', call_id: 'call_refund', output: '…' }],
    });
    status('resp_2', 1, null, 'queued');
    status('resp_2', 1, 'in_progress', 'completed');
    expect(told()).toEqual([
      'the model calls refund_order',
      'refund_order is done with order 1042',
      'its worker is killed before it can say so (kill -9 7)',
      'another worker takes over (process 8)',
      'what refund_order did is looked up: it is not run again',
      'completed by another worker; refund_order was started once',
    ]);
  });

  test('that runs out of tokens', () => {
    const { told, status, post } = tell('budget');
    post('/v1/responses', { max_output_tokens: 256 });
    status('resp_1', 1, null, 'queued');
    status('resp_1', 1, 'in_progress', 'incomplete');
    post('/v1/responses', { max_output_tokens: 512 }, 2);
    status('resp_2', 2, null, 'queued');
    status('resp_2', 2, 'in_progress', 'completed');
    expect(told()).toEqual([
      'attempt 1 ran out of its 256 completion tokens',
      'attempt 2 created with 512 completion tokens',
      'completed on attempt 2, with 512 completion tokens',
    ]);
  });

  test('whose model mends its arguments', () => {
    const { told, status, post } = tell('malformed');
    status('run_1', 1, null, 'queued');
    status('run_1', 1, 'in_progress', 'requires_action');
    post('/v1/threads/t/runs/run_1/submit_tool_outputs', {
      tool_outputs: [{ tool_call_id: 'call_broken', output: '…' }],
    });
    status('run_1', 1, 'in_progress', 'requires_action');
    expect(told()).toEqual([
      'the model calls get_weather, with broken arguments',
      'the model is told what was wrong with them',
      'the model calls get_weather again, with sound arguments',
    ]);
  });
});

describe('how it is shown', () => {
  const scenarios = [
    { name: 'one', about: 'the first' },
    { name: 'three', about: 'the third' },
  ];
  const line = (text: string, weight: Line['weight'] = 'event'): Line => ({
    scenario: 'one',
    at: 2_300,
    text,
    weight,
  });

  function capture(columns: number | null) {
    const stream = new PassThrough();
    let written = '';
    stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
    Object.assign(stream, columns === null ? {} : { isTTY: true, columns, rows: 24 });
    const tone = (_: string, text: string): string => text;
    const target = stream as unknown as NodeJS.WriteStream;
    return {
      progress: createProgress({ stream: target, scenarios, since: 0, tone }),
      written: () => written,
    };
  }

  test('one line after the other where nothing can be drawn over, without the small steps', () => {
    const { progress, written } = capture(null);
    progress.line(line('attempt 1 expired'));
    progress.line(line('the model thinks', 'step'));
    progress.tick();
    progress.ended('one', true);
    progress.close();
    expect(written()).toBe('  2.3 s  one    attempt 1 expired\n');
  });

  test('no line is longer than the terminal is wide', () => {
    const { progress, written } = capture(40);
    progress.line(line('x'.repeat(100)));
    progress.ended('one', false);
    progress.close();
    const lines = written().split('\n').map(stripVTControlCharacters);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(40);
    expect(written()).toContain('✘ one    xxx');
    expect(written()).toContain('…');
  });

  test('a dumb terminal is none', () => {
    const stream = { isTTY: true } as NodeJS.WriteStream;
    expect([isLive(stream, { TERM: 'dumb' }), isLive(stream, { TERM: 'xterm' })]).toEqual([false, true]);
  });
});
