import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assistants } from '../../src/backends/assistants.ts';
import { responses } from '../../src/backends/responses.ts';
import type { DroverConfig } from '../../src/config.ts';
import type { RunResult } from '../../src/contract.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import { runProgram, startProgram } from '../support/processes.ts';
import type { Ended, ProgramOptions } from '../support/processes.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { connectTestEnv, createTestWorker } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

let env: TestEnv;
let emulator: Emulator;
let worker: Worker;
let running: Promise<void>;
let taskQueue: string;
let folder: string;
let processEnv: Record<string, string>;

const configuration = (): DroverConfig => ({
  backends: {
    local: responses({ baseURL: emulator.url, apiKey: 'test' }),
    threads: assistants({ baseURL: emulator.url, apiKey: 'test' }),
  },
  defaultBackend: 'local',
  assistants: {
    bot: { model: 'bot' },
    stuck: { model: 'stuck', backend: 'threads', provider_assistant_id: 'asst_stuck' },
    filtered: { model: 'filtered' },
  },
});

beforeAll(async () => {
  env = await connectTestEnv();
  emulator = await startEmulator({
    scripts: {
      bot: { attempts: [{ steps: [{ think_ms: 200 }, { answer: 'It has shipped.' }] }] },
      stuck: { attempts: [{ steps: [{ hang: true }] }] },
      filtered: { attempts: [{ steps: [{ incomplete: 'content_filter' }] }] },
    },
  });
  emulator.createAssistant({ id: 'asst_stuck', model: 'stuck' });
  ({ worker, taskQueue } = await createTestWorker(env, configuration()));
  running = worker.run();
  folder = await mkdtemp(join(tmpdir(), 'drover-cli-'));
  const source = (name: string): string =>
    JSON.stringify(new URL(`../../src/${name}.ts`, import.meta.url).href);
  await writeFile(
    join(folder, 'drover.config.mjs'),
    `import { assistants, responses } from ${source('backends')};
     import { defineConfig } from ${source('index')};
     const options = { baseURL: '${emulator.url}', apiKey: 'test' };
     export default defineConfig({
       taskQueue: '${taskQueue}',
       backends: { local: responses(options), threads: assistants(options) },
       defaultBackend: 'local',
       assistants: { bot: { model: 'bot' }, stuck: { model: 'stuck', backend: 'threads', provider_assistant_id: 'asst_stuck' } },
     });`,
  );
  processEnv = { ...env.processEnv, DROVER_TASK_QUEUE: taskQueue };
});

afterAll(async () => {
  worker.shutdown();
  await running;
  await emulator.close();
  await env.close();
  await rm(folder, { recursive: true, force: true });
});

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const drover = (args: readonly string[], options: ProgramOptions = {}): Promise<Ended> =>
  runProgram([MAIN, ...args], { cwd: folder, ...options, env: { ...processEnv, ...options.env } });

const json = ({ stdout }: Ended): unknown => JSON.parse(stdout) as unknown;

/** The attempt that a run says it has; null as long as it says nothing. */
const attemptOf = (id: string) =>
  env.client.workflow
    .getHandle(id)
    .query<{ readonly backend: string; readonly attempt: { readonly id: string } } | null>('attempt')
    .catch(() => null);

