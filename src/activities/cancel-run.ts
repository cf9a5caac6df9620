/** `drover.cancelRun`: sees to it that nothing lives at the provider, and that the thread can be used again. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { unlessGone } from '../backends/backend.ts';
import type { Backend, Observation, ResolvedRun } from '../backends/backend.ts';
import { isTerminal } from '../run.ts';
import type { AttemptRef, CancelRunInput, CancelRunOutput } from '../steps.ts';
import { startBeat } from './beat.ts';
import type { ActivityDeps } from './deps.ts';
import { CLOCK_SKEW_MS, isLostStepOver, lookUntil } from './lost-step.ts';
import type { RequestSource } from './request-source.ts';
import { costOf } from './price.ts';
import { attemptKey, resolveStep } from './resolve-step.ts';
import { asBackendError, backendFailure, stillListed } from './to-failure.ts';

/** How far back an attempt is looked for that is not there under the id it was known by. */
const A_DAY_MS = 86_400_000;

type Where = CancelRunInput['find'];

interface Found {
  readonly backend: Backend;
  readonly run: ResolvedRun;
  readonly listed: Observation | null;
  /** False where this wire has no way to look for it. */
  readonly searched: boolean;
}

/** The attempt whose create was lost. */
async function findLost(
  deps: ActivityDeps,
  requests: RequestSource,
  input: CancelRunInput,
  where: Where,
  signal: AbortSignal,
): Promise<Found> {
  const { backend, run } = await resolveStep(deps, requests, input, attemptKey(input), true);
  if (where === null || backend.find === undefined) return { backend, run, listed: null, searched: false };
  const { thread_id, since_ms } = where;
  const listed = await backend.find(run, { thread_id, since_ms: since_ms - CLOCK_SKEW_MS }, signal);
  return { backend, run, listed, searched: true };
}

/**
 * A create that nothing finds comes to its end by itself, and is watched until it has; then its thread is left usable. Where
 * it works on, the thread is locked, and refuses that until it has ended.
 */
async function outlast(found: Found, input: CancelRunInput, signal: AbortSignal): Promise<boolean> {
  const { backend, run } = found;
  const thread_id = input.find?.thread_id ?? null;
  if (thread_id === null) return false;
  const lost = { thread_id, call_ids: null, first: input.number === 1 };
  const isOver = await isLostStepOver(backend, run, lost, input.until_ms, signal);
  const nameless: AttemptRef = { id: '', thread_id, key: run.key, provider_ids: [], state: null };
  await backend.releaseThread?.(nameless, signal);
  return isOver;
}

/** A submit that was lost just before the cancel may have the attempt go on: first that comes to its end. */
async function outlastSubmit(
  deps: ActivityDeps,
  requests: RequestSource,
  input: CancelRunInput,
  { thread_id }: AttemptRef,
  signal: AbortSignal,
): Promise<void> {
  // Histories of earlier versions lack the field.
  const call_ids = (input.lost_outputs as CancelRunInput['lost_outputs'] | undefined) ?? [];
  if (thread_id === null || call_ids.length === 0) return;
  const { backend, run } = await resolveStep(deps, requests, input, attemptKey(input), true);
  await isLostStepOver(backend, run, { thread_id, call_ids, first: false }, input.until_ms, signal);
}

/** Asks until it is seen to have ended: a server may lose a cancel, and refuses a second one harmlessly. */
async function cancelUntilEnded(
  backend: Backend,
  attempt: AttemptRef,
  untilMs: number,
  signal: AbortSignal,
): Promise<{ readonly seen: Observation; readonly ended: boolean }> {
  let at = attempt;
  const { seen, over } = await lookUntil(
    untilMs,
    async () => {
      const now = await backend.cancel(at, signal);
      at = now.attempt;
      return now;
    },
    (now) => isTerminal(now.run.status),
  );
  return { seen, ended: over };
}

