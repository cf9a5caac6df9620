/** Decides whether a workflow that holds an id already is the run that somebody asks for. */
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { NAMES } from './contract.ts';
import { checkRunRequest, requestDigest } from './request.ts';

/** The request that an execution was started with, from the history's first event. */
export async function readInput(client: Client, workflowId: string, runId: string): Promise<unknown> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const [input] = await decodeArrayFromPayloads(
    client.options.loadedDataConverter,
    started?.input?.payloads ?? [],
    { type: 'workflow', namespace: client.options.namespace, workflowId },
  );
  return input;
}

/**
 * The digest of the request that the workflow was started with. Other languages and parent workflows
 * write no memo: then it is computed from its input.
 */
export async function digestOf(
  client: Client,
  workflowId: string,
  runId: string,
  memo: Record<string, unknown> | undefined,
): Promise<string | null> {
  const noted = memo?.[NAMES.memo.requestDigest];
  if (typeof noted === 'string') return noted;
  const { request } = checkRunRequest(await readInput(client, workflowId, runId));
  return request === undefined ? null : requestDigest(request);
}

/**
 * - `same`: it is this very run, whoever started it.
 * - `other`: it is a run of another request.
 * - `foreign`: it is no run.
 *
 * `running` says whether it has not closed.
 */
export async function compareHolder(
  client: Client,
  workflowId: string,
  digest: string,
): Promise<{ readonly holder: 'same' | 'other' | 'foreign'; readonly running: boolean }> {
  const { type, runId, memo, status } = await client.workflow.getHandle(workflowId).describe();
  const running = status.name === 'RUNNING';
  if (type !== NAMES.workflow) return { holder: 'foreign', running };
  const isSame = (await digestOf(client, workflowId, runId, memo)) === digest;
  return { holder: isSame ? 'same' : 'other', running };
}