describe('drover run', () => {
  it('prints the answer on standard output and how it came about on standard error', async () => {
    const id = env.unique('cli');
    const ended = await drover(['run', 'bot', 'Where is 1042?', '--id', id]);
    expect(ended).toMatchObject({ code: 0, stdout: 'It has shipped.\n' });
    expect(ended.stderr).toMatch(new RegExp(`^${id} completed · 1 attempt · 0 tool calls · \\d+ tokens`));
  });

  it('shows how it goes with --follow', async () => {
    const ended = await drover(['run', 'bot', 'Where is 1042?', '--id', env.unique('cli'), '--follow']);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toBe('It has shipped.\n');
    expect(ended.stderr).toMatch(/Run cli-.*\n(.*\n)*\d\d:\d\d:\d\d {2}(queued|in_progress).*attempt 1/);
  });

  it('prints the answer although nobody reads how it goes', async () => {
    const program = startProgram([MAIN, 'run', 'bot', 'Where is 1042?', '--follow'], {
      cwd: folder,
      env: processEnv,
    });
    program.child.stderr?.destroy();
    expect(await program.ended).toMatchObject({ code: 0, stdout: 'It has shipped.\n' });
  });

  it('prints the whole result with --json, reads its input and fields as given', async () => {
    const args = ['run', 'bot', '-', '--set', 'temperature=0', '--metadata', 'ticket=77', '--json'];
    const ended = await drover(args, { input: 'Where is 1042?\n' });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(json(ended) as RunResult).toMatchObject({
      code: null,
      run: { temperature: 0, metadata: { ticket: '77' } },
    });
  });

  it('exits 1 with the result on standard output where the run ended otherwise', async () => {
    const ended = await drover(['run', 'filtered', 'x', '--json']);
    expect(ended.code).toBe(1);
    expect(json(ended) as RunResult).toMatchObject({ code: 'content_filter' });
    const plain = await drover(['run', 'filtered', 'x']);
    expect(plain).toMatchObject({ code: 1, stdout: '' });
    expect(plain.stderr).toMatch(/drover: The provider filtered the content/);
  });

  it('exits 2 and names every mistake, 5 where the id is taken', async () => {
    const wrong = await drover([
      'run',
      'bot',
      'x',
      '--set',
      'temperature=9',
      '--set',
      'retry={"attempts":0}',
    ]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/2 mistakes[^]*temperature[^]*retry\.attempts/);
    const id = env.unique('cli');
    expect(await drover(['run', 'bot', 'one', '--id', id, '--detach'])).toMatchObject({
      code: 0,
      stdout: `${id}\n`,
    });
    expect((await drover(['run', 'bot', 'two', '--id', id])).code).toBe(5);
    expect((await drover(['run', 'bot', 'one', '--id', id])).code).toBe(0);
  });

  it('lets the run go on when the wait is interrupted', async () => {
    const id = env.unique('cli');
    const program = startProgram([MAIN, 'run', 'stuck', 'x', '--id', id, '--follow'], {
      cwd: folder,
      env: processEnv,
    });
    await expect.poll(() => attemptOf(id), { timeout: 30_000 }).not.toBeNull();
    program.child.kill('SIGINT');
    const ended = await program.ended;
    expect(ended.code).toBe(130);
    expect(ended.stderr).toContain(`drover cancel ${id}`);
    expect((await env.client.workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
    expect((await drover(['cancel', id, '--reason', 'test', '--wait', '--json'])).code).toBe(0);
  });

  it('names the run, which goes on, where Temporal is lost while it is waited for', async () => {
    const query = `TaskQueue = '${taskQueue}'`;
    const known = async () =>
      (json(await drover(['list', query, '--running', '--json'])) as readonly { readonly id: string }[]).map(
        ({ id }) => id,
      );
    const before = await known();
    const proxy = await startTcpProxy(env.address);
    const program = startProgram([MAIN, 'run', 'stuck', 'x', '--json'], {
      cwd: folder,
      env: { ...processEnv, TEMPORAL_ADDRESS: proxy.address },
    });
    const mine = async () => (await known()).filter((one) => !before.includes(one));
    await expect.poll(mine, { timeout: 30_000 }).toHaveLength(1);
    const [id = ''] = await mine();
    proxy.cut();
    const ended = await program.ended;
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(ended.stderr)).toMatchObject({
      error: { code: 'unreachable', run_id: id, message: expect.stringContaining(`--id ${id}`) },
    });
    expect((await env.client.workflow.getHandle(id).describe()).status.name).toBe('RUNNING');
    expect((await drover(['cancel', id, '--wait', '--json'])).code).toBe(0);
  });
});

describe('a wait for a run that was ended by an error', () => {
  it.each(['cancel', 'retry'])('exits 1 and says why: drover %s --wait', async (command) => {
    const id = env.unique('cli');
    expect((await drover(['run', 'filtered', 'x', '--id', id])).code).toBe(1);
    const ended = await drover([command, id, '--wait']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/drover: The provider filtered the content/);
    const told = await drover([command, id, '--wait', '--json']);
    expect(told.code).toBe(1);
    expect(json(told) as RunResult).toMatchObject({ code: 'content_filter' });
  });
});

describe('drover show, list and cancel', () => {
  it('show a run that goes on, cancel it, and show how it ended', async () => {
    const id = env.unique('cli');
    await drover(['run', 'stuck', 'x', '--id', id, '--detach']);
    await expect
      .poll(
        async () =>
          (json(await drover(['show', id, '--json'])) as { progress: { attempt_id: string } | null }).progress
            ?.attempt_id,
        {
          timeout: 30_000,
        },
      )
      .toMatch(/^run_/);
    expect((await drover(['show', id])).stdout).toMatch(/Task queue[^]*Attempt +run_/);
    expect(await drover(['cancel', id])).toMatchObject({ code: 0, stdout: `Cancel of ${id} requested.\n` });
    expect((await drover(['cancel', id, '--wait'])).code).toBe(0);
    const shown = await drover(['show', id]);
    expect(shown.stdout).toMatch(/Ended +cancelled[^]*ATTEMPT +ID/);
    await expect
      .poll(async () => json(await drover(['list', `WorkflowId = '${id}'`, '--json'])) as readonly object[], {
        timeout: 30_000,
      })
      .toMatchObject([{ id, workflow_status: 'CANCELLED' }]);
    expect((await drover(['list', `WorkflowId = '${id}'`])).stdout).toMatch(
      new RegExp(`ID +STATUS[^]*${id}`),
    );
  });

  it('exit 4 where there is no such run, as JSON too', async () => {
    const args = [
      ['show', 'nobody'],
      ['cancel', 'nobody'],
      ['cancel', 'nobody', '--reason', 'x'],
    ];
    for (const given of args) expect((await drover(given)).code).toBe(4);
    const ended = await drover(['show', 'nobody', '--json']);
    expect(JSON.parse(ended.stderr)).toMatchObject({ error: { code: 'run_not_found' } });
  });

  it('exit 2 where the query has a mistake', async () => {
    const ended = await drover(['list', 'NoSuchField = 1']);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^drover: Temporal refused it: .*NoSuchField.*\n$/);
  });

  it('say how a search attribute of Drover’s gets into a namespace that lacks it', async () => {
    const namespace = env.unique('bare');
    await env.client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    // The server takes some seconds to know a new namespace.
    await expect
      .poll(() => drover(['waiting'], { env: { TEMPORAL_NAMESPACE: namespace } }), { timeout: 60_000 })
      .toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/refused it: .*DroverWaiting.*drover doctor --fix/),
      });
  });

  it('exit 3 where Temporal cannot be reached', async () => {
    const ended = await drover(['list'], { env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toMatch(/^drover: Temporal at 127\.0\.0\.1:1 .* could not be reached: .*\n$/);
  });
});

