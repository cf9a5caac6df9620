/** Asks people about a call before it runs, or in its place, and remembers what they said. */
import { isCancellation } from '@temporalio/workflow';
import { DEFAULTS } from '../contract.ts';
import type { Decision, DecisionRecord, WaitKind, WaitingCall } from '../decisions.ts';
import type { PlannedCall, ToolPolicy } from '../steps.ts';
import type { Decided, DriveState } from './drive-state.ts';
import { handIn, settleEntry } from './effect-ledger.ts';
import { confirmOwnTask } from './own-task.ts';
import { publishWaiting } from './publish.ts';
import type { RoundContext, Settled } from './round-context.ts';
import { errorOutput } from './tool-outcome.ts';
import { waitForDecision } from './waiting-room.ts';

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** Waits for people's word on a call; null where none came in time. */
export async function askPeople(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  key: string,
  kind: WaitKind,
): Promise<Decision | null> {
  const { state } = context;
  const limitMs = policy.decision_ms ?? DEFAULTS.decisionSeconds * 1000;
  const nowMs = Date.now();
  const waiting: WaitingCall = {
    key,
    kind,
    name: call.name,
    tool_call_id: call.id,
    arguments: call.arguments,
    arguments_digest: call.arguments_digest,
    attempt: state.number,
    round: state.rounds,
    since: seconds(nowMs),
    until: seconds(nowMs + limitMs),
  };
  const guarded = policy.guarded === true;
  const decision = await waitForDecision(context, { call: waiting, guarded }, limitMs, () =>
    publishWaiting(context),
  );
  if (guarded && decision === null) await confirmOwnTask();
  return decision;
}

export function recordOf(decision: Decision | null, nowMs: number): DecisionRecord {
  return {
    outcome: decision?.outcome ?? 'timed_out',
    by: decision?.by ?? null,
    reason: decision?.reason ?? null,
    at: seconds(nowMs),
  };
}

/**
 * What was said of this call before. An approval is of one effect; a rejection, and nobody's word, are of every equal
 * one: whoever said no to a call is not asked again by a model that insists.
 */
export function knownDecision(
  decisions: readonly Decided[],
  key: string,
  call: PlannedCall,
  kind: WaitKind,
): DecisionRecord | null {
  const found = decisions.find((held) => {
    if (held.arguments_digest !== call.arguments_digest) return false;
    // An approval does not stand for the output of an external tool.
    if (held.outcome === 'approve') return held.key === key && kind !== 'external';
    return held.name === call.name && held.effect_digest === call.effect_digest;
  });
  if (found === undefined) return null;
  const { outcome, by, reason, at } = found;
  return { outcome, by, reason, at };
}

function remember(state: DriveState, call: PlannedCall, key: string, record: DecisionRecord): void {
  const { name, effect_digest, arguments_digest } = call;
  state.decisions ??= [];
  state.decisions.push({ ...record, key, name, effect_digest, arguments_digest });
}

/** What the model reads of a call that nobody allowed. */
export function refusedOutput({ outcome, reason }: DecisionRecord): string {
  if (outcome === 'timed_out') {
    return errorOutput('undecided', 'Nobody decided on this call in time. Nothing was done.');
  }
  const why = reason === null ? '' : ` The reason given: ${reason}`;
  return errorOutput('rejected', `This call was refused. Nothing was done.${why}`);
}

type Word =
  | { readonly kind: 'settled'; readonly settled: Settled }
  /** It may run; `decision` is null where nobody had to be asked. */
  | { readonly kind: 'run'; readonly decision: DecisionRecord | null };

async function hear(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  key: string,
  kind: WaitKind,
): Promise<Word> {
  const { state } = context;
  let record = knownDecision(state.decisions ?? [], key, call, kind);
  if (record === null) {
    const decision = await askPeople(context, call, policy, key, kind);
    record = recordOf(decision, Date.now());
    if (decision?.outcome === 'answer') {
      settleEntry(state.ledger, key, 'done', decision.output);
      handIn(state.ledger, key);
      return {
        kind: 'settled',
        settled: { status: 'completed', output: decision.output, decision: record },
      };
    }
    remember(state, call, key, record);
  }
  if (record.outcome === 'approve') return { kind: 'run', decision: record };
  const output = refusedOutput(record);
  settleEntry(state.ledger, key, 'failed', output);
  const ends = record.outcome === 'timed_out' && policy.on_undecided === 'end';
  return {
    kind: 'settled',
    settled: { status: 'rejected', output, decision: record, ...(ends ? { end: 'undecided' } : {}) },
  };
}

export const waitsOnPeople = ({ needs_approval, policy }: PlannedCall): boolean =>
  needs_approval === true || policy?.external === true;

/**
 * Gets a call the word of people that it needs: their approval, then, for an external tool, its output.
 *
 * @throws CancelledFailure when the run is cancelled; nothing was done
 */
export async function wordOnCall(
  context: RoundContext,
  call: PlannedCall,
  policy: ToolPolicy,
  key: string,
): Promise<Word> {
  try {
    const approved: Word =
      call.needs_approval === true
        ? await hear(context, call, policy, key, call.mcp === true ? 'mcp_approval' : 'approval')
        : { kind: 'run', decision: null };
    if (approved.kind === 'settled' || policy.external !== true) return approved;
    return await hear(context, call, policy, key, 'external');
  } catch (error) {
    if (isCancellation(error)) settleEntry(context.state.ledger, key, 'failed', null);
    throw error;
  }
}
