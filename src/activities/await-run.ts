/** `drover.awaitRun`: looks at the attempt until it needs something or has ended. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { isBackendError } from '../backends/backend.ts';
import type { Backend, BackendError, Observation } from '../backends/backend.ts';
import { LIMITS } from '../contract.ts';
import { isKnownStatus, isTerminal, type WireStatus } from '../run.ts';
import { ACTIVITY_FAILURES } from '../steps.ts';
import type { AttemptOutput, AttemptRef, AwaitRunInput, AwaitRunOutput } from '../steps.ts';
import { planCalls } from '../tools/plan-calls.ts';
import { readEnd } from './attempt-reason.ts';
import { BEAT_MS, startBeat } from './beat.ts';
import { boundOutput } from './bound-answer.ts';
import { costOf } from './price.ts';
import { readStructure } from './read-structured.ts';
import { withoutBulk } from './create-run.ts';
import type { ActivityDeps } from './deps.ts';
import { isUntouchedFirstTry } from './first-try.ts';
import { isHoldOver, nextLookMs, pushedLookMs } from './poll-schedule.ts';
import type { RequestSource } from './request-source.ts';
import { resolveStep, type ResolvedStep } from './resolve-step.ts';
import { asBackendError, backendFailure } from './to-failure.ts';

/** What a look that failed for good on its face waits: somebody may mend the key while the attempt lives on. */
const REFUSED_DELAY_MS = 30_000;
/** How long before its wait an attempt was made at most, as its create's answer came at once. */
const CREATED_BEFORE_MS = 10 * 60_000;

/** A wait that dies harms nothing, and a cancel does not wait for it: it beats half as often as what acts. */
const WAIT_BEAT_MS = 2_000;

/** Past this many calls even their refusals would not fit through Temporal. */
const MOST_CALLS = 4 * LIMITS.callsPerRound;

interface WaitDetails {
  readonly status: WireStatus | null;
  /** Only where a look acts: one is under way, or its answer was lost, and it may have made a response. */
  readonly looking: boolean;
}

type Tell = (details: WaitDetails) => void;

/** Benign: it is no fault to wait. The UI shows when the next look is. */
function waiting(delayMs: number): ApplicationFailure {
  const delay = Math.max(delayMs, 1_000);
  return ApplicationFailure.create({
    type: ACTIVITY_FAILURES.waiting,
    message: `Waiting, next look in ${Math.ceil(delay / 1000)} s.`,
    category: 'BENIGN',
    nextRetryDelay: delay,
  });
}

async function readOutput(backend: Backend, seen: Observation, signal: AbortSignal): Promise<AttemptOutput> {
  if (seen.output !== null) return seen.output;
  const { status } = seen.run;
  if (status === 'completed' || status === 'incomplete') return backend.output(seen.attempt, signal);
  return { text: '', refusal: null, messages: [] };
}

/** Functions that the model may call: those of the request or the assistant, else what the provider's run lists. */
function allowedNames(resolved: ResolvedStep, seen: Observation): ReadonlySet<string> {
  if (resolved.allowed !== null) return resolved.allowed;
  const names = (seen.run.tools ?? []).flatMap((tool) => {
    const named = (tool['function'] as { name?: unknown } | null | undefined)?.name;
    return typeof named === 'string' ? [named] : [];
  });
  return new Set(names);
}

class Waiter {
  readonly #deps: ActivityDeps;
  readonly #input: AwaitRunInput;
  readonly #resolved: ResolvedStep;
  readonly #context = Context.current();
  readonly #lookedBefore: boolean;
  /** The provider tells of changes, and somebody then ends the pause. */
  readonly #isPushed: boolean;
  /** A look is itself a step at the provider, as it is in foreground mode. */
  readonly #looksAct: boolean;
  readonly #statusBefore: WireStatus | null;
  #attempt: AttemptRef;
  #status: WireStatus | null;

