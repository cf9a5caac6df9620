/** Drover's workflow code for a worker: the sources, or the bundle that the build made of them. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** `.ts` in a checkout, `.js` in a build. */
const EXTENSION = extname(fileURLToPath(import.meta.url));

export const WORKFLOWS_PATH = here(`./workflows/index${EXTENSION}`);
/** Drover's workflows and somebody's own. */
export const JOINED_WORKFLOWS_PATH = here(`./joined-workflows${EXTENSION}`);

/** A bundle works only with the SDK that made it, so its version is in the name. */
function bundlePath(): string {
  const { version } = createRequire(import.meta.url)('@temporalio/worker/package.json') as {
    readonly version: string;
  };
  return here(`./workflow-bundle-${version}.cjs`);
}

/** Where the build has put a bundle for the SDK that is installed; null in a checkout. */
export function findPrebuiltBundle(): string | null {
  if (EXTENSION === '.ts') return null;
  const path = bundlePath();
  return existsSync(path) ? path : null;
}

/**
 * The SDK takes a stack for each promise that a workflow makes, some eighty in a run (decision 017): V8 takes none where
 * the limit is no number. Before all else: the worker freezes `Error` once it has loaded the bundle.
 */
const NO_STACKS = 'Error.stackTraceLimit = undefined; ';

/** Bundles Drover's workflows, in one to three seconds. For tests that start many workers, and for the build. */
export async function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const logger = new DefaultLogger('WARN');
  const bundle = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    logger,
    // Evaluated once, and shared by all runs of a worker (decision 028).
    preloadModules: [WORKFLOWS_PATH],
  });
  return { ...bundle, code: NO_STACKS + bundle.code };
}

/**
 * For the build, run from the built files: writes the bundle that {@link findPrebuiltBundle} finds.
 *
 * @returns its path
 */
export async function writePrebuiltBundle(): Promise<string> {
  const { code } = await bundleWorkflows();
  await writeFile(bundlePath(), code);
  return bundlePath();
}