/** Gone, or never there: a create that was answered with another run's id made one that bears our key. */
async function cancelElsewhere(
  deps: ActivityDeps,
  requests: RequestSource,
  input: CancelRunInput,
  gone: AttemptRef,
  signal: AbortSignal,
): Promise<CancelRunOutput> {
  const where = { thread_id: gone.thread_id, since_ms: Date.now() - A_DAY_MS };
  const { backend, listed } = await findLost(deps, requests, input, where, signal);
  if (listed === null) return { confirmed: true, run: null };
  return await cancelListed(backend, listed, input, signal);
}

/** What a thread lists lives until it is seen to have ended, whatever is said of it under its id. */
async function cancelListed(
  backend: Backend,
  listed: Observation,
  input: CancelRunInput,
  signal: AbortSignal,
): Promise<CancelRunOutput> {
  if (isTerminal(listed.run.status)) return await release(backend, listed, signal);
  const cancelled = await unlessGone(cancelAndRelease(backend, listed.attempt, input, signal));
  if (cancelled === null) throw stillListed(backend, listed.attempt.id);
  return cancelled;
}

/** Any error here is tried again by Temporal until the time is up; then the workflow says `cancel_unconfirmed`. */
export async function cancelRun(
  deps: ActivityDeps,
  requests: RequestSource,
  input: CancelRunInput,
): Promise<CancelRunOutput> {
  using _ = startBeat(null);
  const signal = Context.current().cancellationSignal;
  const known = input.backend === null ? undefined : deps.config.backends.get(input.backend);
  try {
    if (input.attempt === null || known === undefined) {
      const found = await findLost(deps, requests, input, input.find, signal);
      const { backend, listed, searched } = found;
      if (listed !== null) return await cancelListed(backend, listed, input, signal);
      return { confirmed: searched || (await outlast(found, input, signal)), run: null };
    }
    if (input.ended === true) {
      // Another run may have the thread by now.
      await known.releaseThread?.(input.attempt, signal, { ownOnly: true });
      return { confirmed: true, run: null };
    }
    await outlastSubmit(deps, requests, input, input.attempt, signal);
    const cancelled =
      (await unlessGone(cancelAndRelease(known, input.attempt, input, signal))) ??
      (await cancelElsewhere(deps, requests, input, input.attempt, signal));
    const cost = costOf(deps.config, cancelled.run?.usage ?? null, cancelled.run?.model ?? null);
    const priced = cost === undefined ? cancelled : { ...cancelled, cost };
    return await withKnownSecrets(priced, () => resolveStep(deps, requests, input, '', true));
  } catch (thrown) {
    if (thrown instanceof ApplicationFailure) throw thrown;
    const error = asBackendError(thrown);
    if (error.gone) return { confirmed: true, run: null };
    throw backendFailure(error, known?.name ?? input.backend ?? 'unknown', { suspect: false, retry: true });
  }
}

/**
 * A provider shows its own tools as it was given them. Resolving the request again tells what in them is secret;
 * where that fails they are left out.
 */
async function withKnownSecrets(
  cancelled: CancelRunOutput,
  resolve: () => Promise<unknown>,
): Promise<CancelRunOutput> {
  const { run } = cancelled;
  if (run === null || (run.tools ?? []).every(({ type }) => type === 'function')) return cancelled;
  const resolved = await resolve().catch(() => null);
  return resolved === null ? { ...cancelled, run: { ...run, tools: null } } : cancelled;
}

async function cancelAndRelease(
  backend: Backend,
  attempt: AttemptRef,
  input: CancelRunInput,
  signal: AbortSignal,
): Promise<CancelRunOutput> {
  const { seen, ended } = await cancelUntilEnded(backend, attempt, input.until_ms, signal);
  return ended ? await release(backend, seen, signal) : { confirmed: false, run: seen.run };
}

async function release(
  backend: Backend,
  { attempt, run }: Observation,
  signal: AbortSignal,
): Promise<CancelRunOutput> {
  await backend.releaseThread?.(attempt, signal);
  return { confirmed: true, run };
}
