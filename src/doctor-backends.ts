/** What the doctor finds out about a backend: whether it answers, and whether a run works there. */
import type { Backend, Created, ProbeReport, ResolvedRun } from './backends/backend.ts';
import type { LoadedConfig } from './config.ts';
import { finding, PROBE_MS, words } from './doctor-finding.ts';
import type { Finding } from './doctor-finding.ts';
import { resolveRun } from './resolve-run.ts';
import { isTerminal } from './run.ts';
import type { AttemptRef } from './steps.ts';

/** How long a model may take to answer a word in the foreground: a server may have to load it first. */
const ANSWER_MS = 60_000;

/** Whether it is reachable and takes the key. */
export async function probeBackend(backend: Backend): Promise<Finding> {
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

/** Makes a run, and cancels it where it goes on. The adapter's own create shows whether the server honours background mode. */
export async function tryBackend(backend: Backend, config: LoadedConfig): Promise<Finding> {
  const name = `run at ${backend.name}`;
  const assistant = [...config.assistants].find(
    ([, held]) => (held.backend ?? config.defaultBackend) === backend.name,
  )?.[0];
  if (assistant === undefined) {
    return finding(name, 'warn', 'Not tried: no assistant of the configuration uses this backend.');
  }
  try {
    const run = await pingRun(backend, config, assistant);
    const { observation } = await create(backend, run);
    const { attempt } = observation;
    if (backend.lookActs?.(attempt) === true) {
      return await tryInForeground({ backend, run, attempt, name, assistant });
    }
    const { status } = observation.run;
    if (!isTerminal(status)) await backend.cancel(attempt, AbortSignal.timeout(PROBE_MS));
    if (status === 'failed') return failedAtOnce(name, assistant);
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

const failedAtOnce = (name: string, assistant: string): Finding =>
  finding(
    name,
    'fail',
    `A run of ${assistant} failed at once.`,
    "Check the assistant's model and what the key may use.",
  );

async function pingRun(backend: Backend, config: LoadedConfig, assistant: string): Promise<ResolvedRun> {
  const runId = `doctor-${Date.now()}`;
  const { run } = await resolveRun({
    request: { assistant_id: assistant, backend: backend.name, input: 'ping', tools: [] },
    config,
    runId,
    key: `${runId}/1`,
    overrides: {},
  });
  return run;
}

async function create(backend: Backend, run: ResolvedRun): Promise<Created> {
  const signal = AbortSignal.timeout(PROBE_MS);
  const threadId = (await backend.createThread?.(run, signal)) ?? null;
  return await backend.create(
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
}

interface ForegroundTry {
  readonly backend: Backend;
  readonly run: ResolvedRun;
  readonly attempt: AttemptRef;
  readonly name: string;
  readonly assistant: string;
}

/** Creating has asked nobody yet: the first look makes the call, and takes as long as the answer. */
async function tryInForeground({ backend, run, attempt, name, assistant }: ForegroundTry): Promise<Finding> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  try {
    for await (const { run: seen } of backend.observe(attempt, run, { signal, nextLook: () => 0 })) {
      return seen.status === 'failed'
        ? failedAtOnce(name, assistant)
        : finding(name, 'ok', `A run of ${assistant} was answered in the foreground (${seen.status}).`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return finding(
    name,
    'warn',
    `A run of ${assistant} was not answered within ${ANSWER_MS / 1_000} seconds; the call was given up.`,
    'Try again once the model is loaded.',
  );
}
