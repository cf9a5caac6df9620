/** The state on its way into the next execution: each output once, and cut to what Temporal carries. Pure. */
import { LIMITS } from '../contract.ts';
import { warn, type DriveState } from './drive-state.ts';
import type { LedgerEntry } from './effect-ledger.ts';
import { cutOutput } from './fit-round.ts';
import { cutText, jsonBytes, utf8Bytes } from './run-result.ts';

export interface PackedState {
  readonly state: DriveState;
  /** Calls whose output stands in the ledger under their key and is left out here. */
  readonly outputs_in_ledger: readonly number[];
  /** Of a run that ended: another execution begins anew with it. */
  readonly retried?: true;
}

/** What is kept of each output and each call's arguments, less from pass to pass. In bytes. */
const KEPT_BYTES = [64_000, 8_000, 2_000, 200, 0] as const;

const NOTICE = JSON.stringify({
  error: { code: 'output_cut', message: 'This output was too large to keep.' },
});

function shorten(text: string, bytes: number): string {
  return bytes < 2_000 ? NOTICE : cutOutput(text, utf8Bytes(text));
}

/** Cuts what is longer, the oldest first, until it fits. What the model reads of it then says that it was cut. */
function cutTo(packed: PackedState, keptBytes: number, limit: number): void {
  let over = jsonBytes(packed) - limit;
  for (const entry of packed.state.ledger.entries) {
    if (over <= 0) return;
    if (entry.output === null || utf8Bytes(entry.output) <= Math.max(keptBytes, NOTICE.length)) continue;
    const before = jsonBytes(entry.output);
    entry.output = shorten(entry.output, keptBytes);
    over -= before - jsonBytes(entry.output);
  }
  for (const call of packed.state.calls) {
    if (over <= 0) return;
    const size = utf8Bytes(call.output ?? '') + utf8Bytes(call.arguments);
    if (size <= Math.max(keptBytes, NOTICE.length)) continue;
    const before = jsonBytes(call);
    call.truncated = call.truncated ?? size;
    call.arguments = cutText(call.arguments, Math.min(keptBytes, 200));
    call.output = call.output === null ? null : cutText(call.output, Math.min(keptBytes, 200));
    over -= before - jsonBytes(call);
  }
}

/** What saying that records were dropped takes. */
const WARNING_BYTES = 200;

/** Records of the oldest calls go last: their effects stay in the ledger. */
function dropOldestCalls(packed: PackedState, limit: number): PackedState {
  const { state } = packed;
  let over = jsonBytes(packed) - limit;
  if (over <= 0 || state.calls.length === 0) return packed;
  over += WARNING_BYTES;
  let dropped = 0;
  for (const call of state.calls) {
    if (over <= 0) break;
    over -= jsonBytes(call);
    dropped += 1;
  }
  warn(state, 'result_truncated', `The records of the first ${dropped} tool calls were too many to keep.`);
  const outputs_in_ledger = packed.outputs_in_ledger.flatMap((index) =>
    index < dropped ? [] : [index - dropped],
  );
  return { state: { ...state, calls: state.calls.slice(dropped) }, outputs_in_ledger };
}

/** Where a request leaves little room, its state still gets some: without a codec that is carried too. */
const LEAST_STATE_BYTES = 400_000;

/** What the state may take beside the request: Temporal carries both as one input. */
export function stateBytes(requestBytes: number): number {
  return Math.max(LIMITS.continueBytes - requestBytes, LEAST_STATE_BYTES);
}

/** A call meets such an entry as it meets none: it is run. Its output stands with the call's record. */
const answersNothing = ({ reusable, status, handed_in }: LedgerEntry): boolean =>
  reusable === false && status === 'done' && handed_in !== true;

function copyOf(state: DriveState): DriveState {
  const copy = JSON.parse(JSON.stringify(state)) as DriveState;
  const entries = copy.ledger.entries.filter((entry) => !answersNothing(entry));
  return { ...copy, ledger: { ...copy.ledger, entries } };
}

/** @returns null where even the least of it does not fit. */
export function packState(state: DriveState, limit: number): PackedState | null {
  const copy = copyOf(state);
  const outputs = new Map(copy.ledger.entries.map((entry) => [entry.key, entry.output]));
  const inLedger: number[] = [];
  copy.calls.forEach((call, index) => {
    if (call.key === null || call.output === null || outputs.get(call.key) !== call.output) return;
    call.output = null;
    inLedger.push(index);
  });
  const packed = { state: copy, outputs_in_ledger: inLedger };
  for (const kept of KEPT_BYTES) cutTo(packed, kept, limit);
  const least = dropOldestCalls(packed, limit);
  return jsonBytes(least) <= limit ? least : null;
}

export function unpackState({ state, outputs_in_ledger }: PackedState): DriveState {
  const outputs = new Map(state.ledger.entries.map((entry) => [entry.key, entry.output]));
  for (const index of outputs_in_ledger) {
    const call = state.calls[index];
    if (call?.key) call.output = outputs.get(call.key) ?? null;
  }
  return state;
}
