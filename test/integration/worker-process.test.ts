import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { NAMES } from '../../src/contract.ts';
import type { RunRequest, RunResult } from '../../src/contract.ts';
import { findFreePorts } from '../../src/dev/ports.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';
import { readToolJournal, startLoggedWorker, TEST_CONFIG } from '../support/worker-process.ts';
import type { LoggedWorker } from '../support/worker-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };

let env: TestEnv;
let emulator: Emulator;
beforeAll(async () => {
  env = await connectTestEnv();
  emulator = await startEmulator({
    scripts: {
      thinks: { attempts: [{ steps: [{ think_ms: 4_000 }, { answer: 'thought' }] }] },
      refunds: {
        attempts: [
          {
            steps: [
              { call: [{ name: 'refund_order', arguments: { order_id: '1042', cents: 100 } }] },
              { answer: 'refunded {{output.refund_order}}' },
            ],
          },
        ],
      },
      stubborn: {
        attempts: [{ steps: [{ call: [{ name: 'stubborn', arguments: {} }] }, { answer: 'never' }] }],
      },
    },
  });
});
afterAll(async () => {
  await emulator.close();
  await env.close();
});

let folder = '';
let journal = '';
let taskQueue = '';
const workers: LoggedWorker[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-worker-'));
  journal = join(folder, 'tools.ndjson');
  taskQueue = env.unique('queue');
});
afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.kill('SIGKILL');
    await worker.exited;
  }
  await rm(folder, { recursive: true, force: true });
});

function start(more: Readonly<Record<string, string>> = {}): LoggedWorker {
  const worker = startLoggedWorker({
    ...env.processEnv,
    DROVER_TASK_QUEUE: taskQueue,
    DROVER_EMULATOR_URL: emulator.url,
    DROVER_TOOL_JOURNAL: journal,
    ...more,
  });
  workers.push(worker);
  return worker;
}

async function startRun(model: string, context: object = {}) {
  const request: RunRequest = { assistant_id: model, input: 'Do it.', context: { ...context } };
  const workflowId = env.unique(model);
  return await env.client.workflow.start(NAMES.workflow, { args: [request], taskQueue, workflowId });
}

const started = (tool: string) => () =>
  expect(readToolJournal(journal)).toContainEqual(expect.objectContaining({ tool, event: 'started' }));

describe('a worker that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'exits 0 on %s, with one JSON line for each event',
    async (signal) => {
      const worker = start();
      await worker.ready;
      worker.kill(signal);
      expect(await worker.exited).toEqual({ code: 0, signal: null });
      expect(worker.logs()).toHaveLength(worker.lines.length);
      const messages = worker.logs().map(({ msg }) => msg);
      expect(messages).toEqual(
        expect.arrayContaining(['worker running', 'worker stopping', 'worker stopped']),
      );
      expect(worker.logs().find(({ msg }) => msg === 'worker running')).toMatchObject({
        address: env.address,
        namespace: env.namespace,
        taskQueue,
      });
    },
  );

  test('hands a wait back at once, and the next worker goes on with the same attempt', async () => {
    const first = start();
    const run = await startRun('thinks');
    await vi.waitFor(async () => {
      const { raw } = await run.describe();
      expect(raw.pendingActivities?.[0]?.activityType?.name).toBe(NAMES.activities.awaitRun);
      expect(raw.pendingActivities?.[0]?.lastHeartbeatTime ?? null).not.toBeNull();
    }, WAIT);
    expect(await first.stop()).toEqual({ code: 0, signal: null });

    const { raw } = await run.describe();
    // 1 is SCHEDULED: nobody has to wait for its heartbeat to time out.
    expect(raw.pendingActivities?.[0]?.state).toBe(1);
    expect(raw.pendingActivities?.[0]?.lastFailure?.timeoutFailureInfo ?? null).toBeNull();

    start();
    const result = (await run.result()) as RunResult;
    expect(result).toMatchObject({ output_text: 'thought', attempts: [{ status: 'completed' }] });
  });

  test('lets a running tool finish, and the next worker does not start it again', async () => {
    const first = start();
    const run = await startRun('refunds', { work_ms: 1_500 });
    await vi.waitFor(started('refund_order'), WAIT);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(readToolJournal(journal)).toMatchObject([
      { event: 'started', pid: first.pid },
      { event: 'finished', pid: first.pid },
    ]);

    start();
    const result = (await run.result()) as RunResult;
    expect(result.run.status).toBe('completed');
    expect(readToolJournal(journal)).toHaveLength(2);
  });

  test('exits 0 although a tool ignores its signal', async () => {
    const worker = start({ DROVER_TEST_GRACE_SECONDS: '1' });
    const run = await startRun('stubborn');
    await vi.waitFor(started('stubborn'), WAIT);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(worker.logs().map(({ msg }) => msg)).toContain(
      'worker stopped although a tool ignored its signal',
    );
    await run.terminate();
  });

  test('ends at once, with 0, when it is told again', async () => {
    const worker = start({ DROVER_TEST_GRACE_SECONDS: '3600' });
    const run = await startRun('stubborn');
    await vi.waitFor(started('stubborn'), WAIT);
    const insist = setInterval(() => worker.kill('SIGTERM'), 200);
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    clearInterval(insist);
    await run.terminate();
  });
});

