/** One Temporal server and one workflow bundle for every integration test of a run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findTemporalCli } from '../../src/dev/find-temporal.ts';
import { startTemporalServer } from '../../src/dev/temporal-server.ts';
import type { TemporalServer } from '../../src/dev/temporal-server.ts';
import { bundleWorkflows } from '../../src/workflow-bundle.ts';

export interface ProvidedTemporal {
  readonly address: string;
  readonly namespace: string;
  /** The CLI that started it, for tests that need a server of their own. */
  readonly cli: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    temporal: ProvidedTemporal;
    /** Path of Drover's workflows, bundled. */
    workflowBundle: string;
  }
}

/** The tests' own server, or the one that `DROVER_TEST_ADDRESS` names: it needs Drover's search attributes. */
async function startServer(cli: string): Promise<Pick<TemporalServer, 'address' | 'namespace' | 'stop'>> {
  const address = process.env['DROVER_TEST_ADDRESS'];
  if (address !== undefined && address !== '') {
    return { address, namespace: 'default', stop: () => Promise.resolve() };
  }
  return await startTemporalServer({ cli, uiPort: null });
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const onProgress = (message: string): void => void process.stderr.write(`${message}\n`);
  const { path: cli } = await findTemporalCli({ onProgress });
  const folder = await mkdtemp(join(tmpdir(), 'drover-test-'));
  const workflowBundle = join(folder, 'workflows.cjs');
  const [server, bundle] = await Promise.all([startServer(cli), bundleWorkflows()]);
  await writeFile(workflowBundle, bundle.code);
  project.provide('temporal', { address: server.address, namespace: server.namespace, cli });
  project.provide('workflowBundle', workflowBundle);
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
