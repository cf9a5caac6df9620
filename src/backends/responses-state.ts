/** What an attempt on this wire carries from call to call, as small JSON in `AttemptRef.state`. Pure. */
import type { Json, JsonObject } from '../run.ts';
import type { AttemptRef, ToolOutput } from '../steps.ts';
import { BackendError } from './backend.ts';
import { isObject } from './responses-wire.ts';
import type { ChainUsage } from './responses-wire.ts';

/** The last response of the chain, as it was seen last. */
export interface LastSeen {
  readonly status: string;
  /** The run object's code of a failure. */
  readonly error_code: string | null;
  readonly usage: ChainUsage | null;
  /** Ids of the calls that wait for outputs. */
  readonly calls: readonly string[];
}

/** A step that is prepared and not made. */
export type PendingStep =
  | {
      readonly kind: 'first';
      /** Outputs of the round that the attempt before failed to take. */
      readonly outputs: readonly ToolOutput[];
      readonly resumes: boolean;
      /** The run's first attempt: what follows its input in a conversation is this step's own. */
      readonly fresh: boolean;
    }
  | { readonly kind: 'outputs'; readonly outputs: readonly ToolOutput[] };

/** See the file's head. Every field has a default in {@link EMPTY_STATE}. */
export interface ChainState {
  readonly assistant_id: string | null;
  /** Of the first response, in unix seconds. */
  readonly created_at: number | null;
  /** When the chain was first seen in progress. */
  readonly started_at: number | null;
  /** When the end was first seen. */
  readonly ended_at: number | null;
  /** Tokens of all responses before the last one. */
  readonly used: ChainUsage | null;
  /** Tokens of the attempt that this one goes on from: they count against the budgets, not into the usage. */
  readonly inherited: ChainUsage | null;
  readonly budget: { readonly completion: number | null; readonly prompt: number | null };
  readonly last: LastSeen | null;
  /** Call ids that the last step answered. */
  readonly sent: readonly string[];
  /** As the first response said it: later steps may have to say another. */
  readonly tool_choice: Json;
  /** Item of the conversation after which this run begins; '' where it was empty, null where none is known. */
  readonly anchor: string | null;
  /**
   * The newest item when the last step was planned, where an earlier try at that step may have ended after it; ''
   * where there was none, null where there is nothing to judge.
   */
  readonly unsure_after: string | null;
  /** The response that the last step went on from: a failed step is repeated after it. */
  readonly after: string | null;
  /** Foreground: the step that the next look makes. */
  readonly pending: PendingStep | null;
  /** Without a store: what follows the input, reasoning included. */
  readonly items: readonly JsonObject[];
  /** The last response itself, where it cannot be read again or came finished with the POST's answer. */
  readonly answer: JsonObject | null;
  /** Ended by Drover between two responses, so that no object at the provider says it. */
  readonly ended: 'cancelled' | 'max_completion_tokens' | 'max_prompt_tokens' | null;
}

/** The state crosses Temporal with every step. In UTF-8 bytes of its JSON. */
export const MAX_STATE_BYTES = 1_000_000;
/** A finished answer larger than this is read again instead of carried. */
export const MAX_ANSWER_BYTES = 128 * 1024;

/** The state of an attempt of which nothing is known. */
export const EMPTY_STATE: ChainState = {
  assistant_id: null,
  created_at: null,
  started_at: null,
  ended_at: null,
  used: null,
  inherited: null,
  budget: { completion: null, prompt: null },
  last: null,
  sent: [],
  tool_choice: null,
  anchor: null,
  unsure_after: null,
  after: null,
  pending: null,
  items: [],
  answer: null,
  ended: null,
};

/** The state of an attempt; one that carries none, as a sweep's, has the empty state. */
export function readState(attempt: AttemptRef): ChainState {
  return isObject(attempt.state)
    ? { ...EMPTY_STATE, ...(attempt.state as unknown as Partial<ChainState>) }
    : EMPTY_STATE;
}

/** Of its JSON, in UTF-8 bytes. */
export const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

/**
 * The attempt with this state; fields at their default are left out.
 *
 * @throws BackendError `rejected` where the state is over {@link MAX_STATE_BYTES}.
 */
export function withState(attempt: AttemptRef, state: ChainState): AttemptRef {
  const kept = Object.fromEntries(
    Object.entries(state).filter(
      ([key, held]) => JSON.stringify(held) !== JSON.stringify(EMPTY_STATE[key as keyof ChainState]),
    ),
  );
  const size = sizeOf(kept);
  if (size > MAX_STATE_BYTES) {
    throw new BackendError(
      'rejected',
      `Attempt ${attempt.id} would carry ${size} bytes, over the limit of ${MAX_STATE_BYTES}: without a store ` +
        `every step goes through Temporal. Use a backend with \`store: true\`, or smaller tool outputs.`,
      { code: 'state_too_large' },
    );
  }
  return { ...attempt, state: kept };
}
