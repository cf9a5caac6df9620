/** `drover.awaitRun`: looks at the attempt until it needs something or has ended. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { isBackendError, unlessGone } from '../backends/backend.ts';
import type { BackendError, Observation } from '../backends/backend.ts';
import { isTerminal } from '../run.ts';
import type { WireStatus } from '../run.ts';
import { ACTIVITY_FAILURES } from '../steps.ts';
import type { Said } from '../run-events.ts';
import type { AttemptRef, AwaitRunInput, AwaitRunOutput } from '../steps.ts';
import { BEAT_MS, startBeat } from './beat.ts';
import { cancelOrphan } from './cancel-orphan.ts';
import type { ActivityDeps } from './deps.ts';
import { Listener } from './listen.ts';
import type { Listened } from './listen.ts';
import { isUntouchedFirstTry } from './first-try.ts';
import { isCrowded, isHoldOver, nextLookMs, pushedLookMs } from './poll-schedule.ts';
import type { RequestSource } from './request-source.ts';
import { resolveStep, type ResolvedStep } from './resolve-step.ts';
import { asBackendError, backendFailure, MISSED_DELAY_MS, stillListed } from './to-failure.ts';
import { readAnswer } from './wait-answer.ts';

/** What a look that failed for good on its face waits: somebody may mend the key while the attempt lives on. */
const REFUSED_DELAY_MS = 30_000;
/** How long before its wait an attempt was made at most, as its create's answer came at once. */
const CREATED_BEFORE_MS = 10 * 60_000;

/** A wait that dies harms nothing, and a cancel does not wait for it: it beats half as often as what acts. */
const WAIT_BEAT_MS = 2_000;

