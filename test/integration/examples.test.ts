import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { geocode } from '../../examples/remote-tool.ts';
import { exampleTools } from '../../examples/tools.ts';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, Script } from '../../src/emulator/index.ts';
import { refusals } from '../support/threads.ts';
import { runProgram, startProgram } from '../support/processes.ts';
import { connectTestEnv, createTestWorker } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

const support: Script = {
  attempts: [
    {
      steps: [
        { call: [{ name: 'get_order', arguments: { order_id: '1042' } }] },
        { call: [{ name: 'refund_order', arguments: { order_id: '1042', cents: 4_900 } }] },
        { answer: 'Refunded: {{output.refund_order}}' },
      ],
    },
  ],
};

let env: TestEnv;
let emulator: Emulator;
let worker: Worker;
let running: Promise<void>;
let taskQueue: string;
let processEnv: Record<string, string>;

beforeAll(async () => {
  env = await connectTestEnv();
  emulator = await startEmulator({
    scripts: {
      support,
      stuck: { attempts: [{ steps: [{ hang: true }] }] },
      filtered: { attempts: [{ steps: [{ incomplete: 'content_filter' }] }] },
      sorter: { attempts: [{ steps: [{ answer: '{"topic":"delivery","order_id":null}' }] }] },
      chat: { attempts: [{ steps: [{ think_ms: 500 }, { answer: 'Said.' }] }] },
      places: {
        attempts: [
          {
            steps: [
              { call: [{ name: 'geocode', arguments: { city: 'Ulm' } }] },
              { call: [{ name: 'geocode', arguments: { city: 'Atlantis' } }] },
              { answer: 'First {{output.geocode}}' },
            ],
          },
        ],
      },
    },
  });
  emulator.createAssistant({ id: 'asst_chat', model: 'chat' });
  const made = await createTestWorker(env, {
    backends: {
      local: responses({ baseURL: emulator.url, apiKey: 'test' }),
      threads: assistants({ baseURL: emulator.url, apiKey: 'test' }),
    },
    defaultBackend: 'local',
    assistants: {
      chat: { backend: 'threads', model: 'chat', provider_assistant_id: 'asst_chat' },
      support: { model: 'support', tools: exampleTools.map(({ name }) => name) },
      sorter: { model: 'sorter' },
      stuck: { model: 'stuck' },
      filtered: { model: 'filtered' },
      places: { model: 'places', tools: ['geocode'] },
    },
    tools: [...exampleTools, geocode],
  });
  ({ worker, taskQueue } = made);
  running = worker.run();
  processEnv = { ...env.processEnv, DROVER_TASK_QUEUE: taskQueue, DROVER_EMULATOR_URL: emulator.url };
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await emulator.close();
  await env.close();
});

