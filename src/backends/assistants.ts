/**
 * The Assistants wire: threads, messages, runs. For self-hosted servers, and for Azure AI Foundry Agents
 * (classic) by base URL, query and token provider.
 */
import type { BackendFactory } from '../config.ts';
import { isTerminal } from '../run.ts';
import type { JsonObject } from '../run.ts';
import type { AttemptOutput, AttemptRef, ToolOutput } from '../steps.ts';
import { AssistantsCalls } from './assistants-calls.ts';
import type { RunPlace } from './assistants-calls.ts';
import { bearsKey, chooseRun, findRuns } from './assistants-find.ts';
import { observeRun, readOutput } from './assistants-read.ts';
import { afterSubmit, atLook } from './assistants-rounds.ts';
import { checkRun, createBody, threadBody } from './assistants-request.ts';
import { BackendError, isBackendError, unlessGone } from './backend.ts';
import type { Backend, Created, CreateSpec, Observation, ProbeReport } from './backend.ts';
import { openWire } from './openai-wire.ts';
import type { WireOptions } from './openai-wire.ts';
import { pollObservations } from './poll.ts';
import { ERROR_CODES } from './provider-errors.ts';

export interface AssistantsOptions extends WireOptions {
  /** Merged into the body of every create-run, below what the request says. */
  readonly body?: JsonObject;
  /** The value of `OpenAI-Beta`; null sends none (Azure AI Foundry). @default 'assistants=v2' */
  readonly betaHeader?: string | null;
}

/**
 * A backend on the Assistants wire. Nothing is sent twice by itself: what a lost or refused request may have
 * done all the same is found out by reading, once.
 *
 * @example
 * assistants({ baseURL: 'http://127.0.0.1:8000/v1', apiKey: () => secrets.get('legacy') })
 * @example
 * // Azure AI Foundry Agents, classic
 * assistants({ baseURL: projectEndpoint, query: { 'api-version': 'v1' }, apiKey: entraToken, betaHeader: null })
 */
export function assistants(options: AssistantsOptions = {}): BackendFactory {
  return (name) => {
    const beta = options.betaHeader === undefined ? 'assistants=v2' : options.betaHeader;
    const wire = openWire(name, options, beta === null ? {} : { 'OpenAI-Beta': beta });
    const calls = new AssistantsCalls(name, wire);
    const passThrough = options.body ?? {};
    return {
      name,
      wire: 'assistants',
      capabilities: {
        findByKey: true,
        thread: 'required',
        resume: false,
        ownAssistants: true,
        stored: true,
      },
      check: checkRun,
      createThread: (run, signal) => calls.createThread(run.run_id, threadBody(run), signal),
      create: (spec, signal) => create(name, calls, passThrough, spec, signal),
      observe: (attempt, _run, watch) =>
        pollObservations(
          async () => atLook(await calls.retrieve(attempt, watch.signal), attempt.state),
          watch,
        ),
      submit: async (attempt, outputs, _run, { suspect, signal }) =>
        afterSubmit(await submit(name, calls, attempt, outputs, suspect, signal), attempt.state),
      find: async (run, { thread_id, since_ms }, signal) => {
        if (thread_id === null) return null;
        const found = await adopt(calls, { threadId: thread_id, key: run.key }, since_ms, signal);
        return found?.observation ?? null;
      },
      cancel: (attempt, signal) => cancel(calls, attempt, signal),
      output: (attempt, signal) => output(calls, attempt, signal),
      probe: (signal) => probe(name, calls, signal),
    } satisfies Backend;
  };
}