describe('drover sweep', () => {
  it('cancels at the provider what a terminated run left alive, once', async () => {
    const id = env.unique('cli');
    await drover(['run', 'stuck', 'x', '--id', id, '--detach']);
    await expect.poll(() => attemptOf(id), { timeout: 30_000 }).toMatchObject({ backend: 'threads' });
    const live = await attemptOf(id);
    const handle = env.client.workflow.getHandle(id);
    await handle.terminate('test');
    const sweepOne = async (...more: string[]) => {
      const ended = await drover(['sweep', '--json', ...more]);
      return { ended, found: (json(ended) as readonly { id: string }[]).find((one) => one.id === id) };
    };
    await expect
      .poll(async () => (await sweepOne('--dry-run')).found, { timeout: 30_000 })
      .toMatchObject({ outcome: 'live', attempt_id: live?.attempt.id });
    const { found, ended: swept } = await sweepOne();
    expect(found).toMatchObject({ outcome: 'cancelled' });
    expect(swept.code).toBe(0);
    const ended = await emulator.waitFor(
      (entry) => entry.kind === 'status' && entry.id === live?.attempt.id && isTerminal(entry.to),
    );
    expect(ended).toMatchObject({ to: 'cancelled' });
    expect((await sweepOne()).found).toMatchObject({ outcome: 'cancelled' });
  });

  it('needs a configuration', async () => {
    const ended = await drover(['sweep'], { cwd: tmpdir() });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--config');
  });
});

