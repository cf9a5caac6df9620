/**
 * The run's request, for activities that are not handed it: it may hold 100 KB of instructions, and stands
 * once in the history, in the workflow's first event.
 */
import { Context } from '@temporalio/activity';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { LRUCache } from 'lru-cache';
import type { RunRequest } from '../contract.ts';

/** In memory, as JSON: a few thousand usual requests, or some dozens of the largest ones. */
const KEPT_BYTES = 64 * 1024 * 1024;

export class RequestSource {
  readonly #held = new LRUCache<string, RunRequest>({
    maxSize: KEPT_BYTES,
    sizeCalculation: (request) => Math.max(JSON.stringify(request).length, 1),
  });

  /** Keeps a request that a local activity was handed, for the activities that follow in this worker. */
  keep(request: RunRequest): void {
    const key = executionKey();
    if (!this.#held.has(key)) this.#held.set(key, request);
  }

  /** The request of the workflow that scheduled this activity; read from the server where it is not held. */
  async get(): Promise<RunRequest> {
    const held = this.#held.get(executionKey());
    if (held !== undefined) return held;
    const request = await readRequest();
    this.keep(request);
    return request;
  }
}

function execution(): { workflowId: string; runId: string } {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw new Error('This activity belongs to a workflow.');
  return workflowExecution;
}

function executionKey(): string {
  const { workflowId, runId } = execution();
  return `${runId}/${workflowId}`;
}

async function readRequest(): Promise<RunRequest> {
  const { client, info } = Context.current();
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: info.namespace,
    execution: execution(),
    maximumPageSize: 1,
  });
  const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  const context = {
    type: 'workflow' as const,
    namespace: info.namespace,
    workflowId: execution().workflowId,
  };
  const [request] = await decodeArrayFromPayloads(
    client.options.loadedDataConverter,
    started?.input?.payloads,
    context,
  );
  return request as RunRequest;
}
