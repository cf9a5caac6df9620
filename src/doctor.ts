/** Looks at everything that a run needs, and says what is wrong and what to do. */
import type { Client } from '@temporalio/client';
import { loadConfigFile } from './config-file.ts';
import type { LoadedConfig } from './config.ts';
import { explainRefusal, unreachable } from './connect-error.ts';
import { connectClient, readConnectionSettings } from './connection.ts';
import type { ConnectionSettings } from './connection.ts';
import { probeBackend, tryBackend } from './doctor-backends.ts';
import { finding, PROBE_MS, words } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { environmentError, surveyEnvironment } from './env.ts';
import { describeIssue } from './errors.ts';
import type { Issue } from './contract.ts';
import { checkSearchAttributes, registerSearchAttributes } from './register-search-attributes.ts';
import type { SearchAttributeReport } from './register-search-attributes.ts';

export type { Finding };

export interface DoctorOptions {
  readonly configPath?: string | undefined;
  readonly profile?: string | undefined;
  readonly taskQueue?: string | undefined;
  /** Registers the search attributes that are missing. @default false */
  readonly fix?: boolean;
  /**
   * Creates one run at each backend and cancels it: shows that background mode works, and costs tokens. In the foreground
   * it is answered. @default false
   */
  readonly tryRuns?: boolean;
}

/** One finding for each issue of an error that carries some, else one for the error. */
function failures(name: string, error: unknown, action: string): readonly Finding[] {
  const { issues } = (error ?? {}) as { readonly issues?: readonly Issue[] };
  if (!Array.isArray(issues)) return [finding(name, 'fail', words(error), action)];
  return (issues as readonly Issue[]).map((issue) => finding(name, 'fail', describeIssue(issue), action));
}

async function* checkTemporal(
  settings: ConnectionSettings,
  config: LoadedConfig | null,
  options: DoctorOptions,
): AsyncIterableIterator<Finding> {
  const { namespace } = settings;
  let client: Client;
  try {
    client = await connectClient(settings, { dataConverter: config?.dataConverter });
  } catch (error) {
    yield explainConnection(error, settings);
    return;
  }
  try {
    const there = await checkNamespace(client, settings);
    yield there;
    if (there.state === 'fail') return;
    yield await checkAttributes(client, namespace, options.fix === true);
    yield await checkPollers(client, namespace, options.taskQueue ?? config?.taskQueue ?? 'drover');
  } finally {
    await client.connection.close();
  }
}

/** Why nothing came of a connection, or of a look at the namespace. */
function explainConnection(error: unknown, settings: ConnectionSettings): Finding {
  const { what, todo } = explainRefusal(error, settings) ?? unreachable(error, settings);
  return finding('temporal', 'fail', what, todo);
}

async function checkNamespace(client: Client, settings: ConnectionSettings): Promise<Finding> {
  const { address, namespace } = settings;
  try {
    await client.withDeadline(Date.now() + PROBE_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return finding('temporal', 'ok', `Temporal at ${address} answers for the namespace ${namespace}.`);
  } catch (error) {
    return explainConnection(error, settings);
  }
}

interface Operator {
  readonly operatorService: Parameters<typeof checkSearchAttributes>[0]['operatorService'];
}

async function checkAttributes(client: Client, namespace: string, fix: boolean): Promise<Finding> {
  const name = 'search attributes';
  const connection = client.connection as unknown as Operator;
  let report: SearchAttributeReport;
  try {
    report = await (fix ? registerSearchAttributes : checkSearchAttributes)(connection, namespace);
  } catch (error) {
    const what = fix ? 'could not be registered' : 'could not be looked at';
    return finding(
      name,
      'warn',
      `They ${what}: ${words(error)}`,
      'Ask whoever runs the namespace; runs work without them, but cannot be found by status or thread.',
    );
  }
  if (report.registered) return finding(name, 'ok', 'All are registered.');
  const list = (held: SearchAttributeReport['missing']): string =>
    held.map((one) => `${one.name} (${one.type})`).join(', ');
  if (report.mistyped.length > 0) {
    return finding(
      name,
      'warn',
      `Of another type than Drover's: ${list(report.mistyped)}.`,
      'Remove them with `temporal operator search-attribute remove`, then run `drover doctor --fix`.',
    );
  }
  return finding(name, 'warn', `Missing: ${list(report.missing)}.`, 'Run `drover doctor --fix`.');
}

async function checkPollers(client: Client, namespace: string, taskQueue: string): Promise<Finding> {
  const name = 'worker';
  try {
    const { pollers } = await client.withDeadline(Date.now() + PROBE_MS, () =>
      client.workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: taskQueue },
      }),
    );
    const count = pollers?.length ?? 0;
    if (count > 0) return finding(name, 'ok', `Workers listen on the task queue ${taskQueue}.`);
    return finding(
      name,
      'warn',
      `No worker listens on the task queue ${taskQueue}.`,
      'Start one with `drover worker`; runs that are started meanwhile wait for it.',
    );
  } catch (error) {
    return finding(name, 'warn', `The task queue ${taskQueue} could not be looked at: ${words(error)}`);
  }
}

function describeConfig(config: LoadedConfig, path: string): readonly Finding[] {
  const tools = config.registry.names();
  const counts = `${config.backends.size} backend(s), ${config.assistants.size} assistant(s)`;
  return [
    finding('configuration', 'ok', `${path}: ${counts}.`),
    tools.length > 0
      ? finding('tools', 'ok', `${tools.length} valid: ${tools.join(', ')}.`)
      : finding('tools', 'warn', 'None is registered.', 'Add what defineTool({…}) returns to `tools`.'),
  ];
}

/** Everything there is to say, as it is found out. Never throws for what it looks at. */
export async function* examine(options: DoctorOptions = {}): AsyncIterableIterator<Finding> {
  let { configPath, taskQueue } = options;
  const { environment, issues } = surveyEnvironment();
  configPath ??= environment.configPath;
  taskQueue ??= environment.taskQueue;
  for (const variable of environment.unknown) {
    yield finding('environment', 'warn', `${variable} is no variable of Drover's.`, 'Is it misspelt?');
  }
  if (issues.length > 0) yield* failures('environment', environmentError(issues), 'Mend the variable.');
  let config: LoadedConfig | null = null;
  try {
    const file = await loadConfigFile({ path: configPath });
    config = file.config;
    yield* describeConfig(config, file.path);
  } catch (error) {
    yield* failures('configuration', error, 'Mend the configuration file.');
  }
  try {
    const settings = readConnectionSettings(
      options.profile === undefined ? {} : { profile: options.profile },
    );
    yield* checkTemporal(settings, config, { ...options, taskQueue });
  } catch (error) {
    yield* failures('temporal', error, 'Mend the connection profile.');
  }
  if (config === null) return;
  for (const backend of config.backends.values()) {
    const probed = await probeBackend(backend);
    yield probed;
    if (options.tryRuns === true && probed.state === 'ok') yield await tryBackend(backend, config);
  }
}