describe('the examples', () => {
  it('service.ts starts a run and prints its answer, and again attaches to it', async () => {
    const ticket = randomUUID().slice(0, 8);
    const first = await runProgram([`${examples}service.ts`, ticket], { env: processEnv });
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(
      new RegExp(`^started ticket-${ticket}\nRefunded: .*4900.*\nget_order, refund_order; \\d+ tokens\n$`),
    );
    const again = await runProgram([`${examples}service.ts`, ticket], { env: processEnv });
    expect(again.stdout).toBe(first.stdout);
  });

  it('cancel.ts cancels a run from outside and says what had been done', async () => {
    const id = env.unique('cancel');
    const working = emulator.waitFor(
      (entry) => entry.kind === 'status' && entry.to === 'in_progress' && entry.from === 'queued',
    );
    await env.client.workflow.start('driveRun', {
      workflowId: id,
      taskQueue,
      args: [{ assistant_id: 'stuck', input: 'x' }],
    });
    await working;
    const ended = await runProgram([`${examples}cancel.ts`, id], { env: processEnv });
    expect(ended).toMatchObject({ code: 0, stdout: `${id}: cancelled, cancelled\n` });
    expect((await runProgram([`${examples}cancel.ts`, 'nobody'], { env: processEnv })).code).toBe(1);
  });

  it('docs/threads.ts has messages on one thread answered one after the other', async () => {
    const ended = await runProgram([join(examples, 'docs/threads.ts')], { env: processEnv });
    expect(ended).toMatchObject({ code: 0, stderr: '', stdout: 'Said.\nSaid.\nSaid.\n' });
    const journal = emulator.journal();
    expect(refusals(journal)).toEqual([]);
    const answered = journal.flatMap((entry) =>
      entry.kind === 'status' && entry.model === 'chat' && ['completed', 'cancelled'].includes(entry.to)
        ? [entry.to]
        : [],
    );
    // The one that was taken back may never have got to the provider, or have been cancelled or answered there.
    expect(answered.length - 4).toBeOneOf([0, 1]);
    expect(answered.at(-1)).toBe('completed');
  });

  it('docs/sse.ts tells many browsers of a run, and one that comes back what it has missed', async () => {
    const id = env.unique('sse');
    const program = startProgram([join(examples, 'docs/sse.ts')], { env: { ...processEnv, PORT: '0' } });
    try {
      let said = '';
      program.child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await expect.poll(() => said, { timeout: 20_000 }).toContain('"port":');
      const [, port] = /"port":(\d+)/.exec(said) ?? [];
      await env.client.workflow.start('driveRun', {
        workflowId: id,
        taskQueue,
        args: [{ assistant_id: 'support', input: 'x' }],
      });
      const look = async (lastId?: string) => {
        const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
        const answer = await fetch(`http://127.0.0.1:${port}/runs/${id}/events`, { headers });
        return { status: answer.status, text: await answer.text() };
      };
      const [one, other] = await Promise.all([look(), look()]);
      expect(one.text).toContain('event: tool_finished');
      expect(one.text).toMatch(/event: ended\ndata: .*"code":null/);
      const lasting = (text: string) => text.split('\n\n').filter((part) => !part.includes('status_changed'));
      expect(lasting(other.text)).toEqual(lasting(one.text));
      const ids = [...one.text.matchAll(/^id: (.*)$/gm)].map(([, offset]) => offset);
      expect((await look(ids.at(-2))).text).toMatch(/^id: .*\nevent: ended\n/);
      expect(await look(ids.at(-1))).toEqual({ status: 204, text: '' });
    } finally {
      program.child.kill('SIGKILL');
      await program.ended;
    }
  });

  it('docs/structured.ts reads an answer by its schema', async () => {
    const ended = await runProgram([join(examples, 'docs/structured.ts')], { env: processEnv });
    expect(ended).toMatchObject({ code: 0, stderr: '', stdout: 'delivery no order\n' });
  });

  it('docs/schedule.ts makes a schedule that starts runs, one at a time', async () => {
    const ended = await runProgram([join(examples, 'docs/schedule.ts')], { env: processEnv });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const schedule = env.client.schedule.getHandle('daily-report');
    try {
      const { policies, action, spec } = await schedule.describe();
      expect(policies.overlap).toBe('SKIP');
      expect(spec.timezone).toBe('Europe/Berlin');
      expect(action).toMatchObject({ workflowType: 'driveRun', workflowId: 'daily-report' });
      await schedule.trigger();
      const started = async (): Promise<readonly string[]> =>
        (await schedule.describe()).info.recentActions.map(({ action: made }) => made.workflow.workflowId);
      await expect.poll(started, { timeout: 15_000 }).toHaveLength(1);
      const [id = ''] = await started();
      expect(id).toMatch(/^daily-report-\d{4}-\d\d-\d\dT/);
      await env.client.workflow.getHandle(id).terminate();
    } finally {
      await schedule.delete();
    }
  });

  it('own-worker drives a run inside a workflow of its own, beside its own activities', async () => {
    const own = { ...processEnv, DROVER_TASK_QUEUE: env.unique('tickets') };
    const program = startProgram([`${examples}own-worker/worker.ts`], { env: own });
    await program.says('working on');
    const number = randomUUID().slice(0, 8);
    const started = await runProgram([`${examples}own-worker/start.ts`, number], { env: own });
    program.child.kill('SIGTERM');
    expect(started.stderr).toBe('');
    expect(started).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^ticket ${number}: Refunded: .*4900`)),
    });
    expect((await program.ended).code).toBe(0);
  });
});

interface Python {
  readonly path: string | null;
  readonly why: string;
}

/** `DROVER_TEST_PYTHON`, or a virtual environment that is made for the tests. */
async function findPython(folder: string): Promise<Python> {
  const requirements = `${examples}python/requirements.txt`;
  const wanted = (await readFile(requirements, 'utf8')).trim();
  const given = process.env['DROVER_TEST_PYTHON'];
  if (given !== undefined && given !== '') return { path: given, why: '' };
  const made = join(folder, 'venv');
  const steps: readonly (readonly [string, ...string[]])[] = [
    ['python3', '-m', 'venv', made],
    [join(made, 'bin', 'pip'), 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
  ];
  for (const step of steps) {
    const ended = await runProgram(step).catch((error: unknown) => ({ code: 1, stderr: String(error) }));
    if (ended.code !== 0)
      return { path: null, why: `no Python with ${wanted}: ${ended.stderr.slice(0, 200)}` };
  }
  return { path: join(made, 'bin', 'python'), why: '' };
}

describe('the examples in Python', () => {
  let folder: string;
  let python: Python;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'drover-python-'));
    python = await findPython(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const start = async (...args: readonly string[]): Promise<unknown> => {
    const ended = await runProgram([python.path!, `${examples}python/start_run.py`, ...args], {
      env: processEnv,
    });
    if (ended.code !== 0) throw new Error(ended.stderr);
    return JSON.parse(ended.stdout) as unknown;
  };

  it('start_run.py starts a run and reads its result, also where it ended otherwise', async ({ skip }) => {
    if (python.path === null) skip(python.why);
    expect(existsSync(python.path ?? '')).toBe(true);
    const id = env.unique('python');
    expect(await start('support', 'Refund 1042', id)).toMatchObject({
      id,
      code: null,
      output_text: expect.stringContaining('4900'),
    });
    expect(await start('filtered')).toMatchObject({ code: 'content_filter' });
  });

  it('start_run.py reads the result of a run that somebody cancels', async ({ skip }) => {
    if (python.path === null) skip(python.why);
    const id = env.unique('python');
    const result = start('stuck', 'x', id);
    await expect
      .poll(
        () =>
          env.client.workflow
            .getHandle(id)
            .query('attempt')
            .catch(() => null),
        { timeout: 30_000 },
      )
      .not.toBeNull();
    await env.client.workflow.getHandle(id).cancel();
    expect(await result).toMatchObject({ id, code: 'cancelled' });
  });

  it('remote_tool_worker.py is the worker of one remote tool', async ({ skip }) => {
    if (python.path === null) skip(python.why);
    const program = startProgram([python.path!, `${examples}python/remote_tool_worker.py`], {
      env: processEnv,
    });
    try {
      await program.says('working on python-tools');
      const result = await env.client.workflow.execute('driveRun', {
        workflowId: env.unique('places'),
        taskQueue,
        args: [{ assistant_id: 'places', input: 'Where is Ulm?' }],
      });
      expect(result).toMatchObject({
        code: null,
        tool_calls: [
          { name: 'geocode', status: 'completed', output: expect.stringContaining('48.4') },
          { name: 'geocode', status: 'failed', output: expect.stringContaining('There is no city Atlantis') },
        ],
      });
    } finally {
      program.child.kill('SIGINT');
      await program.ended;
    }
  });
});
