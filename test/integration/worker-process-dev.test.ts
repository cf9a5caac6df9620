import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterEach, beforeAll, beforeEach, afterAll, describe, expect, test, vi } from 'vitest';
import { fileURLToPath } from 'node:url';
import { NAMES } from '../../src/contract.ts';
import type { RunResult } from '../../src/contract.ts';
import { startDev } from '../../src/dev/dev.ts';
import type { Dev } from '../../src/dev/dev.ts';
import { connectClient } from '../../src/connection.ts';
import { findFreePorts, isPortFree } from '../../src/dev/ports.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import { checkSearchAttributes, registerSearchAttributes } from '../../src/register-search-attributes.ts';
import { SEARCH_ATTRIBUTE_DEFINITIONS } from '../../src/search-attributes.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let env: TestEnv;
beforeAll(async () => {
  env = await connectTestEnv();
});
afterAll(async () => {
  await env.close();
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startTemporalServer', () => {
  test('has the search attributes and the namespace when it is ready, and leaves nothing behind', async () => {
    const server = await startTemporalServer({ cli: env.cli, namespace: 'mine' });
    expect(server.uiUrl).not.toBeNull();
    expect((await fetch(String(server.uiUrl))).ok).toBe(true);
    await server.stop();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  test('learns the search attributes later, too, however often it is asked to', async () => {
    const server = await startTemporalServer({ cli: env.cli, uiPort: null, searchAttributes: false });
    const connection = await Connection.connect({ address: server.address });
    try {
      const before = await checkSearchAttributes(connection, server.namespace);
      expect(before).toMatchObject({ registered: false, missing: SEARCH_ATTRIBUTE_DEFINITIONS });
      const both = [1, 2].map(() => registerSearchAttributes(connection, server.namespace));
      const found = { registered: true, missing: [], mistyped: [] };
      expect(await Promise.all(both)).toEqual([found, found]);
      expect(await registerSearchAttributes(connection, server.namespace)).toEqual(found);
    } finally {
      await connection.close();
      await server.stop();
    }
  });

  test('tells what the server wrote where it does not start', async () => {
    const start = startTemporalServer({ cli: env.cli, extraArgs: ['--no-such-flag'] });
    await expect(start).rejects.toThrow(/ended while it was starting[^]*It wrote:[^]*no-such-flag/);
  });

  /** A CLI that finds a port taken at its first starts, as many as `failures`, and is the real one after that. */
  async function unluckyCli(folder: string, port: number, failures: number): Promise<string> {
    const cli = join(folder, 'temporal');
    const script = `#!/bin/sh
echo >> "$0.starts"
if [ "$(wc -l < "$0.starts")" -gt ${failures} ]; then exec '${env.cli}' "$@"; fi
echo "Error: failed listening for HTTP API: listen tcp 127.0.0.1:${port}: bind: address already in use" >&2
exit 1
`;
    await writeFile(cli, script, { mode: 0o755 });
    return cli;
  }

  describe('where a port is taken while it starts', () => {
    let folder: string;
    const starts = async (cli: string): Promise<number> =>
      (await readFile(`${cli}.starts`, 'utf8')).split('\n').length - 1;

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'drover-unlucky-'));
    });
    afterEach(async () => {
      await rm(folder, { recursive: true });
    });

    test('starts it again where the server chose that port', async () => {
      const cli = await unluckyCli(folder, 1, 2);
      const server = await startTemporalServer({ cli, uiPort: null });
      await server.stop();
      expect(await starts(cli)).toBe(3);
    });

    test('gives up after three times', async () => {
      const cli = await unluckyCli(folder, 1, 3);
      await expect(startTemporalServer({ cli, uiPort: null })).rejects.toThrow('address already in use');
      expect(await starts(cli)).toBe(3);
    });

    test('says so at once where the port was asked for', async () => {
      const [port = 0] = await findFreePorts(1);
      const cli = await unluckyCli(folder, port, 1);
      await expect(startTemporalServer({ cli, port, uiPort: null })).rejects.toThrow(
        'Check that its ports are free',
      );
      expect(await starts(cli)).toBe(1);
    });
  });

  test('says so where there is no such CLI', async () => {
    await expect(startTemporalServer({ cli: '/no/such/temporal' })).rejects.toThrow(/ENOENT/);
  });

  test('starts several at once without mixing them up', async () => {
    const servers = await Promise.all([1, 2].map(() => startTemporalServer({ cli: env.cli, uiPort: null })));
    const addresses = servers.map(({ address }) => address);
    expect(new Set(addresses).size).toBe(2);
    await Promise.all(servers.map((server) => server.stop()));
  });
});

