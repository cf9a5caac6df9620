/** The executions that a run goes through, one after the other: it continues as new, and a reset puts it back. */
import type { Client } from '@temporalio/client';
import { HistoryReader } from './client-history.ts';
import { isMissing } from './client-missing.ts';
import { describeExecution, type Execution } from './execution.ts';

export interface Link {
  readonly runId: string;
  /** The execution that wrote its first event: one that a reset began has a copy of what came before that. */
  readonly origin: string;
}

/** An event and its copies are alike in their number and in when they were recorded. */
export const eventKey = (eventId: number, atMs: number): string => `${eventId} ${atMs}`;

/** Null where the execution is past the retention. */
async function unlessMissing<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

export class Chain {
  readonly #client: Client;
  readonly #id: string;
  readonly #passed: Link[] = [];

  constructor(client: Client, id: string) {
    this.#client = client;
    this.#id = id;
  }

  get isEmpty(): boolean {
    return this.#passed.length === 0;
  }

  pass(link: Link): void {
    this.#passed.push(link);
  }

  /** What the executions recorded that were passed, and begin as this one does: all that it has a copy of is among it. */
  async recordedLike({ origin }: Link): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (const link of this.#passed) {
      if (link.origin === origin) await unlessMissing(this.#readKeys(link.runId, keys));
    }
    return keys;
  }

  async #readKeys(runId: string, keys: Set<string>): Promise<void> {
    const reader = new HistoryReader(this.#client, this.#id, runId);
    for (let token: Uint8Array | null = null; ;) {
      const page = await reader.read(token, { waits: false });
      for (const { event_id: eventId, at_ms } of page.recorded) keys.add(eventKey(eventId, at_ms));
      token = page.token;
      if (token === null) return;
    }
  }

  /**
   * The execution that a reset put in the place of the one that was passed last, and has closed. Only the one that was
   * reset tells of it, which may be any of those before.
   *
   * @param sought one that has to be passed as well: none tells of it where what it went on from was reset once more
   */
  async afterReset(sought: string | null): Promise<Link | null> {
    const latest = await describeExecution(this.#client, this.#id);
    if (latest.runId === this.#passed.at(-1)?.runId) return null;
    const ahead = new Set(sought === null ? [] : [sought]);
    for (const { runId } of this.#passed) {
      const { reset = null } = (await this.#find(runId)) ?? {};
      if (reset !== null) ahead.add(reset);
    }
    for (const { runId } of this.#passed) ahead.delete(runId);
    let next: Execution | null = null;
    for (const runId of ahead) {
      const found = await this.#find(runId);
      if (found !== null && (next === null || found.startMs < next.startMs)) next = found;
    }
    return next === null ? null : { runId: next.runId, origin: await this.#originOf(next.runId) };
  }

  #find(runId: string): Promise<Execution | null> {
    return unlessMissing(describeExecution(this.#client, this.#id, runId));
  }

  async #originOf(runId: string): Promise<string> {
    const { history } = await this.#client.workflowService.getWorkflowExecutionHistory({
      namespace: this.#client.options.namespace,
      execution: { workflowId: this.#id, runId },
      maximumPageSize: 1,
    });
    return history?.events?.[0]?.workflowExecutionStartedEventAttributes?.originalExecutionRunId || runId;
  }
}
