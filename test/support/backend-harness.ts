/** What the conformance suite needs to know of a backend under test, and how it drives one. */
import type { Backend, Created, CreateSpec, Observation, ResolvedRun } from '../../src/backends/backend.ts';
import { isBackendError } from '../../src/backends/backend.ts';
import type { BackendError } from '../../src/backends/backend.ts';
import { METADATA_KEYS } from '../../src/contract.ts';
import type { Emulator, FaultMatch, Quirk, Script, Step } from '../../src/emulator/index.ts';
import { isTerminal } from '../../src/run.ts';
import type { AttemptRef, ToolOutput } from '../../src/steps.ts';

/** The model that the scripts of the suite are played by. */
export const MODEL = 'conformance';

/** How the requests of this wire look to a fault. A wire may have one request for two of them. */
export interface WireRequests {
  readonly create: FaultMatch;
  readonly submit: FaultMatch;
  readonly read: FaultMatch;
  readonly cancel: FaultMatch;
}

/** What the emulator's journal says, in the port's terms. Never taken from the backend. */
export interface WireView {
  /** Ids of the attempts that were started at the provider under this key, whatever became of them. */
  attempts(key: string): readonly string[];
  /** Ids of provider-side objects that have not ended. */
  live(): readonly string[];
  /** The tool outputs of each submit that the provider took, in order. */
  submits(): readonly (readonly ToolOutput[])[];
  /** How often a user message with this very text stands in what the model of this attempt sees. */
  countInput(attempt: AttemptRef, text: string): Promise<number>;
  /** The fields of the request that created the attempt, under the names of {@link ResolvedRun}. */
  sent(key: string): Readonly<Record<string, unknown>>;
}

/** A field of a run that this wire shows otherwise than it was asked for, or not at all. */
export interface FieldException {
  /** Where it is not seen: on its way in, in the run read back, or in both. */
  readonly missing: 'sent' | 'read_back' | 'both';
  readonly reason: string;
}

export interface Harness {
  readonly backend: Backend;
  readonly emulator: Emulator;
  readonly requests: WireRequests;
  readonly view: WireView;
  readonly exceptions: Readonly<Partial<Record<keyof ResolvedRun, FieldException>>>;
  /** A run for an assistant whose model is {@link MODEL}. */
  resolve(given: Partial<ResolvedRun> & { readonly key: string }): ResolvedRun;
  /** A thread that does not exist, with an id of the right shape. */
  readonly unknownThread: string;
  /** An attempt that does not exist. */
  readonly unknownAttempt: AttemptRef;
  close(): Promise<void>;
}

export interface Setup {
  readonly quirks?: readonly Quirk[];
  readonly queuedMs?: number;
  readonly cancelMs?: number;
  readonly expiresAfterMs?: number;
}

/** Never fires: the test's own time limit ends what hangs. */
export const NEVER: AbortSignal = new AbortController().signal;

export const TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
} as const;

export const metadataOf = (key: string): Readonly<Record<string, string>> => ({
  [METADATA_KEYS.run]: 'run-1',
  [METADATA_KEYS.key]: key,
});

/** One attempt after another, each with its steps; the last repeats. */
export const script = (...attempts: readonly (readonly Step[])[]): Script => ({
  attempts: attempts.map((steps) => ({ steps })),
});

/** Two calls, then an answer built from both outputs. */
export const TWO_CALLS: readonly Step[] = [
  {
    call: [
      { name: 'get_weather', arguments: { city: 'Oslo' } },
      { name: 'get_weather', arguments: { city: 'Rome' } },
    ],
  },
  { answer: 'Weather: {{outputs}}' },
];

export function play(harness: Harness, ...attempts: readonly (readonly Step[])[]): void {
  harness.emulator.setScript(MODEL, script(...attempts));
}

export interface CreateWish {
  readonly key?: string;
  readonly thread?: string | null;
  readonly input?: boolean;
  readonly since?: number | null;
  readonly run?: Partial<ResolvedRun>;
}

/** A create as the worker asks for it, thread first where the wire wants one. */
export async function specFor(harness: Harness, wish: CreateWish = {}): Promise<CreateSpec> {
  const run = harness.resolve({ key: wish.key ?? 'first/1', ...wish.run });
  const thread = wish.thread ?? (await harness.backend.createThread?.(run, NEVER)) ?? null;
  return {
    run,
    thread_id: thread,
    include_input: wish.input ?? true,
    find_since_ms: wish.since ?? null,
    previous: null,
    resume_outputs: [],
  };
}

export interface Started {
  readonly spec: CreateSpec;
  readonly created: Created;
  readonly attempt: AttemptRef;
}

export async function start(harness: Harness, wish: CreateWish = {}): Promise<Started> {
  const spec = await specFor(harness, wish);
  const created = await harness.backend.create(spec, NEVER);
  return { spec, created, attempt: created.observation.attempt };
}

/** Watches until the attempt ends or waits, or `until` says so. */
export async function watch(
  harness: Harness,
  started: Pick<Started, 'spec' | 'attempt'>,
  until: (seen: Observation) => boolean = () => false,
): Promise<Observation> {
  const options = { signal: NEVER, nextLook: () => 10 };
  let last: Observation | null = null;
  for await (const seen of harness.backend.observe(started.attempt, started.spec.run, options)) {
    last = seen;
    if (until(seen)) break;
  }
  if (last === null) throw new Error('Observing an attempt gave nothing.');
  return last;
}

/** Creates and watches to the end, or to the first round of calls. */
export async function startAndWatch(
  harness: Harness,
  wish: CreateWish = {},
): Promise<Started & { readonly seen: Observation }> {
  const started = await start(harness, wish);
  const seen = await watch(harness, started);
  return { ...started, attempt: seen.attempt, seen };
}

export const outputsFor = (seen: Observation): readonly ToolOutput[] =>
  seen.calls.map((call, index) => ({ tool_call_id: call.id, output: `output ${index}` }));

/** The error of a promise that has to fail with one of the port. */
export async function errorOf(promise: Promise<unknown>): Promise<BackendError> {
  try {
    await promise;
  } catch (error) {
    if (isBackendError(error)) return error;
    throw error;
  }
  throw new Error('It was expected to fail, and did not.');
}

export const hasEnded = (seen: Observation): boolean => isTerminal(seen.run.status);
