import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { namingRun, reportError } from '../../src/cli/fail.ts';
import { createOutput, duration, facts, printable, table } from '../../src/cli/output.ts';
import type { Output } from '../../src/cli/output.ts';
import { describeAsJson, printAnswer, printListing, printResult } from '../../src/cli/print-run.ts';
import { main } from '../../src/cli/program.ts';
import type { RunResult } from '../../src/contract.ts';
import {
  InvalidRequestError,
  RunConflictError,
  RunEndedError,
  RunLostError,
  RunNotFoundError,
} from '../../src/errors.ts';
import { SCENARIOS } from '../../src/demo/scenarios.ts';
import { readRun } from '../../src/run.ts';

interface Captured extends Output {
  readonly outLines: string[];
  readonly noteLines: string[];
}

function capture(): Captured {
  const outLines: string[] = [];
  const noteLines: string[] = [];
  const plain = (_: unknown, text: string): string => text;
  return {
    outLines,
    noteLines,
    out: (line) => void outLines.push(line),
    note: (line) => void noteLines.push(line),
    json: (value) => void outLines.push(JSON.stringify(value)),
    tone: plain,
    noteTone: plain,
  };
}

const result: RunResult = {
  run: readRun({ id: 't-77', status: 'completed', created_at: 100, completed_at: 104 })!,
  code: null,
  message: null,
  output_text: 'It has \u001b[31mshipped\u0007.\nTomorrow.',
  refusal: null,
  messages: [],
  attempts: [
    {
      number: 1,
      id: 'run_1',
      provider_ids: ['run_1'],
      status: 'completed',
      reason: 'completed',
      raw_code: null,
      created_at: 100,
      ended_at: 104,
      adopted: false,
      ambiguous_create: false,
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    },
  ],
  tool_calls: [
    {
      id: 'call_1',
      attempt: 1,
      round: 1,
      name: 'get_order',
      arguments: '{"order_id":"marked-argument"}',
      output: 'marked-output',
      status: 'completed',
      key: 'k',
      reused: true,
      divergent: false,
      started_at: 101,
      duration_ms: 1_250,
    },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  warnings: [{ code: 'create_ambiguous', message: 'Another attempt may live.' }],
  issues: [],
};

describe('exit codes', () => {
  it('are all different', () => {
    const codes = Object.values(EXIT_CODES).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it.each<[Error, number]>([
    [new InvalidRequestError([{ field: 'input', message: 'is missing' }]), 2],
    [new RunNotFoundError('t-77'), 4],
    [new RunConflictError('t-77'), 5],
    [new RunEndedError('t-77', 'token_budget', result), 1],
    [new RunLostError('t-77', 'terminated'), 7],
    [Object.assign(new Error('14 UNAVAILABLE: no'), { code: 14, details: 'no' }), 3],
    [new TypeError('x is not a function'), 1],
  ])('follow from the error, told in one clear message: %s', (error, code) => {
    const output = capture();
    expect(reportError(error, output, false)).toBe(code);
    expect(output.outLines).toEqual([]);
    expect(output.noteLines).toHaveLength(1);
    expect(output.noteLines[0]).toMatch(/^drover: /);
    expect(output.noteLines[0]).not.toMatch(/\n\s+at /);
  });

  it('stand in the help', async () => {
    const output = capture();
    expect(await main(['--help'], output)).toBe(0);
    for (const { code, meaning } of Object.values(EXIT_CODES)) {
      expect(output.outLines.join('\n')).toContain(`${code}  ${meaning}`);
    }
  });
});

describe('Temporal lost over a run', () => {
  const lost = Object.assign(new Error('14 UNAVAILABLE: no connection'), {
    code: 14,
    details: 'no connection',
  });

  it('is told with the id of the run, in words and as JSON', () => {
    const error = namingRun(lost, 't-77', 'No longer waiting; the run t-77 goes on, but Temporal was lost');
    const words = capture();
    expect(reportError(error, words, false)).toBe(3);
    expect(words.noteLines[0]).toMatch(/goes on.*no connection.*drover show t-77.*--id t-77/);
    const json = capture();
    expect(reportError(error, json, true)).toBe(3);
    expect(JSON.parse(json.noteLines[0] ?? '')).toMatchObject({
      error: { code: 'unreachable', run_id: 't-77' },
    });
  });

  it('is not what any other error says', () => {
    const refused = Object.assign(new Error('3 INVALID_ARGUMENT: no'), { code: 3, details: 'no' });
    for (const other of [refused, new RunNotFoundError('t-77'), new TypeError('x')]) {
      expect(namingRun(other, 't-77', 'What')).toBe(other);
    }
  });
});

describe('arguments that are wrong', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-cli-'));
    await writeFile(join(folder, 'list.json'), '[1]');
    await writeFile(join(folder, 'broken.json'), '{');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['show'], /missing required argument 'id'/],
    [['run', '--nonsense'], /unknown option '--nonsense'/],
    [['run', 'support', 'hi', '--context', '{'], /must be JSON/],
    [['run', 'support', 'hi', '--metadata', 'x'], /key=value/],
    [['run', 'support', 'hi', '--deadline', 'soon'], /positive number/],
    [['list', '--limit', '0'], /positive number/],
    [['sweep', '--since', '1e11'], /at most 100000 hours/],
    [['emulator', '--port', '70000'], /a port/],
    [['run', 'support', '-', '--request', '-'], /Only one/],
    [['show', 'x', '--config', '/nowhere/drover.config.ts'], /nowhere.*\n.*no such file/],
  ])('are told with exit code 2: %j', async (args, message) => {
    const output = capture();
    expect(await main(args, output)).toBe(2);
    expect(output.noteLines.join('\n')).toMatch(message);
    expect(output.outLines).toEqual([]);
  });

  it.each([
    ['list.json', /must hold one JSON object/],
    ['broken.json', /is no JSON/],
    ['missing.json', /ENOENT/],
  ])('are told of a request file too: %s', async (file, message) => {
    const output = capture();
    expect(await main(['run', '--request', join(folder, file)], output)).toBe(2);
    expect(output.noteLines.join('\n')).toMatch(message);
  });

  it('are told as JSON where JSON was asked for', async () => {
    const output = capture();
    const code = await main(['run', '--json', '--request', join(folder, 'list.json')], output);
    expect(code).toBe(2);
    expect(JSON.parse(output.noteLines[0]!)).toEqual({
      error: { code: 'usage', message: 'The request file must hold one JSON object.' },
    });
  });
});

