/** Workers as real processes, killed with SIGKILL in the windows where a run could be lost or doubled. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { RunClient } from '../../src/client.ts';
import type { RunRequest } from '../../src/contract.ts';
import { startEmulator, type Emulator, type JournalEntry } from '../../src/emulator/index.ts';
import { connectTestEnv, type TestEnv } from '../support/temporal-server.ts';
import { readToolJournal, startLoggedWorker, type LoggedWorker } from '../support/worker-process.ts';

const WIRES = ['assistants', 'responses'] as const;
type Wire = (typeof WIRES)[number];

/** Requests of each wire that create, and that hand in outputs: on the Responses wire both are POST /responses. */
const CREATE = {
  assistants: { path: '/runs$/', nth: 1 },
  responses: { path: '/responses$/', nth: 1 },
} as const;
const SUBMIT = {
  assistants: { path: 'submit_tool_outputs', nth: 1 },
  responses: { path: '/responses$/', nth: 2 },
} as const;

interface Stage extends AsyncDisposable {
  readonly env: TestEnv;
  readonly emulator: Emulator;
  readonly runs: RunClient;
  toolEvents(): readonly string[];
  startWorker(): Promise<LoggedWorker>;
  /** Kills one worker and starts the next. */
  replace(worker: LoggedWorker): Promise<void>;
  becomes(to: string): Promise<JournalEntry>;
  /** The nth create has acted; its answer is held back until the worker is dead. */
  createActed(nth: number): Promise<JournalEntry>;
  submitActed(): Promise<JournalEntry>;
  /** Provider-side runs or responses that were made. */
  made(): readonly JournalEntry[];
}