async function create(
  name: string,
  calls: AssistantsCalls,
  passThrough: JsonObject,
  spec: CreateSpec,
  signal: AbortSignal,
): Promise<Created> {
  const { run, thread_id: threadId, find_since_ms: since } = spec;
  if (threadId === null) {
    throw new BackendError('rejected', `Backend ${name}: run ${run.run_id} has no thread to run on.`);
  }
  const place = { threadId, key: run.key };
  const found = since === null ? null : await adopt(calls, place, since, signal);
  if (found !== null) return found;

  const triedAt = since ?? Date.now();
  let made: Observation;
  try {
    made = await calls.createRun(threadId, run.key, createBody(run, spec.include_input, passThrough), signal);
  } catch (error) {
    if (!isBackendError(error) || signal.aborted) throw error;
    if (error.kind === 'active_run') return await adoptActive(calls, error, place, signal);
    const landed = error.answerLost ? await adopt(calls, place, triedAt, signal).catch(() => null) : null;
    if (landed === null) throw error;
    return landed;
  }
  if (since !== null) {
    // An earlier try may land as late as this. The older of two stays, and ours is cancelled as its twin.
    const older = await adopt(calls, place, since, signal, made.run.id).catch(() => null);
    if (older !== null) return older;
  }
  return { observation: made, adopted: false, resumed: false };
}

interface AttemptPlace {
  readonly threadId: string;
  readonly key: string;
}

/**
 * Takes the oldest run of the thread that bears the key, and cancels the others that do.
 *
 * @param made the run that this call made itself: it is not adopted. Null where no other bears the key.
 */
async function adopt(
  calls: AssistantsCalls,
  place: AttemptPlace,
  sinceMs: number,
  signal: AbortSignal,
  made: string | null = null,
): Promise<Created | null> {
  const { threadId, key } = place;
  const runs = await findRuns(threadId, key, sinceMs, (after) => calls.listRuns(threadId, after, signal));
  const { chosen, twins } = chooseRun(runs);
  for (const twin of twins) {
    await unlessGone(requestCancel(calls, { id: twin.id, thread_id: threadId, key }, signal));
  }
  if (chosen === null || chosen.id === made) return null;
  return { observation: observeRun(chosen, place, null), adopted: true, resumed: false };
}

/** The run that holds the thread is the attempt if it bears the key; else the thread is busy. */
async function adoptActive(
  calls: AssistantsCalls,
  busy: BackendError,
  place: AttemptPlace,
  signal: AbortSignal,
): Promise<Created> {
  const holder = busy.activeRunId;
  if (holder !== null) {
    const run = { id: holder, thread_id: place.threadId, key: place.key };
    const observation = await calls.retrieve(run, signal).catch((error: unknown) => {
      // It is gone by now: the next try finds the thread free.
      if (isBackendError(error) && error.kind === 'not_found') return null;
      throw error;
    });
    if (observation !== null && bearsKey(observation.run, place.key)) {
      return { observation, adopted: true, resumed: false };
    }
  }
  throw new BackendError('thread_busy', busy.message, {
    status: busy.status,
    code: busy.code,
    requestId: busy.requestId,
    retryAfterMs: busy.retryAfterMs,
    activeRunId: holder,
  });
}

type Outputs = ReadonlyMap<string, ToolOutput>;

async function submit(
  name: string,
  calls: AssistantsCalls,
  attempt: RunPlace,
  outputs: readonly ToolOutput[],
  suspect: boolean,
  signal: AbortSignal,
): Promise<Observation> {
  const given: Outputs = new Map(outputs.map((one) => [one.tool_call_id, one]));
  if (!suspect) {
    try {
      return await hand(calls, attempt, given, signal);
    } catch (error) {
      if (!isBackendError(error) || !isMismatch(error)) throw error;
    }
    // Refused as a whole, so nothing was taken: the attempt says which calls it waits for.
  }
  const now = await calls.retrieve(attempt, signal);
  if (!waitsFor(now, given)) return now;
  try {
    return await hand(calls, attempt, pick(name, now, given), signal);
  } catch (error) {
    // An earlier try has landed, and the attempt asks for its next round: what was read here is behind.
    if (suspect && isBackendError(error) && isMismatch(error)) return now;
    throw error;
  }
}