describe('drover doctor', () => {
  it('finds everything well', async () => {
    const ended = await drover(['doctor', '--json', '--try-runs']);
    const findings = json(ended) as readonly { name: string; state: string }[];
    expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
    expect(findings.map(({ name }) => name)).toEqual([
      'configuration',
      'tools',
      'temporal',
      'search attributes',
      'worker',
      'backend local',
      'run at local',
      'backend threads',
      'run at threads',
    ]);
    expect(ended.code).toBe(0);
  });

  it('says what is wrong and what to do, and exits 6', async () => {
    const ended = await drover(['doctor'], { env: { TEMPORAL_NAMESPACE: 'nowhere' } });
    expect(ended.code).toBe(6);
    expect(ended.stdout).toMatch(/FAIL {2}temporal .*nowhere[^]*→ Create it/);
  });
});

describe('drover worker', () => {
  it('sweeps when it starts, and stops when it is told to', async () => {
    const own = env.unique('swept');
    const id = env.unique('cli');
    const first = await createTestWorker(env, configuration(), own);
    await first.worker.runUntil(async () => {
      await drover(['run', 'stuck', 'x', '--id', id, '--detach', '--task-queue', own]);
      await expect.poll(() => attemptOf(id), { timeout: 30_000 }).not.toBeNull();
    });
    await env.client.workflow.getHandle(id).terminate('test');
    await expect
      .poll(async () => json(await drover(['list', `WorkflowId = '${id}'`, '--json'])), { timeout: 30_000 })
      .toMatchObject([{ workflow_status: 'TERMINATED' }]);
    const program = startProgram([MAIN, 'worker', '--task-queue', own, '--json'], {
      cwd: folder,
      env: processEnv,
    });
    await program.says('cancelled the attempt of a terminated run');
    program.child.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });
});

describe('drover emulator', () => {
  it('runs until it is told to stop', async () => {
    const program = startProgram([MAIN, 'emulator', '--port', '0', '--json', '--api-key', 'right']);
    await program.says('\n');
    program.child.kill('SIGTERM');
    const ended = await program.ended;
    expect(ended.code).toBe(0);
    expect(json(ended)).toMatchObject({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/) });
  });
});

describe('drover webhooks', () => {
  it('listens for the backends that have a secret, until it is told to stop', async () => {
    const plain = await readFile(join(folder, 'drover.config.mjs'), 'utf8');
    const secret = `whsec_${Buffer.from('of this test').toString('base64')}`;
    const config = join(folder, 'webhooks.config.mjs');
    await writeFile(
      config,
      plain.replace('responses(options)', `responses({ ...options, webhookSecret: '${secret}' })`),
    );
    const options = { env: { ...processEnv, DROVER_CONFIG: config } };
    const program = startProgram([MAIN, 'webhooks', '--port', '0', '--json'], options);
    let printed = '';
    program.child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await program.says('listening');
    const { url } = JSON.parse(printed.split('\n')[0] ?? '') as { url: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/webhooks\/local$/);
    const answer = await fetch(url, { method: 'POST', body: '{}' });
    expect([answer.status, await answer.json()]).toEqual([400, { outcome: 'refused' }]);
    program.child.kill('SIGTERM');
    const ended = await program.ended;
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toContain('"outcome":"refused"');
    expect(ended.stdout).not.toContain(secret);
  });

  it('says what is missing where nothing could be checked, where the port is taken, and where the namespace is not there', async () => {
    const refused = await drover(['webhooks', '--config', join(folder, 'drover.config.mjs')]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('webhookSecret') });
    const port = new URL(emulator.url).port;
    const taken = await drover(['webhooks', '--config', join(folder, 'webhooks.config.mjs'), '--port', port]);
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining(`Port ${port}`) });
    const nowhere = startProgram(
      [MAIN, 'webhooks', '--config', join(folder, 'webhooks.config.mjs'), '--port', '0'],
      { env: { ...processEnv, TEMPORAL_NAMESPACE: 'nowhere' } },
    );
    const ended = await nowhere.ended;
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toMatch(/namespace nowhere\) does not know the namespace.*Create it/);
  });
});
