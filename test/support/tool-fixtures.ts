/** Inputs of tool activities, and failures read back from them. */
import { ApplicationFailure } from '@temporalio/common';
import type { ToolFailureDetails, ToolInput } from '../../src/steps.ts';

/** The input of a call as the workflow sends it. */
export function toolInput(name: string, changes: Partial<ToolInput> = {}): ToolInput {
  return {
    run_id: 'run-1',
    thread_id: null,
    assistant_id: 'support',
    attempt: 1,
    attempt_id: 'resp_1',
    tool_call_id: 'call_1',
    name,
    arguments: '{"order_id":"1042"}',
    context: { tenant_id: 'acme' },
    effect: 'idempotent',
    idempotency_key: 'first-run/refund/digest/1',
    ...changes,
  };
}

export interface ReadFailure {
  readonly type: string | null | undefined;
  readonly message: string;
  readonly nonRetryable: boolean | null | undefined;
  readonly details: ToolFailureDetails | undefined;
}

/** The failure that a promise ends with; throws where it ends well or with another error. */
export async function failureOf(promise: Promise<unknown>): Promise<ReadFailure> {
  const error = await promise.then(
    (value) => new Error(`it gave ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  const [details] = (error.details ?? []) as ToolFailureDetails[];
  return { type: error.type, message: error.message, nonRetryable: error.nonRetryable, details };
}
