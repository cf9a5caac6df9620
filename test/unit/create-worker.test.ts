import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { assistants } from '../../src/backends/assistants.ts';
import { ConfigError } from '../../src/config-error.ts';
import type { DroverConfig } from '../../src/config.ts';
import { FORCE_AFTER_GRACE_MS, WORKER_DEFAULTS, workerSettings } from '../../src/create-worker.ts';
import { droverPlugin } from '../../src/drover-plugin.ts';
import { defineTool } from '../../src/tools/define-tool.ts';
import { findPrebuiltBundle, WORKFLOWS_PATH } from '../../src/workflow-bundle.ts';

const tool = (name: string) =>
  defineTool({ name, description: name, parameters: z.object({}), execute: () => 'done' });
const config: DroverConfig = {
  backends: { local: assistants({ baseURL: 'http://127.0.0.1:1/v1' }) },
  tools: [tool('charge'), tool('look')],
};
const logger = new DefaultLogger('ERROR');
const taskQueue = 'queue';

const configure = async (options: Partial<WorkerOptions> = {}): Promise<WorkerOptions> => {
  const configured = await droverPlugin(config).configureWorker?.({ taskQueue, ...options });
  if (configured === undefined) throw new Error('The plugin configures no worker.');
  return configured;
};

async function issuesOf(work: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await work.catch((caught: unknown) => caught);
  if (error instanceof ConfigError) return error.issues.map(({ field }) => field);
  throw new Error('It was not refused.', { cause: error });
}

describe('workerSettings', () => {
  test('has the defaults where the configuration says nothing', () => {
    expect(workerSettings({})).toEqual({
      ...WORKER_DEFAULTS,
      workflowTaskPollerBehavior: { type: 'autoscaling' },
      activityTaskPollerBehavior: { type: 'autoscaling' },
      shutdownForceTime: 30_000 + FORCE_AFTER_GRACE_MS,
    });
  });

  test('passes on whatever the configuration says, and forces after its grace time', () => {
    const worker = {
      maxConcurrentActivityTaskExecutions: 7,
      shutdownGraceTime: '1 minute',
      identity: 'me',
    } as const;
    expect(workerSettings(worker)).toMatchObject({
      ...worker,
      shutdownForceTime: 60_000 + FORCE_AFTER_GRACE_MS,
    });
    expect(workerSettings({ shutdownForceTime: '5 minutes' }).shutdownForceTime).toBe('5 minutes');
  });

  test('sets no number of slots beside a tuner, and no pollers beside a number of polls', () => {
    const tuned = workerSettings({
      tuner: { tunerOptions: { targetMemoryUsage: 0.8, targetCpuUsage: 0.9 } },
    });
    expect(tuned).not.toHaveProperty('maxConcurrentActivityTaskExecutions');
    expect(tuned).not.toHaveProperty('maxConcurrentWorkflowTaskExecutions');
    expect(tuned).not.toHaveProperty('maxConcurrentLocalActivityExecutions');
    const polls = workerSettings({ maxConcurrentActivityTaskPolls: 3 });
    expect(polls).not.toHaveProperty('activityTaskPollerBehavior');
    expect(polls).toHaveProperty('workflowTaskPollerBehavior');
  });
});

describe('droverPlugin', () => {
  test("adds Drover's workflow and activities to a worker that has none", async () => {
    const configured = await configure();
    expect(configured.workflowsPath).toBe(WORKFLOWS_PATH);
    const names = Object.keys(configured.activities ?? {});
    expect(names).toEqual(expect.arrayContaining(['drover.createRun', 'drover.awaitRun', 'default']));
    expect(names.filter((name) => !name.startsWith('drover.'))).toEqual(['default']);
  });

  test('keeps the activities and the workflows of a worker that has some', async () => {
    const activities = { greet: async () => 'hello', notAFunction: 7 };
    const configured = await configure({ activities, workflowsPath: '/own/workflows.ts' });
    expect(configured.activities).toMatchObject({ greet: activities.greet });
    expect(configured.workflowsPath).toBe('/own/workflows.ts');
  });

  test('refuses a worker in which a tool or an activity of Drover would be shadowed, naming each', async () => {
    const activities = {
      charge: async () => 'a lot',
      'drover.awaitRun': async () => 'mine',
      other: async () => 1,
    };
    expect(await issuesOf(configure({ activities }))).toEqual(['tools.charge', 'activities.drover.awaitRun']);
  });

  test('shares one data converter and refuses a second one', async () => {
    const dataConverter = { payloadCodecs: [] };
    const plugin = droverPlugin({ ...config, dataConverter });
    expect(await plugin.configureWorker?.({ taskQueue })).toMatchObject({ dataConverter });
    expect(await plugin.configureReplayWorker?.({})).toMatchObject({
      dataConverter,
      workflowsPath: WORKFLOWS_PATH,
    });
    const other = plugin.configureWorker?.({ taskQueue, dataConverter: { payloadCodecs: [] } });
    expect(await issuesOf(Promise.resolve(other))).toEqual(['dataConverter']);
  });

  test('reports every mistake of its configuration at once', () => {
    const wrong = { backends: {}, tools: [tool('has spaces')] };
    expect(() => droverPlugin(wrong)).toThrow(ConfigError);
  });
});

describe('a bundle of a worker that has workflows of its own', () => {
  let folder = '';
  beforeEach(async () => {
    // Beside the sources: a bundle resolves packages from where its files are.
    folder = await mkdtemp(fileURLToPath(new URL('./own-workflows-', import.meta.url)));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const bundle = async (workflowsPath: string): Promise<string> => {
    const plugins = [droverPlugin(config)];
    return (await bundleWorkflowCode({ workflowsPath, plugins, logger })).code;
  };

  test.each([
    ['a file', 'own.ts', 'own.ts'],
    ['a folder', 'own/index.ts', 'own'],
  ])('holds both where its path is %s, and is accepted', async (_case, file, path) => {
    await mkdir(join(folder, 'own'), { recursive: true });
    await writeFile(join(folder, file), 'export async function ownWorkflow() { return "own"; }');
    const code = await bundle(join(folder, path));
    expect(code).toMatch(/function ownWorkflow/);
    expect(code).toMatch(/driveRun: \(\) =>/);
    await expect(configure({ workflowBundle: { code } })).resolves.toMatchObject({
      workflowBundle: { code },
    });
  });

  test("is refused where it was made without Drover's plugin", async () => {
    await writeFile(join(folder, 'own.ts'), 'export async function ownWorkflow() { return "driveRun"; }');
    const { code } = await bundleWorkflowCode({ workflowsPath: join(folder, 'own.ts'), logger });
    expect(await issuesOf(configure({ workflowBundle: { code } }))).toEqual(['workflowBundle']);
    const codePath = join(folder, 'bundle.cjs');
    await writeFile(codePath, code);
    expect(await issuesOf(configure({ workflowBundle: { codePath } }))).toEqual(['workflowBundle']);
  });
});

describe('findPrebuiltBundle', () => {
  test('finds none in a checkout, where the sources may have changed', () => {
    expect(findPrebuiltBundle()).toBeNull();
  });
});