describe('startDev', () => {
  let dev: Dev | null = null;
  afterEach(async () => {
    vi.unstubAllEnvs();
    await dev?.stop();
    dev = null;
  });

  test('drives a run of the example on both wires, and stops all of it', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', '');
    vi.stubEnv('DROVER_TEMPORAL_CLI', env.cli);
    const [temporalPort = 0, uiPort = 0, emulatorPort = 0] = await findFreePorts(3);
    const lines: string[] = [];
    dev = await startDev({
      temporalPort,
      uiPort,
      emulatorPort,
      worker: { cwd: ROOT, onLine: (line) => void lines.push(line) },
    });
    expect(dev).toMatchObject({ address: `127.0.0.1:${temporalPort}`, uiUrl: `http://127.0.0.1:${uiPort}` });
    const { address, namespace } = dev;
    const client = await connectClient({ address, namespace, options: { address } });
    try {
      const run = (assistant_id: string): Promise<RunResult> =>
        client.workflow.execute(NAMES.workflow, {
          args: [{ assistant_id, input: 'Refund order 1042' }],
          taskQueue: NAMES.taskQueue,
          workflowId: env.unique(assistant_id),
        });
      const results = await Promise.all(['support', 'support-assistant', 'weather'].map(run));
      expect(results.map((result) => result.run.status)).toEqual(['completed', 'completed', 'completed']);
      expect(results.map(({ tool_calls }) => tool_calls.length)).toEqual([2, 2, 2]);
    } finally {
      await client.connection.close();
    }
    const pid = dev.temporal?.pid ?? 0;
    await dev.stop();
    expect(isAlive(pid)).toBe(false);
    await expect(fetch(dev.emulator.url)).rejects.toThrow('fetch failed');
  });

  test('uses the server that TEMPORAL_ADDRESS names, and leaves it running', async () => {
    vi.stubEnv('TEMPORAL_ADDRESS', env.address);
    dev = await startDev({ startWorker: false });
    expect(dev).toMatchObject({ address: env.address, temporal: null, uiUrl: null });
    await dev.stop();
    await expect(env.client.connection.workflowService.getSystemInfo({})).resolves.toBeDefined();
  });
});

describe('runDev', () => {
  const RUN_DEV = new URL('../../src/dev/run-dev.ts', import.meta.url).href;

  /** `drover dev` as a process, and what it prints. */
  async function startProcess() {
    const [temporalPort, uiPort, emulatorPort] = await findFreePorts(3);
    const options = JSON.stringify({ temporalPort, uiPort, emulatorPort });
    const code = `import('${RUN_DEV}').then(({ runDev }) => runDev(${options})).then((exit) => process.exit(exit))`;
    const child = spawn(process.execPath, ['-e', code], {
      cwd: ROOT,
      env: { ...process.env, TEMPORAL_ADDRESS: '', DROVER_TEMPORAL_CLI: env.cli, DROVER_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const exited = once(child, 'exit');
    const find = async (pattern: RegExp): Promise<string> =>
      await vi.waitFor(() => {
        const found = pattern.exec(text);
        if (found === null) throw new Error(`It has not written ${pattern} yet, but:\n${text}`);
        return found[1] ?? '';
      }, WAIT);
    const isAddressDead = async (): Promise<void> =>
      await vi.waitFor(async () => expect(await isPortFree(temporalPort ?? 0)).toBe(true), WAIT);
    return { child, exited, find, isAddressDead };
  }

  test('prints where everything is, replaces a worker that is killed, and stops all of it on Ctrl-C', async () => {
    const dev = await startProcess();
    const first = Number(await dev.find(/Worker\s+process (\d+)/));
    for (const part of [
      /Temporal\s+(127\S+)/,
      /Temporal UI\s+(http\S+)/,
      /Emulator\s+(http\S+)/,
      /run (support) /,
    ]) {
      await dev.find(part);
    }
    process.kill(first, 'SIGKILL');
    const second = Number(await dev.find(/Worker replaced: process (\d+)/));
    dev.child.kill('SIGINT');
    expect(await dev.exited).toEqual([0, null]);
    expect(isAlive(second)).toBe(false);
    await dev.isAddressDead();
  });

  test('leaves no process behind when it is killed itself', async () => {
    const dev = await startProcess();
    const worker = Number(await dev.find(/Worker\s+process (\d+)/));
    dev.child.kill('SIGKILL');
    await dev.exited;
    await vi.waitFor(() => expect(isAlive(worker)).toBe(false), WAIT);
    await dev.isAddressDead();
  });
});