/** Of a timer of Node's. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface WaitDetails {
  readonly status: WireStatus | null;
  /** Only where a look acts: one is under way, or its answer was lost, and it may have made a response. */
  readonly looking: boolean;
  /** The end of what the model has said so far, where somebody listens. */
  readonly said?: Said;
  /** Nothing can be listened to: the next try need not find it out again. */
  readonly deaf?: true;
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
  readonly #listener: Listener;
  readonly #wasDeaf: boolean;
  #attempt: AttemptRef;
  #status: WireStatus | null;
  /** The last look did not find it. */
  #missed = false;
  #tell: Tell = () => undefined;

  constructor(deps: ActivityDeps, input: AwaitRunInput, resolved: ResolvedStep) {
    this.#deps = deps;
    this.#input = input;
    this.#attempt = input.attempt;
    this.#resolved = resolved;
    this.#isPushed = resolved.backend.webhooks !== undefined;
    const before = this.#context.info.heartbeatDetails as WaitDetails | null | undefined;
    this.#looksAct = resolved.backend.lookActs?.(input.attempt) === true;
    this.#wasDeaf = before?.deaf === true;
    this.#listener = new Listener(resolved.backend, this.#wasDeaf, () => {
      const details = this.#details(false);
      this.#tell(details);
      this.#context.heartbeat(details);
    });
    this.#statusBefore = before?.status ?? null;
    this.#status = this.#statusBefore;
    this.#lookedBefore = this.#looksAct && (before?.looking ?? !isUntouchedFirstTry(this.#context.info));
  }

  #details(looking: boolean): WaitDetails {
    const { said, isDeaf } = this.#listener;
    return {
      status: this.#status,
      looking: this.#looksAct && looking,
      ...(said === null ? {} : { said }),
      ...(isDeaf ? { deaf: true as const } : {}),
    };
  }

  /** The server keeps what the last try told it: telling it the same again at each look would be a third of their cost. */
  #tellBeforeTheEnd(details: WaitDetails): void {
    const isNews = details.status !== this.#statusBefore || (details.deaf === true && !this.#wasDeaf);
    if (this.#looksAct || isNews) this.#context.heartbeat(details);
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
    this.#tell = (details) => {
      beat.details = details;
    };
    try {
      return await this.#lookTwice(signal);
    } catch (thrown) {
      if (thrown instanceof ApplicationFailure) throw thrown;
      if (signal.aborted) throw await this.#stopped();
      const error = asBackendError(thrown);
      this.#tellBeforeTheEnd(this.#details(this.#lookedBefore || error.answerLost));
      return this.#failed(error);
    }
  }

  /** One 404 is not believed: an attempt that lives on unwatched is paid for, and holds its thread. */
  async #lookTwice(signal: AbortSignal): Promise<AwaitRunOutput> {
    for (;;) {
      try {
        return await this.#look(signal);
      } catch (thrown) {
        if (!isBackendError(thrown) || !this.#isGone(thrown) || signal.aborted) throw thrown;
        const { id } = this.#attempt;
        const answer = await this.#lookAtThread(signal);
        if (answer !== null) return answer;
        if (this.#missed) throw thrown;
        this.#missed = true;
        if (this.#attempt.id === id) await this.#context.sleep(MISSED_DELAY_MS);
      }
    }
  }

  /** Where a look is to make a step, a thread that is not known refuses the step. */
  #isGone(error: BackendError): boolean {
    return error.kind === 'not_found' || (error.gone && !this.#looksAct);
  }

  /**
   * What the thread lists under our key: a create that was answered with another run's id made one under an id of its own.
   *
   * @returns the answer of an attempt that has ended; null where there is yet to look
   */
  async #lookAtThread(signal: AbortSignal): Promise<AwaitRunOutput | null> {
    const { backend, run } = this.#resolved;
    const { id, thread_id } = this.#attempt;
    if (backend.find === undefined) return null;
    const since_ms = this.#context.info.scheduledTimestampMs - CREATED_BEFORE_MS;
    const listed = await unlessGone(backend.find(run, { thread_id, since_ms }, signal));
    if (listed === null) return null;
    if (listed.attempt.id === id) {
      if (isTerminal(listed.run.status)) return await this.#read(listed, signal);
      throw stillListed(backend, id);
    }
    this.#attempt = listed.attempt;
    return null;
  }

  #read(seen: Observation, signal: AbortSignal): Promise<AwaitRunOutput | null> {
    return readAnswer(seen, {
      deps: this.#deps,
      input: this.#input,
      resolved: this.#resolved,
      ambiguous: this.#lookedBefore && seen.attempt.id !== this.#attempt.id,
      signal,
      waitedMs: this.#waitedMs(),
    });
  }

  async #look(signal: AbortSignal): Promise<AwaitRunOutput> {
    const { backend, run } = this.#resolved;
    let nextMs = 0;
    for (;;) {
      const nextLook = (): number => nextMs;
      for await (const seen of backend.observe(this.#attempt, run, { signal, nextLook })) {
        this.#status = seen.run.status;
        const answer = await this.#read(seen, signal);
        this.#missed = false;
        if (answer !== null) return answer;
        nextMs = this.#nextMs(seen.look_after_ms);
        this.#tell(this.#details(false));
        const listened = await this.#listen(signal);
        if (listened === 'news') nextMs = 0;
        if (listened !== 'deaf') continue;
        if (this.#isPushed || isHoldOver(this.#waitedMs(), nextMs, this.#deps.holds.count)) {
          this.#tellBeforeTheEnd(this.#details(false));
          throw waiting(nextMs);
        }
      }
      await this.#context.sleep(nextMs);
    }
  }

  /** A wait that listens keeps its slot, whatever it takes: where a worker has too many of them, they look. */
  async #listen(signal: AbortSignal): Promise<Listened> {
    if (isCrowded(this.#deps.holds.count)) return 'deaf';
    const leftMs = Math.min(Math.max(this.#input.until_ms - Date.now(), 0), LONGEST_TIMER_MS);
    return await this.#listener.listen(this.#attempt, signal, AbortSignal.timeout(leftMs));
  }

  /**
   * A look failed. The attempt lives on at the provider, so that nothing but its being gone ends the wait early;
   * where the look was to make a step, a refusal ends the run.
   */
  #failed(error: BackendError): AwaitRunOutput {
    const { backend } = this.#resolved;
    if (this.#isGone(error)) return { kind: 'gone' };
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
    if (why?.notFound === true || why?.timedOut === true)
      await cancelOrphan(this.#context, this.#resolved.backend, this.#attempt);
    return new CancelledFailure('The wait was cancelled.');
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
