/** Asks an execution of a run what of it may live at the provider. */
import type { Client } from '@temporalio/client';
import { NAMES } from './contract.ts';
import type { AttemptRef } from './steps.ts';

/** What the query `attempt` answers; null where nothing may live. */
export type Live = { readonly backend: string | null; readonly attempt: AttemptRef } | null;

/** How long its workers may take to answer. */
const QUERY_MS = 15_000;

/**
 * @param runId of the execution. @default the latest
 * @throws Temporal's errors where no worker answers in 15 seconds
 */
export function askAttempt(client: Client, workflowId: string, runId?: string): Promise<Live> {
  const handle = client.workflow.getHandle(workflowId, runId);
  return client.withDeadline(Date.now() + QUERY_MS, () => handle.query<Live>(NAMES.queries.attempt));
}
