/** What would hang a workflow for ever if it reached Temporal as it is: each run has to end, with a result. */
import { randomBytes } from 'node:crypto';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { LIMITS } from '../../src/contract.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import { isInvalidRequestError } from '../../src/errors.ts';
import type { Quirk, Step } from '../../src/emulator/index.ts';
import { defineRemoteTool, defineTool } from '../../src/tools/define-tool.ts';
import { ToolError } from '../../src/tools/tool-error.ts';
import { startDrive, WIRES, type Drive, type Wire } from '../support/drive-harness.ts';
import { encryptingCodec } from '../support/encrypting-codec.ts';
import { kindOf, rawEvents } from '../support/raw-history.ts';
import { call } from '../support/recording-tools.ts';

const KB = 1_000;
/** One byte of text, six of JSON. */
const CONTROL = '\u0001';

const parameters = z.object({
  bytes: z.number().int(),
  of: z.string().optional(),
  note: z.string().optional(),
});
const large = defineTool({
  name: 'large',
  description: 'Gives as many bytes as it is asked for.',
  parameters,
  maxOutputBytes: LIMITS.maxOutputBytes,
  execute: ({ bytes, of = 'x' }) => of.repeat(bytes),
});
const plain = defineTool({
  name: 'plain',
  description: 'The same, with the limit that a tool has by default.',
  parameters,
  execute: ({ bytes }) => 'x'.repeat(bytes),
});
const refuses = defineTool({
  name: 'refuses',
  description: 'Refuses at length.',
  parameters,
  activity: { retry: { maximumAttempts: 1 } },
  execute: ({ bytes }) => {
    throw new ToolError('e'.repeat(bytes));
  },
});
const throws = defineTool({
  name: 'throws',
  description: 'Throws at length.',
  parameters,
  activity: { retry: { maximumAttempts: 1 } },
  execute: ({ bytes }) => {
    throw new Error('e'.repeat(bytes));
  },
});
const REMOTE_QUEUE = `remote-${randomBytes(4).toString('hex')}`;
const remote = defineRemoteTool({
  name: 'remote',
  description: 'A tool of another worker, which knows nothing of limits.',
  parameters,
  activity: { taskQueue: REMOTE_QUEUE },
});
const tools = [large, plain, refuses, throws, remote];

const ALL_WIRES = [...WIRES, 'foreground'] as const satisfies readonly Wire[];

interface Played {
  readonly result: RunResult;
  /** Bytes of the result, as Temporal carries it. */
  readonly bytes: number;
}

