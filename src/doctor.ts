/** Looks at everything that a run needs, and says what is wrong and what to do. */
import type { Client } from '@temporalio/client';
import type { Backend, ProbeReport } from './backends/backend.ts';
import { loadConfigFile } from './config-file.ts';
import type { LoadedConfig } from './config.ts';
import { explainRefusal, unreachable } from './connect-error.ts';
import { connectClient, readConnectionSettings } from './connection.ts';
import type { ConnectionSettings } from './connection.ts';
import { readEnvironment } from './env.ts';
import { describeIssue } from './errors.ts';
import type { Issue } from './contract.ts';
import { checkSearchAttributes, registerSearchAttributes } from './register-search-attributes.ts';
import type { SearchAttributeReport } from './register-search-attributes.ts';
import { resolveRun } from './resolve-run.ts';
import { isTerminal } from './run.ts';

export interface Finding {
  readonly name: string;
  /** `warn`: runs work, but something is missing or could not be found out. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** What to do about it; null where nothing is. */
  readonly action: string | null;
}

export interface DoctorOptions {
  readonly configPath?: string | undefined;
  readonly profile?: string | undefined;
  readonly taskQueue?: string | undefined;
  /** Registers the search attributes that are missing. @default false */
  readonly fix?: boolean;
  /** Creates one run at each backend and cancels it: shows that background mode works, and costs tokens. @default false */
  readonly tryRuns?: boolean;
}

const PROBE_MS = 20_000;

const finding = (
  name: string,
  state: Finding['state'],
  message: string,
  action: string | null = null,
): Finding => ({ name, state, message, action });

const words = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';

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

async function probeBackend(backend: Backend): Promise<Finding> {
  const name = `backend ${backend.name}`;
  let report: ProbeReport;
  try {
    report = await backend.probe(AbortSignal.timeout(PROBE_MS));
  } catch (error) {
    report = {
      ok: false,
      message: `It did not answer in time: ${words(error)}`,
      action: 'Check its `baseURL` and the network.',
    };
  }
  return finding(name, report.ok ? 'ok' : 'fail', report.message, report.action ?? null);
}

/** Creates a run and cancels it. The adapter's own create shows whether the server honours background mode. */
async function tryBackend(backend: Backend, config: LoadedConfig): Promise<Finding> {
  const name = `run at ${backend.name}`;
  const assistant = [...config.assistants].find(
    ([, held]) => (held.backend ?? config.defaultBackend) === backend.name,
  )?.[0];
  if (assistant === undefined) {
    return finding(name, 'warn', 'Not tried: no assistant of the configuration uses this backend.');
  }
  const signal = AbortSignal.timeout(PROBE_MS);
  const runId = `doctor-${Date.now()}`;
  try {
    const { run } = await resolveRun({
      request: { assistant_id: assistant, backend: backend.name, input: 'ping', tools: [] },
      config,
      runId,
      key: `${runId}/1`,
      overrides: {},
    });
    const threadId = (await backend.createThread?.(run, signal)) ?? null;
    const { observation } = await backend.create(
      {
        run,
        thread_id: threadId,
        include_input: true,
        find_since_ms: null,
        previous: null,
        resume_outputs: [],
      },
      signal,
    );
    const { status } = observation.run;
    if (!isTerminal(status)) await backend.cancel(observation.attempt, signal);
    if (status === 'failed') {
      const action = "Check the assistant's model and what the key may use.";
      return finding(name, 'fail', `A run of ${assistant} failed at once.`, action);
    }
    return isTerminal(status)
      ? finding(
          name,
          'warn',
          `A run of ${assistant} was over at once (${status}): the server answers before it returns.`,
          "Set `mode: 'foreground'`: this server seems to have no background mode.",
        )
      : finding(name, 'ok', `A run of ${assistant} goes on in the background (${status}); it was cancelled.`);
  } catch (error) {
    return finding(
      name,
      'fail',
      words(error),
      'Read what the backend says; its assistant or model may be wrong.',
    );
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
  try {
    const environment = readEnvironment();
    configPath ??= environment.configPath;
    taskQueue ??= environment.taskQueue;
    for (const variable of environment.unknown) {
      yield finding('environment', 'warn', `${variable} is no variable of Drover's.`, 'Is it misspelt?');
    }
  } catch (error) {
    yield* failures('environment', error, 'Mend the variable.');
  }
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
