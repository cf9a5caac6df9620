/** The effect ledger: what a run remembers of the effects its tools had. Plain data and pure decisions. */
import type { PlannedCall } from '../steps.ts';

export interface LedgerEntry {
  /** `<first execution run id>/<tool>/<digest>/<ordinal>`: the `idempotencyKey` that the handler is given. */
  readonly key: string;
  readonly name: string;
  readonly arguments_digest: string;
  /** Its tool may act once only: what is not known to be undone counts as done or unknown. */
  readonly once: boolean;
  /**
   * `done`: the effect stands and its output is known. `failed`: nothing was done, or the tool may repeat it.
   * `unknown`: it may have acted. `in_flight`: an activity runs for it.
   */
  status: 'in_flight' | 'done' | 'failed' | 'unknown';
  /** What the model was told; null while in flight. */
  output: string | null;
  /** People gave the output: they are not asked for it again, whatever the tool's class. */
  handed_in?: true;
  /** Nothing is answered from it once it is done: its tool has no effect, and its output may not be reused. */
  reusable?: false;
}

export interface LedgerState {
  readonly entries: LedgerEntry[];
  /** How often each digest was asked for in the attempt that is under way. */
  readonly seen: Record<string, number>;
}

export const emptyLedger = (): LedgerState => ({ entries: [], seen: {} });

/** A new attempt asks everything anew: its equal calls are counted from zero and meet the entries there are. */
export function beginAttempt(ledger: LedgerState): LedgerState {
  return { entries: ledger.entries, seen: {} };
}

export type Match =
  /** Nothing stands against it: dispatch under this key. */
  | { readonly action: 'run'; readonly key: string }
  /** The effect stands: answer with its output. */
  | { readonly action: 'reuse'; readonly key: string; readonly output: string; readonly divergent: boolean }
  /** An equal call of this round is in flight: answer with what becomes of it. */
  | { readonly action: 'join'; readonly key: string; readonly divergent: boolean }
  /** An equal effect has an unknown outcome: nothing equal may run. */
  | { readonly action: 'blocked'; readonly key: string; readonly output: string | null };

/** What the call that stands under this key means for one that asks for it again. */
function matchEntry(ledger: LedgerState, call: PlannedCall, key: string): Match {
  const { policy } = call;
  const entry = ledger.entries.find((known) => known.key === key);
  if (entry === undefined || entry.status === 'failed') return { action: 'run', key };
  const divergent = entry.arguments_digest !== call.arguments_digest;
  switch (entry.status) {
    case 'in_flight':
      return { action: 'join', key, divergent };
    case 'unknown':
      return { action: 'blocked', key, output: entry.output };
    case 'done':
      if (policy?.effect === 'none' && !policy.reuse && entry.handed_in !== true)
        return { action: 'run', key };
      return { action: 'reuse', key, output: entry.output ?? '', divergent };
  }
}

/** An effect that stands in the way of an equal one: nobody knows of it, or it failed and is asked for again. */
function standing(ledger: LedgerState, identity: string, asked: number): Match | null {
  const equal = ledger.entries.filter(({ key }) => key.slice(0, key.lastIndexOf('/')) === identity);
  const unknown = equal.find(({ status }) => status === 'unknown');
  if (unknown !== undefined) return { action: 'blocked', key: unknown.key, output: unknown.output };
  const failed = equal.find(
    ({ key, status }) => status === 'failed' && Number(key.slice(identity.length + 1)) < asked,
  );
  return failed === undefined ? null : { action: 'run', key: failed.key };
}

/**
 * What to do about a call, and the key under which it stands. Counts the call: ask once for each.
 *
 * Equal calls of one attempt are told apart by an ordinal, so that a re-created attempt that asks in
 * another order or for fewer still meets the entries of the first. A `once` tool that names its effect
 * by `effectKey` has no ordinal: however often the model asks, the effect is one.
 *
 * A model that asks again for what failed wants the same effect, not a second one: it gets the same key, by which what it
 * goes to can tell, and a re-created attempt that asks once meets what came of it. Nothing runs beside an equal effect
 * that nobody knows the outcome of.
 *
 * @param sees whether the run is one for which this last paragraph holds; asked where it makes a difference
 */
export function matchCall(
  ledger: LedgerState,
  call: PlannedCall,
  firstExecutionRunId: string,
  sees: () => boolean = () => true,
): Match {
  const { policy } = call;
  const identity = `${firstExecutionRunId}/${call.name}/${call.effect_digest}`;
  const asked = ledger.seen[identity] ?? 0;
  const single = policy?.effect === 'once' && policy.keyed;
  const match = matchEntry(ledger, call, `${identity}/${single ? 0 : asked}`);
  const other = match.action === 'run' && !single ? standing(ledger, identity, asked) : null;
  if (other !== null && sees()) return other;
  ledger.seen[identity] = asked + 1;
  return match;
}

/** Writes down that an activity is about to run for this key. */
export function openEntry(ledger: LedgerState, key: string, call: PlannedCall): void {
  const entry: LedgerEntry = {
    key,
    name: call.name,
    arguments_digest: call.arguments_digest,
    once: call.policy?.effect === 'once',
    status: 'in_flight',
    output: null,
    ...(call.policy?.effect === 'none' && !call.policy.reuse ? { reusable: false } : {}),
  };
  const at = ledger.entries.findIndex((known) => known.key === key);
  if (at === -1) ledger.entries.push(entry);
  else ledger.entries[at] = entry;
}

/** Writes down what became of it. */
export function settleEntry(
  ledger: LedgerState,
  key: string,
  status: LedgerEntry['status'],
  output: string | null,
): void {
  const entry = ledger.entries.find((known) => known.key === key);
  if (entry === undefined) return;
  entry.status = status;
  entry.output = output;
}

/** What an effect counts as whose activity nobody waits for any more. */
export const lostStatus = ({ once }: LedgerEntry): LedgerEntry['status'] => (once ? 'unknown' : 'failed');

/** Writes down that people gave its output. */
export function handIn(ledger: LedgerState, key: string): void {
  const entry = ledger.entries.find((known) => known.key === key);
  if (entry !== undefined) entry.handed_in = true;
}

export function unknownEntries(ledger: LedgerState): readonly LedgerEntry[] {
  return ledger.entries.filter((entry) => entry.status === 'unknown');
}

/** What the model reads where an effect was made before with other arguments. */
export function divergentOutput(earlier: string): string {
  return JSON.stringify({
    notice: 'This was done before, in this run, with other arguments. Nothing was done now.',
    earlier_output: earlier,
  });
}

/** What the model reads where nobody knows whether the tool acted. */
export const UNKNOWN_OUTPUT = JSON.stringify({
  error: {
    code: 'unknown_outcome',
    message: 'It is not known whether this was done. Do not repeat it; say so in your answer.',
  },
});