describe.each(ALL_WIRES)('oversized payloads on the %s wire', (wire) => {
  /** Without a store the model's own calls are handed back with the outputs, and have to fit too. */
  const isStoreless = wire === 'foreground';
  let drive: Drive;
  beforeAll(async () => {
    drive = await startDrive(wire, { tools });
  });
  afterEach(() => drive.emulator.setQuirks([]));
  afterAll(() => drive[Symbol.asyncDispose]());

  /** Plays a run to its end, and sees to it that no task of its workflow was refused on the way. */
  async function play(
    label: string,
    steps: readonly Step[],
    request: Partial<RunRequest> = {},
    quirks: readonly Quirk[] = [],
  ): Promise<Played> {
    drive.emulator.setQuirks(quirks);
    drive.play('bot', { attempts: [{ steps }] });
    const id = drive.id(label);
    const handle = await drive.runs.start(
      { assistant_id: 'bot', input: 'Go', limits: { deadline_seconds: 40 }, ...request },
      { id },
    );
    const result = await handle.outcome();
    const { status } = await handle.workflow.describe();
    expect(['COMPLETED', 'FAILED']).toContain(status.name);
    const refused = (await rawEvents(drive.client, id)).filter((event) =>
      /^workflowTask(?:Failed|TimedOut)$/.test(kindOf(event)),
    );
    expect(refused).toEqual([]);
    const bytes = Buffer.byteLength(JSON.stringify(result));
    expect(bytes).toBeLessThanOrEqual(LIMITS.resultBytes);
    return { result, bytes };
  }

  const eight = Array.from({ length: 8 }, (_, n) => call('large', { bytes: 200 * KB, note: `${n}` }));

  test('eight outputs of 200 KB are cut to a round that fits', async () => {
    const { result } = await play('eight', [{ call: eight }, { answer: 'Done.' }]);
    expect(result.code).toBe(wire === 'foreground' ? 'backend_rejected' : null);
    const cut = result.tool_calls.filter(({ truncated }) => truncated !== undefined);
    expect([result.tool_calls.length, cut.length > 0, cut.length < 8]).toEqual([8, true, true]);
    for (const { truncated } of cut) expect(truncated).toBe(200 * KB);
  });

  test('outputs over the limit of their tool, and outputs that grow as JSON, are told to the model', async () => {
    const calls = [
      call('large', { bytes: 300 * KB }),
      call('plain', { bytes: 70 * KB }),
      call('large', { bytes: 100 * KB, of: CONTROL }),
    ];
    const { result } = await play('over', [{ call: calls }, { answer: '{{outputs}}' }]);
    expect(result.code).toBeNull();
    expect(result.tool_calls.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
    expect(result.output_text.match(/output_too_large/g)).toHaveLength(3);
  });

  test('errors of a megabyte are cut, and only what is meant for the model reaches it', async () => {
    const calls = [call('refuses', { bytes: 1_000 * KB }), call('throws', { bytes: 1_000 * KB })];
    const { result, bytes } = await play('errors', [{ call: calls }, { answer: 'Done.' }]);
    expect(result.code).toBeNull();
    expect(result.tool_calls.map(({ status }) => status)).toEqual(['failed', 'failed']);
    expect(result.tool_calls[0]?.output).toContain('eeee');
    expect(result.tool_calls[1]?.output).not.toContain('eeee');
    expect(bytes).toBeLessThan(20 * KB);
  });

  test('600 calls at once are answered, those past the limit with too_many_calls', async () => {
    const calls = Array.from({ length: 600 }, (_, n) => call('large', { bytes: n % 3, note: `${n}` }));
    const { result } = await play('many', [{ call: calls }, { answer: 'Done.' }]);
    expect(result.code).toBeNull();
    const count = (status: string) => result.tool_calls.filter((made) => made.status === status).length;
    expect([count('completed'), count('too_many_calls')]).toEqual([512, 88]);
  });

  test.skipIf(isStoreless)(
    'arguments of 300 KB each are refused, in a way that the model can read',
    async () => {
      const calls = Array.from({ length: 8 }, (_, n) =>
        call('large', { bytes: n, note: 'n'.repeat(300 * KB) }),
      );
      const { result, bytes } = await play('arguments', [{ call: calls }, { answer: 'Done.' }]);
      expect(result.code).toBeNull();
      expect(new Set(result.tool_calls.map(({ status }) => status))).toEqual(new Set(['bad_arguments']));
      expect(result.tool_calls[0]?.output).toContain('the limit is');
      expect(bytes).toBeLessThan(50 * KB);
    },
  );

  test.skipIf(isStoreless)(
    'arguments that grow as JSON, each with a large context, fit through the task that schedules them',
    async () => {
      const wide = Array.from({ length: 4 }, (_, n) =>
        call('large', { bytes: n, note: '"'.repeat(129 * KB) }),
      );
      const small = Array.from({ length: 60 }, (_, n) => call('large', { bytes: n, note: `${n}` }));
      const context = { held: 'c'.repeat(LIMITS.contextBytes - 100) };
      const { result } = await play('wide', [{ call: [...wide, ...small] }, { answer: 'Done.' }], {
        context,
      });
      expect(result.code).toBeNull();
      expect(result.tool_calls).toHaveLength(64);
      expect(result.tool_calls.filter(({ status }) => status === 'completed').length).toBeGreaterThanOrEqual(
        62,
      );
    },
  );

  test.each([
    ['plain text', 'y'],
    ['text that grows as JSON', CONTROL],
    ['text of three bytes a character', '字'],
  ])('an answer of three megabytes of %s is cut, and says so', async (_what, unit) => {
    const { result } = await play('answer', [{ answer: unit.repeat(3_000 * KB) }]);
    expect(result.code).toBeNull();
    expect(result.output_text).toMatch(/^[^[]+\n\[cut: \d+ bytes in all\]$/);
  });

  test('the largest instructions there may be come back whole beside a short answer', async () => {
    const instructions = '字'.repeat(LIMITS.instructionsChars);
    const { result } = await play('instructions', [{ answer: 'Short.' }], { instructions });
    expect([result.code, result.output_text]).toEqual([null, 'Short.']);
    expect(result.run.instructions).toBe(instructions);
  });

  test('tools that fill a request, beside an answer of three megabytes, leave room for what is said', async () => {
    const described = Array.from({ length: 18 }, (_, n) => ({
      type: 'function',
      function: { name: `tool_${n}`, description: 'd'.repeat(80 * KB), parameters: { type: 'object' } },
    }));
    const { result } = await play('tools', [{ answer: 'y'.repeat(3_000 * KB) }], { tools: described });
    expect(result.code).toBeNull();
    expect(result.output_text).toContain('[cut: 3000000 bytes in all]');
    expect(result.run.status).toBe('completed');
  });

  test.each(['completed', 'failed'] as const)(
    'twelve rounds that add up to megabytes leave a result (%s)',
    async (ends) => {
      const rounds = Array.from({ length: 12 }, (_, n): Step => {
        const bytes = (wire === 'foreground' ? 60 : 240) * KB;
        return { call: [call('large', { bytes, note: `${n}` })] };
      });
      const last: Step =
        ends === 'completed' ? { answer: 'Done.' } : { fail: { code: 'invalid_prompt', message: 'No.' } };
      // Without a store the emulator hears every output again, and begins anew at the first.
      const played = wire === 'foreground' ? rounds.slice(0, 1) : rounds;
      const { result } = await play('rounds', [...played, last]);
      expect(result.run.status).toBe(ends);
      expect(result.tool_calls).toHaveLength(played.length);
      expect(result.warnings.map(({ code }) => code)).toEqual(
        wire === 'foreground' ? [] : ['result_truncated'],
      );
      expect(result.tool_calls.at(-1)?.output?.length).toBeGreaterThan(50 * KB);
    },
  );

  test('outputs of a tool of another worker are cut, or told of, whatever their size', async () => {
    // The last but one is past what gRPC carries in a message.
    const calls = [1_900 * KB, 3_000 * KB, 5_000 * KB, 10].map((bytes) => call('remote', { bytes }));
    const native = await NativeConnection.connect({ address: inject('temporal').address });
    const worker = await Worker.create({
      connection: native,
      taskQueue: REMOTE_QUEUE,
      activities: {
        remote: (input: { readonly arguments: string }) =>
          Promise.resolve('r'.repeat((JSON.parse(input.arguments) as { bytes: number }).bytes)),
      },
    });
    try {
      await worker.runUntil(async () => {
        const { result } = await play('remote', [{ call: calls }, { answer: '{{output.3}}' }]);
        expect([result.code, result.output_text]).toEqual([null, 'rrrrrrrrrr']);
        expect(result.tool_calls[0]?.output).toContain('output_too_large');
        expect(result.tool_calls[1]?.output).toContain('output_too_large');
        expect(result.tool_calls[2]?.output).toContain('output_too_large');
      });
    } finally {
      await native.close();
    }
  });

  test('an error of the provider of a megabyte ends the run in a few words', async () => {
    const message = 'It is too much. '.repeat(60 * KB);
    const { result, bytes } = await play('words', [{ fail: { code: 'invalid_prompt', message } }]);
    expect(result.code).toBe('invalid_prompt');
    expect(bytes).toBeLessThan(20 * KB);
  });

  test.skipIf(isStoreless)(
    'a create that answers at once with megabytes of calls is waited for as any other',
    async () => {
      const calls = Array.from({ length: 10 }, (_, n) =>
        call('large', { bytes: n, note: 'n'.repeat(300 * KB) }),
      );
      const { result } = await play('at-once', [{ call: calls }, { answer: 'Done.' }], {}, [
        'ignores_background',
        'never_queued',
      ]);
      expect(result.code).toBeNull();
      expect(result.tool_calls).toHaveLength(10);
    },
  );
});

test('megabytes of calls on a wire without a store end the run, by what it would have to carry', async () => {
  await using drive = await startDrive('foreground', { tools });
  const calls = Array.from({ length: 8 }, (_, n) => call('large', { bytes: n, note: 'n'.repeat(300 * KB) }));
  drive.play('bot', { attempts: [{ steps: [{ call: calls }, { answer: 'Done.' }] }] });
  const handle = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('state') });
  const outcome = await handle.outcome();
  expect(outcome.code).toBe('backend_rejected');
  expect(outcome.run.last_error?.message).toMatch(/would carry \d+ bytes, over the limit/);
});

