/** Drover in a worker: its workflow, its activities and its tools, beside whatever that worker has. */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  BundleOptions,
  BundlerPlugin,
  ReplayWorkerOptions,
  Worker,
  WorkerOptions,
  WorkerPlugin,
} from '@temporalio/worker';
import { ConfigError } from './config-error.ts';
import type { DroverConfig, LoadedConfig } from './config.ts';
import { NAMES } from './contract.ts';
import type { Issue } from './contract.ts';
import { loadConfig } from './load-config.ts';
import { createSearchAttributeProbe } from './register-search-attributes.ts';
import { JOINED_WORKFLOWS_PATH, WORKFLOWS_PATH } from './workflow-bundle.ts';

type Handler = (...args: unknown[]) => Promise<unknown>;

/** Keys that a model may call as a tool, as opposed to Drover's own dotted ones. */
const DEFAULT_HANDLER = 'default';

/**
 * For `Worker.create({ …, plugins: [droverPlugin(config)] })`: the worker keeps its workflows, activities and
 * `default` handler, and drives runs of its task queue too. Give the same plugin to `bundleWorkflowCode` where
 * the worker takes a bundle. Whatever shuts the worker down, waits are handed back at once.
 *
 * @param config what `defineConfig` was given, or what `loadConfig` returned. Its `taskQueue` and `worker` are
 *   not used here: both are the worker's own.
 * @throws {ConfigError} with every mistake of the configuration; `Worker.create` rejects with one where a tool
 *   has the name of an activity of the worker, which would be run in its place.
 */
export function droverPlugin(config: DroverConfig | LoadedConfig): WorkerPlugin & BundlerPlugin {
  return new DroverPlugin(isLoaded(config) ? config : loadConfig(config));
}

const isLoaded = (config: DroverConfig | LoadedConfig): config is LoadedConfig =>
  config.backends instanceof Map;

class DroverPlugin implements WorkerPlugin, BundlerPlugin {
  readonly name = 'drover';
  readonly #config: LoadedConfig;
  /** The worker's way to find its own signal again: one plugin may serve several workers. */
  readonly #shutdowns = new WeakMap<object, AbortController>();

  constructor(config: LoadedConfig) {
    this.#config = config;
  }

  async configureWorker(options: WorkerOptions): Promise<WorkerOptions> {
    const own = new Map(
      Object.entries(options.activities ?? {}).filter(
        (entry): entry is [string, Handler] => typeof entry[1] === 'function',
      ),
    );
    refuseClashes(this.#config, own);
    await this.#refuseForeignBundle(options);
    const shutdown = new AbortController();
    const activities = await this.#createActivities(options, shutdown.signal);
    const handler = chooseHandler(activities[DEFAULT_HANDLER], own.get(DEFAULT_HANDLER), [...own.keys()]);
    this.#shutdowns.set(handler, shutdown);
    return {
      ...options,
      ...this.#converter(options),
      ...(options.workflowsPath === undefined && options.workflowBundle === undefined
        ? { workflowsPath: WORKFLOWS_PATH }
        : {}),
      activities: { ...Object.fromEntries(own), ...activities, [DEFAULT_HANDLER]: handler },
    };
  }

  configureReplayWorker(options: ReplayWorkerOptions): ReplayWorkerOptions {
    return {
      ...options,
      ...this.#converter(options),
      ...(options.workflowsPath === undefined && options.workflowBundle === undefined
        ? { workflowsPath: WORKFLOWS_PATH }
        : {}),
    };
  }

  configureBundler(options: BundleOptions): BundleOptions {
    const { workflowsPath, webpackConfigHook: before } = options;
    if (workflowsPath === WORKFLOWS_PATH || workflowsPath === JOINED_WORKFLOWS_PATH) return options;
    return {
      ...options,
      workflowsPath: JOINED_WORKFLOWS_PATH,
      webpackConfigHook: (webpack) => {
        const config = before?.(webpack) ?? webpack;
        const aliases = config.resolve?.alias ?? {};
        if (Array.isArray(aliases))
          throw new TypeError('A webpackConfigHook may not turn the aliases into a list.');
        const alias = { ...aliases, 'drover-own-workflows$': workflowsPath };
        // Their path may be a folder, or lack a suffix, as the worker's own bundler allows.
        const lenient = { include: JOINED_WORKFLOWS_PATH, resolve: { fullySpecified: false } };
        return {
          ...config,
          resolve: { ...config.resolve, alias },
          module: { ...config.module, rules: [...(config.module?.rules ?? []), lenient] },
        };
      },
    };
  }

  /** There is no signal that a worker is about to stop, so its `shutdown` is made to raise one first. */
  async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const handler = worker.options.activities.get(DEFAULT_HANDLER);
    const shutdown = handler === undefined ? undefined : this.#shutdowns.get(handler);
    if (shutdown !== undefined) {
      const stop = worker.shutdown.bind(worker);
      worker.shutdown = () => {
        shutdown.abort(new Error('The worker is shutting down.'));
        stop();
      };
    }
    try {
      await next(worker);
    } finally {
      shutdown?.abort(new Error('The worker has stopped.'));
    }
  }

