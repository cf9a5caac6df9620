/** Runs one round of tool calls: what the ledger holds is answered from it, the rest is dispatched in parallel. */
import { CancellationScope, isCancellation, patched } from '@temporalio/workflow';
import { LIMITS, type ToolCallResult } from '../contract.ts';
import type { PlannedCall, ToolOutput, ToolPolicy } from '../steps.ts';
import { waitsOnPeople, wordOnCall } from './ask-people.ts';
import { divergentOutput, matchCall, openEntry, settleEntry, UNKNOWN_OUTPUT } from './effect-ledger.ts';
import { fitRound } from './fit-round.ts';
import { confirmNews, confirmOwnTask } from './own-task.ts';
import type { RoundContext, Settled } from './round-context.ts';
import { runCall } from './run-call.ts';
import { createSlots } from './slots.ts';
import { errorOutput } from './tool-outcome.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CallRecord = Mutable<ToolCallResult>;

export type RoundEnd =
  | { readonly kind: 'outputs'; readonly outputs: readonly ToolOutput[] }
  /** An effect's outcome is unknown, or nobody decided on a call, and the run is to end for it. */
  | { readonly kind: 'effect_unknown' | 'undecided' };

function newRecord(context: RoundContext, call: PlannedCall): CallRecord {
  return {
    id: call.id,
    attempt: context.state.number,
    round: context.state.rounds,
    name: call.name,
    arguments: call.arguments,
    output: null,
    status: 'pending',
    key: null,
    reused: false,
    divergent: false,
    started_at: null,
    duration_ms: null,
  };
}

interface Dispatch {
  readonly call: PlannedCall;
  readonly record: CallRecord;
  readonly key: string;
  readonly policy: ToolPolicy;
}

type End = Settled['end'];

async function uncancelled(wait: Promise<void>): Promise<void> {
  try {
    await wait;
  } catch (error) {
    if (!isCancellation(error)) throw error;
  }
}

function settleRecord(record: CallRecord, { status, output, decision, end }: Settled): End {
  record.status = status;
  record.output = output;
  if (decision !== undefined) record.decision = decision;
  return end;
}

/** @param followed whether another call's end let it begin */
async function runDispatch(
  context: RoundContext,
  { call, record, key, policy }: Dispatch,
  followed: boolean,
): Promise<End> {
  // A cancel meanwhile is seen by the next line.
  if (followed) await uncancelled(confirmNews(context));
  if (CancellationScope.current().consideredCancelled || context.room.closed) {
    settleEntry(context.state.ledger, key, 'failed', null);
    record.status = 'cancelled';
    return undefined;
  }
  const startMs = Date.now();
  record.started_at = Math.floor(startMs / 1000);
  try {
    return settleRecord(record, await runCall(context, call, policy, key));
  } catch (error) {
    if (!isCancellation(error)) throw error;
    // It was cancelled between two dispatches: nothing was done.
    settleEntry(context.state.ledger, key, 'failed', null);
    record.status = 'cancelled';
    return undefined;
  } finally {
    record.duration_ms = Date.now() - startMs;
  }
}

/** Like {@link runDispatch}, once people have had their word on it. */
async function askAndRun(
  context: RoundContext,
  dispatch: Dispatch,
  run: (dispatch: Dispatch) => Promise<End>,
): Promise<End> {
  const { call, record, key, policy } = dispatch;
  try {
    const word = await wordOnCall(context, call, policy, key);
    if (word.kind === 'settled') return settleRecord(record, word.settled);
    if (word.decision !== null) record.decision = word.decision;
    if (call.mcp === true) {
      // The provider runs it, now that it may.
      settleEntry(context.state.ledger, key, 'done', APPROVED);
      record.status = 'completed';
      record.output = APPROVED;
      return undefined;
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    record.status = 'cancelled';
    return undefined;
  }
  return run(dispatch);
}

const APPROVED = JSON.stringify({ approved: true });

const approvalOf = (record: CallRecord | undefined): NonNullable<ToolOutput['approval']> => ({
  approve: record?.status === 'completed',
  reason: record?.decision?.reason ?? null,
});

/** At most so many activities at once: the server sticks at 2,000 pending ones. */
async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  run: (item: T, isFirst: boolean) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    let isFirst = true;
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      await run(item, isFirst);
      isFirst = false;
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
}