async function setStage(): Promise<Stage> {
  const env = await connectTestEnv();
  const emulator = await startEmulator();
  for (const model of ['thinks', 'refunds']) emulator.createAssistant({ id: model, model });
  const taskQueue = env.unique('killed');
  const folder = await mkdtemp(join(tmpdir(), 'drover-killed-'));
  const journal = join(folder, 'tools.jsonl');
  const workers: LoggedWorker[] = [];
  const kill = async (worker: LoggedWorker): Promise<void> => {
    worker.kill('SIGKILL');
    await worker.exited;
  };
  const startWorker = async (): Promise<LoggedWorker> => {
    const worker = startLoggedWorker({
      ...env.processEnv,
      DROVER_TASK_QUEUE: taskQueue,
      DROVER_EMULATOR_URL: emulator.url,
      DROVER_TOOL_JOURNAL: journal,
    });
    workers.push(worker);
    await worker.ready;
    return worker;
  };
  return {
    env,
    emulator,
    runs: new RunClient({ client: env.client, taskQueue }),
    toolEvents: () => readToolJournal(journal).map(({ event }) => event),
    startWorker,
    replace: async (worker) => {
      await kill(worker);
      await startWorker();
    },
    becomes: (to) => emulator.waitFor((entry) => entry.kind === 'status' && entry.to === to),
    createActed: (nth) => {
      let seen = 0;
      return emulator.waitFor((entry) => entry.kind === 'status' && entry.from === null && ++seen >= nth);
    },
    submitActed: () =>
      emulator.waitFor((entry) => entry.kind === 'status' && entry.from === 'requires_action'),
    made: () => emulator.journal().filter((entry) => entry.kind === 'status' && entry.from === null),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map(kill));
      await emulator.close();
      await env.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const refund = { call: [{ name: 'refund_order', arguments: { order_id: '1042', cents: 500 } }] };

describe.concurrent.each(WIRES)('a worker that is killed on the %s wire', (wire: Wire) => {
  const request = (assistant: string, fields: Partial<RunRequest> = {}): RunRequest => ({
    assistant_id: assistant,
    backend: wire,
    input: 'Refund order 1042',
    ...fields,
  });

  test('while the run waits: the next one goes on with the same attempt', async ({ expect }) => {
    await using stage = await setStage();
    const { emulator, runs, env } = stage;
    emulator.setScript('thinks', { attempts: [{ steps: [{ think_ms: 8_000 }, { answer: 'thought' }] }] });
    const first = await stage.startWorker();
    const handle = await runs.start(request('thinks'), { id: env.unique('wait') });
    await stage.becomes('in_progress');
    await expect
      .poll(async () => (await handle.describe()).historyLength, { timeout: 30_000 })
      .toBeGreaterThan(6);
    await stage.replace(first);
    const result = await handle.result();
    expect(result.output_text).toBe('thought');
    expect(result.attempts).toMatchObject([{ number: 1, reason: 'completed' }]);
    expect(stage.made()).toHaveLength(1);
    expect(result.warnings).toEqual([]);
  });

  test('between a create that acted and its answer: adopted, or named as ambiguous', async ({ expect }) => {
    await using stage = await setStage();
    const { emulator, runs, env } = stage;
    emulator.setScript('thinks', { attempts: [{ steps: [{ think_ms: 15_000 }, { answer: 'thought' }] }] });
    emulator.addFault({
      match: { method: 'POST', ...CREATE[wire] },
      do: { latency_ms: 60_000, after: true },
    });
    const first = await stage.startWorker();
    const handle = await runs.start(request('thinks'), { id: env.unique('create') });
    await stage.createActed(1);
    await stage.replace(first);
    const result = await handle.result();
    expect(result.output_text).toBe('thought');
    if (wire === 'assistants') {
      expect(stage.made()).toHaveLength(1);
      expect(result.attempts).toMatchObject([{ adopted: true, ambiguous_create: false }]);
    } else {
      expect(stage.made()).toHaveLength(2);
      expect(result.attempts).toMatchObject([{ adopted: false, ambiguous_create: true }]);
      expect(result.warnings).toMatchObject([{ code: 'create_ambiguous' }]);
    }
  });

  test('between an effect and its report: the effect is not made again, and its outcome is unknown', async ({
    expect,
  }) => {
    await using stage = await setStage();
    const { emulator, runs, env } = stage;
    emulator.setScript('refunds', { attempts: [{ steps: [refund, { answer: '{{outputs}}' }] }] });
    const first = await stage.startWorker();
    const handle = await runs.start(request('refunds', { context: { work_ms: 60_000 } }), {
      id: env.unique('effect'),
    });
    await expect.poll(() => stage.toolEvents().length, { timeout: 30_000 }).toBe(1);
    await stage.replace(first);
    const outcome = await handle.outcome();
    expect(outcome.code).toBe('effect_unknown');
    expect(outcome.tool_calls).toMatchObject([{ name: 'refund_order', status: 'unknown_outcome' }]);
    expect(stage.toolEvents()).toEqual(['started']);
    expect(outcome.attempts[0]?.status).toBe('cancelled');
  });

  test('between a submit that acted and its answer: not repeated where that can be known', async ({
    expect,
  }) => {
    await using stage = await setStage();
    const { emulator, runs, env } = stage;
    emulator.setScript('refunds', {
      attempts: [{ steps: [refund, { think_ms: 15_000 }, { answer: '{{outputs}}' }] }],
    });
    emulator.addFault({
      match: { method: 'POST', ...SUBMIT[wire] },
      do: { latency_ms: 60_000, after: true },
    });
    const first = await stage.startWorker();
    const handle = await runs.start(request('refunds'), { id: env.unique('submit') });
    await (wire === 'assistants' ? stage.submitActed() : stage.createActed(2));
    await stage.replace(first);
    const result = await handle.result();
    expect(stage.toolEvents()).toEqual(['started', 'finished']);
    expect(result.output_text).toContain('re_');
    expect(result.warnings.map(({ code }) => code)).toEqual(
      wire === 'assistants' ? [] : ['create_ambiguous'],
    );
  });
});
