/** One try of a step that acts: the same for creating and submitting, local or plain. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { guardActs } from '../backends/act-guard.ts';
import { BackendError } from '../backends/backend.ts';
import { ACTIVITY_FAILURES, type CreateRunInput, type NotOurs, type TryAgain } from '../steps.ts';
import { startBeat } from './beat.ts';
import { confirmCurrent } from './current-try.ts';
import { standingOf, markActing, type ActingMark } from './suspicion.ts';
import { asBackendError, backendFailure } from './to-failure.ts';

/** First wait before another try where the provider says none, in milliseconds. */
export const AGAIN_MS = 1_000;

/**
 * Before the activity's own end, or half of its time where that is short: what the server gives up by itself ends the run,
 * and a provider that hangs is tried again.
 */
const SPARE_MS = 10_000;

export interface Acting<T> {
  readonly backend: string;
  readonly told: Pick<CreateRunInput, 'suspect' | 'events' | 'not_before_ms' | 'deadline_ms'>;
  /** Acts at the provider. Not aborted by a cancel: what it made has to be known to be cancelled. */
  act(suspect: boolean, signal: AbortSignal): Promise<T>;
  /** Where an error is an answer after all. */
  readError?(error: BackendError): T | null;
}

const hung = (backend: string): BackendError =>
  new BackendError('timeout', `Backend ${backend}: the step had no answer in the time that it has.`);

function waitFailure(delayMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: ACTIVITY_FAILURES.waiting,
    message: `Waiting, as the provider asked for ${Math.ceil(delayMs / 1000)} s.`,
    category: 'BENIGN',
    nextRetryDelay: Math.max(delayMs, 1_000),
  });
}

/**
 * @returns what `act` gave, or for a local activity `again` where it did not work this time
 * @throws ApplicationFailure `drover.backend`: for good (the next try would come after the run's deadline, too), or
 *   (plain activity) retryable with the provider's delay
 */
export async function actAtProvider<T>(acting: Acting<T>): Promise<T | TryAgain | NotOurs> {
  const { info } = Context.current();
  const { told } = acting;
  const early = told.not_before_ms - Date.now();
  if (!info.isLocal && info.attempt === 1 && early > 0) {
    using beat = startBeat<ActingMark>({ clean: !told.suspect });
    await beat.record(beat.details);
    throw waitFailure(early);
  }
  // From before its standing is read: a process that is stopped right after that acts on what is no longer so.
  return await guardActs(() => tryOnce(acting));
}

async function tryOnce<T>(acting: Acting<T>): Promise<T | TryAgain | NotOurs> {
  const { info } = Context.current();
  const { told, backend } = acting;
  const { turn, suspect } = await standingOf(told);
  if (turn === 'not_ours') return { kind: 'not_ours' };
  if (turn === 'unknown') return { kind: 'again', suspect, not_before_ms: 0 };
  // Never clean before the refusal: a beat that comes to the server late would wipe the mark that follows it.
  using beat = startBeat<ActingMark>({ clean: false });
  if (!(await markActing(beat))) throw waitFailure(AGAIN_MS);
  await confirmCurrent(Context.current());
  const whole = info.startToCloseTimeoutMs;
  const signal = AbortSignal.timeout(Math.max(whole - SPARE_MS, whole / 2));
  try {
    return await acting.act(suspect, signal);
  } catch (thrown) {
    const error = signal.aborted ? hung(backend) : asBackendError(thrown);
    const answer = acting.readError?.(error) ?? null;
    if (answer !== null) return answer;
    const lost = suspect || error.answerLost;
    if (!lost) await beat.record({ clean: true });
    const nextMs = Date.now() + (error.retryAfterMs ?? AGAIN_MS);
    const retry = error.retryable && nextMs < told.deadline_ms;
    if (!info.isLocal || !retry) throw backendFailure(error, backend, { suspect: lost, retry });
    return { kind: 'again', suspect: lost, not_before_ms: nextMs };
  }
}