/** Calls that wait on people hold no slot: all of a round can be asked about at once. */
async function runAll(context: RoundContext, dispatches: readonly Dispatch[]): Promise<End> {
  const { room } = context;
  room.closed = false;
  const ends: End[] = [];
  /** An end that is certain does not wait for what has not begun: people may take a week. */
  const note = (end: End): void => {
    ends.push(end);
    const areOthers = dispatches.some(({ record }) => record.status === 'pending');
    if (end !== undefined && areOthers && !room.closed && patched('end-closes-round')) room.closed = true;
  };
  const asked = dispatches.filter(({ call }) => waitsOnPeople(call));
  const others = inLanes(
    dispatches.filter((dispatch) => !asked.includes(dispatch)),
    LIMITS.callsInFlight,
    async (dispatch, isFirst) => {
      note(await runDispatch(context, dispatch, !isFirst));
    },
  );
  if (asked.length === 0) await others;
  else {
    if (asked.some(({ policy }) => policy.guarded === true)) {
      // A cancel meanwhile ends the asking of each.
      await uncancelled(confirmOwnTask());
    }
    const inSlot = createSlots(LIMITS.callsInFlight);
    const run = (dispatch: Dispatch): Promise<End> =>
      inSlot((waited) => runDispatch(context, dispatch, waited));
    await Promise.all(asked.map(async (dispatch) => note(await askAndRun(context, dispatch, run))));
    await others;
  }
  return ends.find((end) => end === 'effect_unknown') ?? ends.find((end) => end !== undefined);
}

/**
 * Answers every call of a round. Returns when each has an outcome: nothing is created, submitted or
 * continued as new while a call is in flight.
 */
export async function runRound(context: RoundContext, calls: readonly PlannedCall[]): Promise<RoundEnd> {
  const { state } = context;
  state.rounds += 1;
  const dispatches: Dispatch[] = [];
  const joins: { record: CallRecord; key: string; divergent: boolean }[] = [];
  for (const call of calls) {
    const record = newRecord(context, call);
    state.calls.push(record);
    const { policy, refusal } = call;
    if (refusal !== null || policy === null) {
      record.status = refusal?.status ?? 'unknown_tool';
      record.output = refusal?.output ?? errorOutput('unknown_tool', 'There is no such tool.');
      continue;
    }
    const match = matchCall(state.ledger, call, context.firstExecutionRunId, () => patched('equal-effects'));
    record.key = match.key;
    switch (match.action) {
      case 'run':
        openEntry(state.ledger, match.key, call);
        dispatches.push({ call, record, key: match.key, policy });
        break;
      case 'join':
        joins.push({ record, key: match.key, divergent: match.divergent });
        break;
      case 'reuse':
        record.status = 'completed';
        record.reused = true;
        record.divergent = match.divergent;
        record.output = match.divergent ? divergentOutput(match.output) : match.output;
        break;
      case 'blocked':
        record.status = 'unknown_outcome';
        record.output = match.output ?? UNKNOWN_OUTPUT;
        break;
    }
  }
  const records = state.calls.slice(state.calls.length - calls.length);

  const end = await runAll(context, dispatches);
  for (const { record, key, divergent } of joins) {
    const first = dispatches.find((dispatch) => dispatch.key === key)?.record;
    record.status = first?.status ?? 'failed';
    record.reused = first?.status === 'completed';
    record.divergent = divergent;
    record.output =
      divergent && first?.status === 'completed'
        ? divergentOutput(first.output ?? '')
        : (first?.output ?? null);
  }
  if (end !== undefined) return { kind: end };

  const fitted = fitRound(
    records.map(({ id, output }) => ({
      tool_call_id: id,
      output: output ?? errorOutput('cancelled', 'This call was cancelled.'),
    })),
  );
  for (const record of records) {
    const size = fitted.cut.get(record.id);
    if (size !== undefined) record.truncated = size;
  }
  const mcp = new Map(calls.flatMap((call, index) => (call.mcp === true ? [[call.id, records[index]]] : [])));
  const outputs = fitted.outputs.map((output) =>
    mcp.has(output.tool_call_id) ? { ...output, approval: approvalOf(mcp.get(output.tool_call_id)) } : output,
  );
  return { kind: 'outputs', outputs };
}