describe('arguments that are wrong, where JSON was asked for', () => {
  it.each([
    [['show', '--json'], /^missing required argument 'id'/],
    [['run', '--json', '--nonsense'], /^unknown option '--nonsense'/],
    [['list', '--json', '--limit', '0'], /positive number/],
    [['help', 'x', '--json'], /./],
    [['--json'], /./],
  ])('are told in one line of JSON: %j', async (args, message) => {
    const output = capture();
    expect(await main(args, output)).toBe(2);
    expect(output.outLines).toEqual([]);
    expect(output.noteLines).toHaveLength(1);
    expect(JSON.parse(output.noteLines[0] ?? '')).toEqual({
      error: { code: 'usage', message: expect.stringMatching(message) },
    });
  });
});

it('the help says how many runs the demo has', async () => {
  const output = capture();
  await main(['demo', '--help'], output);
  const words = ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
  expect(output.outLines.join('\n')).toContain(`drive ${words[SCENARIOS.length]} runs at once`);
});

describe('what is printed', () => {
  it('of an answer: the text on standard output, all else on standard error', () => {
    const output = capture();
    printAnswer('t-77', result, output);
    expect(output.outLines).toEqual(['It has [31mshipped.\nTomorrow.']);
    expect(output.noteLines).toEqual([
      't-77 completed · 1 attempt · 1 tool call · 3 tokens · 4.0 s',
      'create_ambiguous Another attempt may live.',
    ]);
  });

  it('of a result: attempts and calls, but no arguments and outputs', () => {
    const output = capture();
    printResult(result, output);
    const printed = output.outLines.join('\n');
    expect(printed).toMatch(/run_1 +completed +completed +3/);
    expect(printed).toMatch(/get_order +call_1 +1 +completed, reused +1\.3 s/);
    expect(printed).not.toMatch(/marked/);
  });

  it('of a list: one line a run', () => {
    const output = capture();
    const run = {
      id: 't-77',
      workflowRunId: 'x',
      workflowStatus: 'FAILED',
      startTime: new Date('2026-11-01T10:00:00Z'),
      closeTime: new Date('2026-11-01T10:02:03Z'),
      status: null,
      assistantId: 'support',
      backend: null,
      threadId: null,
      attemptId: null,
    } as const;
    printListing([run], output);
    expect(output.outLines[0]?.split('\n')).toEqual([
      'ID    STATUS  ASSISTANT  BACKEND  STARTED              TOOK',
      't-77  failed  support    –        2026-11-01 10:00:00  2 min 3 s',
    ]);
  });

  it('as JSON is snake_case', () => {
    const described = {
      id: 't-77',
      workflowRunId: 'x',
      workflowStatus: 'RUNNING',
      taskQueue: 'drover',
      startTime: new Date(0),
      closeTime: null,
      historyLength: 7,
      progress: null,
    } as const;
    expect(describeAsJson(described, null)).toEqual({
      id: 't-77',
      workflow_run_id: 'x',
      workflow_status: 'RUNNING',
      task_queue: 'drover',
      start_time: '1970-01-01T00:00:00.000Z',
      close_time: null,
      history_length: 7,
      progress: null,
      result: null,
    });
  });

  it('has no colours where it is no terminal', () => {
    const stream = new PassThrough() as unknown as NodeJS.WriteStream;
    expect(createOutput(stream, stream).tone('bad', 'x')).toBe('x');
  });

  it('has no control characters, whatever the model says', () => {
    expect(printable('a\u001b]0;title\u0007b\r\u009b\tc\n')).toBe('a]0;titleb\tc\n');
    expect(table(['A', 'B'], [['x\ny', '\u001bz']])).toBe('A    B\nx y  z');
    expect(
      facts([
        ['One', 1],
        ['Empty', ''],
        ['Second', null],
        ['Third', 'x'],
      ]),
    ).toBe('One    1\nThird  x');
  });

  it.each([
    [950, '0.9 s'],
    [12_400, '12 s'],
    [61_000, '1 min 1 s'],
    [7_260_000, '2 h 1 min'],
  ])('says %i ms as %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});
