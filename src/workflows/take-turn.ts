/** Waits until it is the run's turn on its thread. */
import { CancellationScope, patched, workflowInfo } from '@temporalio/workflow';
import { DEFAULTS, NAMES } from '../contract.ts';
import type { RunRequest } from '../contract.ts';
import type { Place, TakePlaceInput, TurnPolicy, TurnWord } from '../turns.ts';
import type { DriveContext } from './cancel-live.ts';
import { localStep } from './local-step.ts';
import { StepFailed } from './provider-steps.ts';
import { publishPhase } from './publish.ts';
import { until } from './quiet.ts';

/** How long the word is waited for until the run asks again: the queue may have been terminated. */
const FIRST_PATIENCE_MS = 15_000;
const LONGEST_PATIENCE_MS = 10 * 60_000;

/** What the run was told, once it was. */
export interface TurnBox {
  word: TurnWord | null;
  waits: boolean;
}

/** Asks for the run's place. Where that cannot be done, it waits as if it had one, and asks again. */
async function takePlace(
  context: DriveContext,
  policy: TurnPolicy,
  since: Pick<TakePlaceInput, 'since_ms' | 'again'>,
): Promise<Place> {
  const input: TakePlaceInput = {
    thread_id: context.state.thread_id ?? '',
    run_id: context.runId,
    task_queue: workflowInfo().taskQueue,
    policy,
    ...since,
  };
  // Not cancelled: it is short, and a place that nobody takes is found out.
  try {
    return await CancellationScope.nonCancellable(() =>
      localStep<Place>(NAMES.activities.takePlace, [input], {
        startToCloseTimeout: '30 seconds',
        scheduleToCloseTimeout: '1 minute',
        retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
        summary: 'turn',
      }),
    );
  } catch {
    return 'wait';
  }
}

/** Such an id is no thread's, and the server takes no workflow id that is made of it. */
const isThread = (id: unknown): boolean =>
  id === undefined || id === null || (typeof id === 'string' && id.isWellFormed());

/** Nobody may have checked the request yet: where it makes no sense, the first step says so. */
function policyOf({ on_busy_thread: given, thread_id }: RunRequest): TurnPolicy | null {
  const policy: unknown = given ?? 'enqueue';
  const isPolicy = policy === 'enqueue' || policy === 'reject' || policy === 'interrupt';
  return isPolicy && isThread(thread_id) ? policy : null;
}

function patienceMs({ turn_seconds: given }: RunRequest): number {
  return (typeof given === 'number' && given > 0 ? given : DEFAULTS.turnSeconds) * 1000;
}

const refusal = (detail: string): StepFailed => new StepFailed('thread_busy', { detail });

async function awaitWord(box: TurnBox, ask: () => Promise<Place>, untilMs: number): Promise<Place | 'late'> {
  let patience = FIRST_PATIENCE_MS;
  for (;;) {
    const left = untilMs - Date.now();
    if (left <= 0) return 'late';
    if (await until(() => box.word !== null, Math.min(patience, left))) return 'wait';
    patience = Math.min(patience * 2, LONGEST_PATIENCE_MS);
    if (Date.now() < untilMs && (await ask()) === 'given') return 'given';
  }
}

/**
 * @param place what the service was told when it took the run's place; undefined where nobody has taken one
 * @param isFirst whether this execution is the run's first, and none that continues one which had its turn
 * @returns why the run ends without a turn; null once it has one, or needs none
 */
export async function takeTurn(
  context: DriveContext,
  box: TurnBox,
  { place, isFirst }: { readonly place: Place | undefined; readonly isFirst: boolean },
): Promise<StepFailed | null> {
  const { request, state } = context;
  const policy = policyOf(request);
  if (state.thread_id === null || policy === null || place === 'given' || !isFirst) return null;
  // Runs from before there were turns have none.
  if (place === undefined && !patched('turns')) return null;
  const begunMs = Date.now();
  const ask = (again: boolean): Promise<Place> => takePlace(context, policy, { since_ms: begunMs, again });
  if (place === undefined && (await ask(false)) === 'given') return null;
  box.waits = true;
  publishPhase(context, 'waiting for its turn on the thread');
  const got = await awaitWord(box, () => ask(true), begunMs + patienceMs(request));
  box.waits = false;
  if (box.word?.word === 'busy') return refusal(`The run ${box.word.run_id} has the thread.`);
  if (got === 'late') return refusal('Its turn on the thread did not come in time.');
  const waitedMs = Date.now() - begunMs;
  state.deadline_ms += waitedMs;
  state.paused_ms = (state.paused_ms ?? 0) + waitedMs;
  return null;
}