  constructor(deps: ActivityDeps, input: AwaitRunInput, resolved: ResolvedStep) {
    this.#deps = deps;
    this.#input = input;
    this.#attempt = input.attempt;
    this.#resolved = resolved;
    this.#isPushed = resolved.backend.webhooks !== undefined;
    const before = this.#context.info.heartbeatDetails as WaitDetails | null | undefined;
    this.#looksAct = resolved.backend.lookActs?.(input.attempt) === true;
    this.#statusBefore = before?.status ?? null;
    this.#status = this.#statusBefore;
    this.#lookedBefore = this.#looksAct && (before?.looking ?? !isUntouchedFirstTry(this.#context.info));
  }

  #details(looking: boolean): WaitDetails {
    return { status: this.#status, looking: this.#looksAct && looking };
  }

  /** The server keeps what the last try told it: telling it the same again at each look would be a third of their cost. */
  #tellBeforeTheEnd(details: WaitDetails): void {
    if (this.#looksAct || details.status !== this.#statusBefore) this.#context.heartbeat(details);
  }

  #waitedMs(): number {
    return Date.now() - this.#context.info.scheduledTimestampMs;
  }

  #nextMs(wishMs: number | null): number {
    const next = this.#isPushed
      ? pushedLookMs(this.#waitedMs(), wishMs, Math.random())
      : nextLookMs(this.#waitedMs(), wishMs, Math.random(), this.#deps.waits.count);
    return Math.max(Math.min(next, this.#input.until_ms - Date.now()), 10);
  }

  async wait(): Promise<AwaitRunOutput> {
    using beat = startBeat<WaitDetails>(this.#details(true), this.#looksAct ? BEAT_MS : WAIT_BEAT_MS);
    // What this look makes, a later one has to know of.
    if (this.#looksAct) this.#context.heartbeat(this.#details(true));
    const signal = AbortSignal.any([this.#context.cancellationSignal, this.#deps.shutdownSignal]);
    const tell: Tell = (details) => {
      beat.details = details;
    };
    try {
      return await this.#look(signal, tell).catch((thrown: unknown) => this.#elsewhere(thrown, signal, tell));
    } catch (thrown) {
      if (thrown instanceof ApplicationFailure) throw thrown;
      if (signal.aborted) throw await this.#stopped();
      const error = asBackendError(thrown);
      this.#tellBeforeTheEnd(this.#details(this.#lookedBefore || error.answerLost));
      return this.#failed(error);
    }
  }

  /** A create that was answered with another run's id: the attempt lives under one of its own, and bears our key. */
  async #elsewhere(thrown: unknown, signal: AbortSignal, tell: Tell): Promise<AwaitRunOutput> {
    const { backend, run } = this.#resolved;
    const { id, thread_id } = this.#attempt;
    const isGone = isBackendError(thrown) && thrown.kind === 'not_found';
    if (!isGone || backend.find === undefined || signal.aborted) throw thrown;
    const since_ms = this.#context.info.scheduledTimestampMs - CREATED_BEFORE_MS;
    const found = await backend.find(run, { thread_id, since_ms }, signal);
    if (found === null || found.attempt.id === id) throw thrown;
    this.#attempt = found.attempt;
    return await this.#look(signal, tell);
  }

  async #look(signal: AbortSignal, tell: Tell): Promise<AwaitRunOutput> {
    const { backend, run } = this.#resolved;
    let nextMs = 0;
    for (;;) {
      const nextLook = (): number => nextMs;
      for await (const seen of backend.observe(this.#attempt, run, { signal, nextLook })) {
        this.#status = seen.run.status;
        const answer = await this.#answer(seen, signal);
        if (answer !== null) return answer;
        nextMs = this.#nextMs(seen.look_after_ms);
        tell(this.#details(false));
        if (this.#isPushed || isHoldOver(this.#waitedMs(), nextMs, this.#deps.holds.count)) {
          this.#tellBeforeTheEnd(this.#details(false));
          throw waiting(nextMs);
        }
      }
      await this.#context.sleep(nextMs);
    }
  }

  async #answer(seen: Observation, signal: AbortSignal): Promise<AwaitRunOutput | null> {
    const { attempt, run, raw_code } = seen;
    const ambiguous = this.#lookedBefore && attempt.id !== this.#attempt.id;
    const usage = run.usage ?? seen.spent ?? null;
    const cost = costOf(this.#deps.config, usage, run.model);
    const spending = {
      ...(run.usage === null && seen.spent !== undefined ? { spent: seen.spent } : {}),
      ...(cost === undefined ? {} : { cost }),
    };
    if (isTerminal(run.status)) {
      const said = await readOutput(this.#resolved.backend, seen, signal);
      const end = readEnd(seen);
      const structure =
        end.reason === 'completed' ? readStructure(this.#resolved.run.response_format, said) : 'none';
      const output = boundOutput(structure === 'fits' ? { ...said, structured: true } : said);
      const reason = structure === 'misfit' ? 'invalid_output' : end.reason;
      return { kind: 'ended', attempt, run, raw_code, ambiguous, output, ...spending, ...end, reason };
    }
    const slim = { attempt, run: withoutBulk(run), raw_code, ambiguous, ...spending };
    if (seen.unsupported_action !== null) {
      return { kind: 'unsupported_action', action: seen.unsupported_action, ...slim };
    }
    if (seen.calls.length > MOST_CALLS) {
      return { kind: 'unsupported_action', action: `${seen.calls.length} tool calls at once`, ...slim };
    }
    if (seen.calls.length > 0) {
      const planned = planCalls({
        calls: seen.calls,
        allowed: allowedNames(this.#resolved, seen),
        registry: this.#deps.config.registry,
        context: this.#resolved.request.context ?? null,
      });
      return { kind: 'requires_action', calls: planned, ...slim };
    }
    if (Date.now() < this.#input.until_ms) return null;
    return { kind: 'deadline', unknown_status: isKnownStatus(run.status) ? null : run.status };
  }

  /**
   * A look failed. The attempt lives on at the provider, so that nothing but its being gone ends the wait early;
   * where the look was to make a step, a refusal ends the run.
   */
  #failed(error: BackendError): AwaitRunOutput {
    const { backend } = this.#resolved;
    if (error.kind === 'not_found') return { kind: 'gone' };
    if (!error.retryable && this.#looksAct) {
      throw backendFailure(error, backend.name, { suspect: false });
    }
    const left = this.#input.until_ms - Date.now();
    if (left <= 0) return { kind: 'deadline', unknown_status: null };
    const wish = error.retryAfterMs ?? (error.retryable ? this.#nextMs(null) : REFUSED_DELAY_MS);
    throw backendFailure(error, backend.name, {
      suspect: false,
      retry: true,
      delayMs: Math.min(wish, left),
    });
  }

  /** Cancelled, paused or reset: Temporal knows what follows. Stopping: the next worker goes on in a second. */
  async #stopped(): Promise<unknown> {
    const why = this.#context.cancellationDetails;
    const stopping = this.#deps.shutdownSignal.aborted || why?.workerShutdown === true;
    if (stopping && why?.cancelRequested !== true) return waiting(1_000);
    if (why?.notFound === true || why?.timedOut === true) await this.#cancelIfClosed();
    return new CancelledFailure('The wait was cancelled.');
  }

  /** A terminated workflow runs no code of its own: whoever still waits for its attempt cancels it. */
  async #cancelIfClosed(): Promise<void> {
    const { client, info } = this.#context;
    const { workflowExecution } = info;
    if (workflowExecution === undefined) return;
    try {
      const handle = client.workflow.getHandle(workflowExecution.workflowId, workflowExecution.runId);
      const { status } = await handle.describe();
      if (status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW') return;
      await this.#resolved.backend.cancel(this.#attempt, AbortSignal.timeout(10_000));
    } catch (error) {
      this.#context.log.warn('could not cancel the attempt of a closed run', {
        runId: this.#input.run_id,
        attemptId: this.#input.attempt.id,
        err: error,
      });
    }
  }
}

export async function awaitRun(
  deps: ActivityDeps,
  requests: RequestSource,
  input: AwaitRunInput,
): Promise<AwaitRunOutput> {
  const resolved = await resolveStep(deps, requests, input, input.attempt.key, true);
  deps.holds.count += 1;
  deps.waits.see(input.attempt.id);
  try {
    const seen = await new Waiter(deps, input, resolved).wait();
    deps.waits.forget(input.attempt.id);
    return seen;
  } finally {
    deps.holds.count -= 1;
  }
}
