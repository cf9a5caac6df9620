import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEV_SCRIPTS } from '../../src/dev/dev-scripts.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import { NAMES } from '../../src/contract.ts';
import type { RunResult } from '../../src/contract.ts';
import { readCopy, readDockerfile } from '../support/dockerfile.ts';
import type { DockerCopy, DockerStage } from '../support/dockerfile.ts';
import { connectTestEnv } from '../support/temporal-server.ts';
import type { TestEnv } from '../support/temporal-server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let env: TestEnv;
let folder = '';
beforeAll(async () => {
  env = await connectTestEnv();
  folder = await mkdtemp(join(tmpdir(), 'drover-docker-'));
});
afterAll(async () => {
  await env.close();
  await rm(folder, { recursive: true, force: true });
});

/** As in a container: nothing of the npm script around this test, and the Node that runs it. */
function cleanEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:npm_|DROVER_|TEMPORAL_|VITEST|NODE_ENV|NODE_OPTIONS)/i.test(name),
  );
  const path = [dirname(process.execPath), ...(process.env['PATH'] ?? '').split(delimiter)];
  const outside = path.filter((part) => !part.endsWith(join('node_modules', '.bin')));
  return { ...Object.fromEntries(kept), PATH: outside.join(delimiter) };
}

function copy({ from, sources, target }: DockerCopy, stage: string): void {
  for (const source of sources) {
    // A path in another stage is absolute there: /app/dist.
    const path = from === null ? join(ROOT, source) : join(folder, from, relative('/app', source));
    const wanted = resolve(stage, target);
    const isFile = statSync(path).isFile();
    const place = isFile && (target.endsWith('/') || target === '.') ? join(wanted, basename(path)) : wanted;
    mkdirSync(dirname(place), { recursive: true });
    if (from === null) cpSync(path, place, { recursive: true });
    else renameSync(path, place);
  }
}

async function play(stage: DockerStage): Promise<string> {
  const place = join(folder, stage.name ?? 'image');
  mkdirSync(place);
  for (const { instruction, text } of stage.steps) {
    if (instruction === 'COPY') copy(readCopy(text), place);
    if (instruction === 'RUN') await run('/bin/sh', ['-c', text], { cwd: place, env: cleanEnv() });
  }
  return place;
}

test('the steps of the Dockerfile make, in an empty folder, a worker that drives a run and stops', async () => {
  const stages = readDockerfile(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
  let image = '';
  for (const stage of stages) image = await play(stage);
  const last = stages.at(-1)?.steps ?? [];
  const [node, ...args] = JSON.parse(
    last.find(({ instruction }) => instruction === 'CMD')?.text ?? '[]',
  ) as string[];
  expect(node).toBe('node');

  const emulator = await startEmulator({ scripts: DEV_SCRIPTS });
  const taskQueue = env.unique('docker');
  const worker = spawn(process.execPath, args, {
    cwd: image,
    env: {
      ...cleanEnv(),
      ...env.processEnv,
      DROVER_EMULATOR_URL: emulator.url,
      DROVER_TASK_QUEUE: taskQueue,
      DROVER_LOG_FORMAT: 'json',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(worker, 'exit');
  const messages: string[] = [];
  createInterface({ input: worker.stdout }).on('line', (line) => {
    messages.push((JSON.parse(line) as { readonly msg: string }).msg);
  });
  try {
    const result = (await env.client.workflow.execute(NAMES.workflow, {
      args: [{ assistant_id: 'support', input: 'Refund order 1042' }],
      taskQueue,
      workflowId: taskQueue,
    })) as RunResult;
    expect(result.run.status).toBe('completed');
  } finally {
    worker.kill('SIGTERM');
    await emulator.close();
  }
  expect(await exited).toEqual([0, null]);
  expect(messages).toContain('worker running');
  // The build has bundled the workflows: the image does it no more.
  expect(messages).not.toContain('Workflow bundle created');
}, 900_000);