  async #createActivities(
    options: WorkerOptions,
    shutdownSignal: AbortSignal,
  ): Promise<Record<string, Handler>> {
    // Not loaded with the plugin: a service that only imports the plugin's module needs no provider SDK.
    const { createActivities } = await import('./activities/index.ts');
    const { connection, namespace = 'default' } = options;
    const searchAttributesRegistered =
      connection === undefined ? async () => false : createSearchAttributeProbe(connection, namespace);
    return createActivities(this.#config, {
      shutdownSignal,
      searchAttributesRegistered,
    }) as unknown as Record<string, Handler>;
  }

  /** One data converter for worker, client and replay: two different ones are a mistake, not a choice. */
  #converter(options: Pick<WorkerOptions, 'dataConverter'>): Pick<WorkerOptions, 'dataConverter'> {
    const { dataConverter } = this.#config;
    if (dataConverter === undefined || options.dataConverter === dataConverter) return {};
    if (options.dataConverter === undefined) return { dataConverter };
    throw new ConfigError([
      {
        field: 'dataConverter',
        message: "differs from the worker's own: give both the same object, or leave one out",
      },
    ]);
  }

  async #refuseForeignBundle({ workflowBundle }: WorkerOptions): Promise<void> {
    if (workflowBundle === undefined) return;
    const code = 'code' in workflowBundle ? workflowBundle.code : await readText(workflowBundle.codePath);
    // How a bundle lists the exports of a module, minified or not.
    if (new RegExp(String.raw`\b${NAMES.workflow}:\s*(?:\(\)\s*=>|function)`).test(code)) return;
    throw new ConfigError([
      {
        field: 'workflowBundle',
        message: `lacks Drover's workflow ${NAMES.workflow}: give droverPlugin(config) to bundleWorkflowCode too`,
      },
    ]);
  }
}

async function readText(path: string): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  return await readFile(path, 'utf8');
}

/** A registered name wins over the default handler, so a model's call would reach that activity instead of its tool. */
function refuseClashes(config: LoadedConfig, own: ReadonlyMap<string, Handler>): void {
  const tools = config.registry.names().filter((name) => own.has(name) && name !== DEFAULT_HANDLER);
  const issues: Issue[] = tools.map((name) => ({
    field: `tools.${name}`,
    message: 'has the name of an activity of this worker, which would run in its place: rename one of them',
  }));
  if (config.registry.names().includes(DEFAULT_HANDLER)) {
    issues.push({ field: `tools.${DEFAULT_HANDLER}`, message: 'is a name that Temporal keeps for itself' });
  }
  for (const name of Object.values(NAMES.activities)) {
    if (own.has(name))
      issues.push({ field: `activities.${name}`, message: "is the name of one of Drover's own" });
  }
  if (issues.length > 0) throw new ConfigError(issues, { source: 'The worker' });
}

/** Runs of Drover's workflow go to its tools, everything else to where it went before. */
function chooseHandler(
  tools: Handler | undefined,
  own: Handler | undefined,
  names: readonly string[],
): Handler {
  return async (...args) => {
    const { workflowType, activityType } = activityInfo();
    if (workflowType === NAMES.workflow && tools !== undefined) return await tools(...args);
    if (own !== undefined) return await own(...args);
    throw ApplicationFailure.create({
      type: 'NotFoundError',
      message: `Activity function ${activityType} is not registered on this Worker, available activities: ${JSON.stringify(names)}`,
      nonRetryable: false,
    });
  };
}
