/** The person of the demo: shows the command that approves a call, and approves it where nobody else does. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunHandle } from '../client.ts';
import type { WaitingCall } from '../decisions.ts';
import { isDecisionRefusedError } from '../errors.ts';

const LOOK_MS = 250;

/** An approval that counted. */
export interface Approval {
  readonly runId: string;
  /** A moment, in epoch milliseconds, before which nobody had approved. */
  readonly at: number;
}

export interface ApproveOptions {
  /** How long somebody else has. */
  readonly patienceMs: number;
  readonly waits: (call: WaitingCall) => void;
  readonly approved: (call: WaitingCall, by: 'hand' | 'demo') => void;
  readonly signal: AbortSignal;
}

const firstWaiting = async (run: RunHandle): Promise<WaitingCall | null | undefined> => {
  try {
    return (await run.waiting())[0] ?? null;
  } catch {
    // No worker has answered: nothing is known.
    return undefined;
  }
};

async function untilItWaits(run: RunHandle, signal: AbortSignal): Promise<WaitingCall | null> {
  while (!signal.aborted) {
    const call = await firstWaiting(run);
    if (call !== null && call !== undefined) return call;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

/** Null where the demo ended before. */
export async function approveInTime(run: RunHandle, options: ApproveOptions): Promise<Approval | null> {
  const { patienceMs, waits, approved, signal } = options;
  const call = await untilItWaits(run, signal);
  if (call === null) return null;
  waits(call);
  const until = Date.now() + patienceMs;
  let waitedAt = Date.now();
  while (!signal.aborted && Date.now() < until) {
    const looked = Date.now();
    const waiting = await firstWaiting(run);
    if (waiting === null) {
      approved(call, 'hand');
      return { runId: run.id, at: waitedAt };
    }
    if (waiting !== undefined) waitedAt = looked;
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  if (signal.aborted) return null;
  const at = Date.now();
  try {
    await run.approve(call, { by: 'demo', reason: 'nobody else did' });
    approved(call, 'demo');
    return { runId: run.id, at };
  } catch (error) {
    if (!isDecisionRefusedError(error)) throw error;
    approved(call, 'hand');
    return { runId: run.id, at: waitedAt };
  }
}