describe.each(WIRES)('megabytes of history on the %s wire', (wire) => {
  test('are read by another worker, which goes on with the run', async () => {
    await using drive = await startDrive(wire, { tools });
    const rounds = Array.from({ length: 20 }, (_, n): Step => ({
      call: [call('large', { bytes: 240 * KB, note: `${n}` })],
    }));
    drive.play('bot', {
      attempts: [{ steps: [...rounds, { think_ms: 4_000 }, rounds[0]!, { answer: 'Done.' }] }],
    });
    const handle = await drive.runs.start({ assistant_id: 'bot', input: 'Go' }, { id: drive.id('history') });
    await expect.poll(async () => (await handle.progress()).round, { timeout: 60_000 }).toBe(20);
    await drive.stopWorkers();
    await drive.startWorker();
    const result = await handle.result();
    expect([result.output_text, result.tool_calls.length]).toEqual(['Done.', 21]);
  });
});

describe.each(WIRES)('continuing as new with megabytes of outputs on the %s wire', (wire) => {
  test('carries what fits, through a codec that makes it larger', async () => {
    const codec = encryptingCodec(randomBytes(32));
    await using drive = await startDrive(wire, {
      tools,
      config: { dataConverter: { payloadCodecs: [codec] } },
    });
    const rounds = Array.from({ length: 8 }, (_, n): Step => ({
      call: [call('large', { bytes: 240 * KB, note: `${n}` })],
    }));
    drive.play('bot', { attempts: [{ steps: [...rounds, { answer: 'Done.' }] }] });
    const id = drive.id('continued');
    const result = await drive.runs.execute(
      {
        assistant_id: 'bot',
        input: 'Go',
        instructions: 'i'.repeat(200 * KB),
        limits: { deadline_seconds: 60, history_events: 40 },
      },
      { id },
    );
    expect(result.output_text).toBe('Done.');
    expect(result.tool_calls).toHaveLength(8);
    const [first] = await rawEvents(drive.client, id);
    expect(first?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId).toBeTruthy();
  });
});

describe('a request of two megabytes', () => {
  test('is refused by the client by name and limit, before anything is started', async () => {
    await using drive = await startDrive('responses', { idle: true });
    const id = drive.id('request');
    const error: unknown = await drive.runs
      .start({ assistant_id: 'bot', input: 'z'.repeat(2_000 * KB) }, { id })
      .catch((refused: unknown) => refused);
    const issues = isInvalidRequestError(error) ? error.issues : [];
    expect(issues).toMatchObject([{ field: '', limit: LIMITS.requestBytes }]);
    await expect(drive.runs.getHandle(id).describe()).rejects.toThrow('no run');
  });
});