/** Submits once. A refused or lost submit has landed where the attempt no longer waits for these calls. */
async function hand(
  calls: AssistantsCalls,
  attempt: RunPlace,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<Observation> {
  try {
    const after = await calls.submit(attempt, [...outputs.values()], signal);
    // Some servers answer with the run as it was before.
    return waitsFor(after, outputs) ? await calls.retrieve(attempt, signal) : after;
  } catch (error) {
    if (!isBackendError(error) || signal.aborted || isMismatch(error) || !mayHaveLanded(error)) throw error;
    const now = await calls.retrieve(attempt, signal).catch((unread: unknown) => {
      // A refusal may be the echo of a submit that landed, or of an attempt that has ended: only a look tells.
      throw error.retryable ? error : unread;
    });
    // A copy that still shows the calls, where the run has gone on: whoever waits for it looks again.
    if (waitsFor(now, outputs) && error.kind !== 'wrong_status') throw error;
    return now;
  }
}

/** Exactly the outputs that the attempt waits for: surplus ones are dropped, missing ones refused. */
function pick(name: string, now: Observation, given: Outputs): Outputs {
  const exact = now.calls.flatMap((call) => given.get(call.id) ?? []);
  const missing = now.calls.length - exact.length;
  if (missing === 0) return new Map(exact.map((one) => [one.tool_call_id, one]));
  throw new BackendError(
    'rejected',
    `Backend ${name}: run ${now.run.id} waits for ${now.calls.length} calls, and ${missing} of them have no output.`,
    { code: ERROR_CODES.outputMissing },
  );
}

/** True while the attempt still waits for any of these calls: the ids of a later round are new ones. */
const waitsFor = (now: Observation, outputs: Outputs): boolean =>
  now.calls.some((call) => outputs.has(call.id));

/** The provider wants other outputs than it was given. */
const isMismatch = (error: BackendError): boolean =>
  error.code === ERROR_CODES.outputMissing || error.code === ERROR_CODES.outputSurplus;

/** The answer was lost, or it refuses what an earlier try may have done already. */
const mayHaveLanded = (error: BackendError): boolean =>
  error.answerLost || error.kind === 'wrong_status' || error.kind === 'rejected';

async function cancel(calls: AssistantsCalls, attempt: RunPlace, signal: AbortSignal): Promise<Observation> {
  // Read first: some servers turn a completed run into a cancelled one.
  const before = await calls.retrieve(attempt, signal).catch((error: unknown) => {
    if (isBackendError(error) && (error.retryable || error.gone)) return null;
    throw error;
  });
  const status = before?.run.status ?? '';
  if (before !== null && (isTerminal(status) || status === 'cancelling')) return before;
  return await requestCancel(calls, attempt, signal);
}

/** What became of one that failed is found out by reading: only that read tells that the attempt is gone. */
async function requestCancel(
  calls: AssistantsCalls,
  attempt: RunPlace,
  signal: AbortSignal,
): Promise<Observation> {
  try {
    return await calls.cancel(attempt, signal);
  } catch (error) {
    if (!isBackendError(error) || signal.aborted || !error.cancelUnclear) throw error;
    return await calls.retrieve(attempt, signal);
  }
}

async function output(
  calls: AssistantsCalls,
  attempt: AttemptRef,
  signal: AbortSignal,
): Promise<AttemptOutput> {
  return readOutput(await calls.listMessages(attempt, signal), attempt.id);
}

async function probe(name: string, calls: AssistantsCalls, signal: AbortSignal): Promise<ProbeReport> {
  try {
    await calls.listAssistants(signal);
    return { ok: true, message: `Backend ${name} answers and takes the key.` };
  } catch (error) {
    if (!isBackendError(error)) throw error;
    return { ok: false, message: error.message, action: probeAction(error) };
  }
}

function probeAction(error: BackendError): string {
  switch (error.kind) {
    case 'auth':
      return "Check the backend's apiKey.";
    case 'unreachable':
    case 'connection':
    case 'timeout':
      return "Check the backend's baseURL and the network.";
    case 'quota':
      return 'Add credit or raise the quota at the provider.';
    default:
      return "Check the backend's baseURL, query and headers: this wire is the Assistants API (threads and runs).";
  }
}