describe('a worker that cannot start', () => {
  test('says in one line where Temporal is not, and what to do', async () => {
    const [port = 0] = await findFreePorts(1);
    const address = `127.0.0.1:${port}`;
    const worker = start({ TEMPORAL_ADDRESS: address, DROVER_CONNECT_SECONDS: '0' });
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(worker.logs()).toHaveLength(1);
    const [line] = worker.logs();
    expect(line).toMatchObject({ level: 'error', code: 'connect' });
    expect(line?.msg).toContain(address);
    expect(line?.msg).toContain('Check TEMPORAL_ADDRESS');
    expect(line?.msg).not.toContain('\n');
  });

  test('says so where there is no such namespace, without trying again', async () => {
    const worker = start({ TEMPORAL_NAMESPACE: 'nowhere', DROVER_CONNECT_SECONDS: '600' });
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(worker.logs().at(-1)?.msg).toMatch(
      /namespace nowhere\) does not know the namespace.*TEMPORAL_NAMESPACE/,
    );
  });

  test('lists every mistake of its configuration', async () => {
    const path = join(folder, 'drover.config.mjs');
    await writeFile(path, 'export default { taskQueue: 7, backends: {}, colour: 1 };');
    const worker = start({ DROVER_CONFIG: path });
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    const text = worker.lines.join('\n');
    for (const part of [path, '3 mistakes', 'taskQueue', 'backends', 'colour']) expect(text).toContain(part);
  });

  test('lists every mistake of its environment', async () => {
    const worker = start({ DROVER_LOG_LEVEL: 'loud', DROVER_CONNECT_SECONDS: 'soon' });
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(worker.lines.join('\n')).toMatch(/2 mistakes[^]*DROVER_LOG_LEVEL[^]*DROVER_CONNECT_SECONDS/);
  });

  test('lists the mistakes of its environment, its connection profile and its configuration at once', async () => {
    const path = join(folder, 'drover.config.mjs');
    await writeFile(path, 'export default { taskQueue: 7, backends: {}, colour: 1 };');
    const profiles = join(folder, 'temporal.toml');
    await writeFile(profiles, '[profile.prod]\naddress = "prod:7233"\n');
    const worker = start({
      DROVER_CONFIG: path,
      DROVER_LOG_LEVEL: 'loud',
      TEMPORAL_CONFIG_FILE: profiles,
      TEMPORAL_PROFILE: 'gone',
    });
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    const text = worker.lines.join('\n');
    for (const part of [
      'The environment has one',
      'DROVER_LOG_LEVEL',
      'profile has one',
      'gone',
      path,
      'colour',
    ])
      expect(text).toContain(part);
  });

  test('says by which setting where its metrics cannot be served', async () => {
    const path = join(folder, 'drover.config.mjs');
    const taken = createServer();
    const address = await new Promise<string>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(taken.address() as AddressInfo).port}`));
    });
    await writeFile(
      path,
      `import plain from ${JSON.stringify(pathToFileURL(TEST_CONFIG).href)};
       export default { ...plain, metrics: { prometheus: '${address}' } };`,
    );
    const cases = [
      [{ DROVER_METRICS: address }, `DROVER_METRICS: cannot be listened on`],
      [{ DROVER_METRICS: 'no-such-host.invalid:9464' }, 'DROVER_METRICS: cannot be listened on'],
      [{ DROVER_CONFIG: path }, 'metrics.prometheus: cannot be listened on'],
    ] as const;
    for (const [set, words] of cases) {
      const worker = start(set);
      expect(await worker.exited).toEqual({ code: 1, signal: null });
      expect(worker.logs()).toHaveLength(worker.lines.length);
      expect(worker.logs().at(-1)).toMatchObject({ level: 'error', code: 'config' });
      expect(worker.logs().at(-1)?.msg).toContain(words);
    }
    taken.close();
  });

  test('exits 0 when it is told to stop while its configuration loads', async () => {
    const path = join(folder, 'drover.config.mjs');
    await writeFile(
      path,
      "setInterval(() => undefined, 1_000); console.log('loading'); await new Promise(() => undefined);",
    );
    const worker = start({ DROVER_CONFIG: path });
    await worker.waitForLine('loading');
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });

  test('keeps trying for a while, and starts once the server is there', async () => {
    const [port = 0] = await findFreePorts(1);
    const worker = start({ TEMPORAL_ADDRESS: `127.0.0.1:${port}`, DROVER_CONNECT_SECONDS: '90' });
    await worker.waitForLine('temporal not reached, trying again');
    const server = await startTemporalServer({ cli: env.cli, port, uiPort: null });
    try {
      await worker.ready;
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
    } finally {
      await server.stop();
    }
  });

  test('exits 0 when it is told to stop while it is still trying', async () => {
    const [port = 0] = await findFreePorts(1);
    const worker = start({ TEMPORAL_ADDRESS: `127.0.0.1:${port}`, DROVER_CONNECT_SECONDS: '600' });
    await worker.waitForLine('temporal not reached, trying again');
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('the health check of a worker', () => {
  const HEALTH = fileURLToPath(new URL('../../src/worker-health.ts', import.meta.url));
  const health = async (metrics: string): Promise<number> => {
    const check = spawn(process.execPath, [HEALTH], { env: { ...process.env, DROVER_METRICS: metrics } });
    const [code] = (await once(check, 'exit')) as [number];
    return code;
  };

  // Linux alone has more addresses of its own than one.
  const others = process.platform === 'linux' ? ['127.0.0.2'] : [];
  test.each(['127.0.0.1', 'localhost', '0.0.0.0', ...others])(
    'is good while it polls at %s, and bad once it is gone',
    async (host) => {
      const [port = 0] = await findFreePorts(1);
      const metrics = `${host}:${port}`;
      const worker = start({ DROVER_METRICS: metrics });
      await worker.ready;
      await vi.waitFor(async () => expect(await health(metrics)).toBe(0), WAIT);
      await worker.stop();
      expect(await health(metrics)).toBe(1);
    },
  );
});
