/** What a watcher of a run is told. Names and ids, never prompts, arguments or outputs, but for what a backend streams. */
import type { AttemptReason } from './contract.ts';
import type { DecisionOutcome, WaitKind } from './decisions.ts';
import type { WireStatus } from './run.ts';

/** What the model has said so far, as a wait's heartbeats show it: the end of it, where it is long. */
export interface Said {
  /** Of the attempt. */
  readonly id: string;
  /** How many characters came before `text`. */
  readonly from: number;
  readonly text: string;
}

interface Happening {
  /** Where the event stands in the run: give it to `watch` as `after` to go on from there. */
  readonly offset: string;
  /** When Temporal recorded it, in epoch milliseconds. */
  readonly at_ms: number;
}

interface OfAttempt {
  /** From 1. */
  readonly attempt: number;
  /** The provider's id; on the Responses wire, the id of the chain's last response. */
  readonly attempt_id: string;
}

interface OfCall {
  readonly attempt: number;
  readonly tool_call_id: string;
  readonly name: string;
}

export type RunEvent = Happening &
  (
    | { readonly type: 'started' }
    /** Another run has its thread. */
    | { readonly type: 'turn_awaited' }
    | { readonly type: 'turn_given' }
    | ({
        readonly type: 'attempt_created';
        readonly thread_id: string | null;
        readonly status: WireStatus;
        /** The create's answer was lost and its run was found again. */
        readonly adopted: boolean;
      } & OfAttempt)
    /**
     * What the provider says of the attempt. Between two steps it is read from the worker's heartbeats: such an event
     * has the offset of the one before it, and may be told again after a disconnect.
     */
    | ({ readonly type: 'status_changed'; readonly status: WireStatus } & OfAttempt)
    /**
     * What the model said next, where the backend streams. `from` is how many characters of the same `attempt_id` came
     * before: no character is told twice. After a gap, the characters in between were not told.
     */
    | ({ readonly type: 'text_delta'; readonly from: number; readonly text: string } & OfAttempt)
    /** Handed to a worker. Told again where it has to be handed to another one. */
    | ({ readonly type: 'tool_started' } & OfCall)
    /** `lost`: nobody knows whether it acted; a lookup, or the tool's `onUnknown`, follows. */
    | ({
        readonly type: 'tool_finished';
        readonly outcome: 'completed' | 'failed' | 'cancelled' | 'lost';
      } & OfCall)
    /** Calls wait on people: `waiting()` has them. Needs the search attribute `DroverWaiting`. */
    | { readonly type: 'people_awaited'; readonly kind: WaitKind }
    /** No call does any more. */
    | { readonly type: 'people_answered' }
    | {
        readonly type: 'call_decided';
        readonly key: string;
        readonly outcome: DecisionOutcome;
        readonly by: string | null;
      }
    | ({ readonly type: 'outputs_submitted' } & OfAttempt)
    /** Why: `completed`, or what made it be lost, given up or cancelled. Another attempt may follow. */
    | ({
        readonly type: 'attempt_ended';
        readonly status: WireStatus | null;
        readonly reason: AttemptReason;
      } & OfAttempt)
    | { readonly type: 'cancel_requested' }
    /** Somebody reset the run in Temporal: it goes on from an earlier point, and what it does there again is told again. */
    | { readonly type: 'reset' }
    /** The last one. `code` is null for a completed run, and for one whose workflow was ended from outside. */
    | { readonly type: 'ended'; readonly workflow_status: string; readonly code: string | null }
  );

export type RunEventType = RunEvent['type'];
