/** A service's hold on one run. */
import { randomUUID } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import type { Client, WorkflowExecutionStatusName, WorkflowHandle } from '@temporalio/client';
import { readFailure, readResult } from './client-outcome.ts';
import { closedRun, sendDecision, sendSettlement } from './client-people.ts';
import type { CallShown, DecisionWords } from './client-people.ts';
import { watchRun, type WatchOptions } from './client-watch.ts';
import { isMissing } from './client-missing.ts';
import { NAMES } from './contract.ts';
import type { Decision, WaitingCall } from './decisions.ts';
import type { RunProgress, RunResult, SettleEffect } from './contract.ts';
import { RunEndedError, RunLostError, RunNotFoundError } from './errors.ts';
import type { RunEvent } from './run-events.ts';

/** How long a worker may take to answer a query. */
export const QUERY_MS = 20_000;
/** How long a worker may take over a decision: `authorizeDecision` is asked for two minutes at most. */
const DECISION_MS = 150_000;
/** The server keeps a reason of up to 1,000 bytes. */
const REASON_CHARS = 250;

export interface RunDescription {
  readonly id: string;
  /** Temporal's id of the execution that is the run's latest. */
  readonly workflowRunId: string;
  /** Temporal's word for how the workflow stands. */
  readonly workflowStatus: WorkflowExecutionStatusName;
  readonly taskQueue: string;
  readonly startTime: Date;
  readonly closeTime: Date | null;
  readonly historyLength: number;
  /** Where the run stands; null where no worker answered for it. */
  readonly progress: RunProgress | null;
}

export interface CancelOptions {
  /** Why; it stands in the history. At most 250 characters are kept. */
  readonly reason?: string;
}

const shownOf = ({ key, arguments_digest }: CallShown): CallShown => ({ key, arguments_digest });

export class RunHandle {
  /** The run's id, which is the workflow id. */
  readonly id: string;
  /** Temporal's own handle, for what this one does not offer. Follows the run through continue-as-new. */
  readonly workflow: WorkflowHandle;
  readonly #client: Client;

  constructor(client: Client, id: string) {
    this.#client = client;
    this.id = id;
    this.workflow = client.workflow.getHandle(id);
  }

  /**
   * Waits for the run and gives its result. Ending the wait does not end the run.
   *
   * @throws RunEndedError with `code` and `result` for a run that did not complete, whether or not its
   *   workflow failed for it (`on_unfinished`)
   * @throws RunNotFoundError, RunLostError as {@link outcome}
   */
  async result(): Promise<RunResult> {
    const result = await this.outcome();
    if (result.code === null) return result;
    throw new RunEndedError(this.id, result.code, result);
  }

  /**
   * Waits for the run and gives its result, however it ended.
   *
   * @throws RunNotFoundError where there is no such run
   * @throws RunLostError where the run closed and no result can be had: terminated, timed out, or
   *   cancelled while no worker is there to be asked
   */
  async outcome(): Promise<RunResult> {
    for (;;) {
      try {
        const value: unknown = await this.workflow.result();
        const result = readResult(value);
        if (result === null) throw new RunLostError(this.id, 'no_result');
        return result;
      } catch (error) {
        if (isMissing(error)) throw new RunNotFoundError(this.id, error);
        if (!(error instanceof WorkflowFailedError)) throw error;
        const result = await this.#readEnd(error);
        if (result !== null) return result;
      }
    }
  }

  /** Null where a reset has put another execution in the place of the one that was terminated. */
  async #readEnd(error: WorkflowFailedError): Promise<RunResult | null> {
    const ending = readFailure(error.cause);
    switch (ending.kind) {
      case 'result':
        return ending.result;
      case 'cancelled':
        return this.#askForResult(error);
      case 'lost':
        if (ending.code === 'terminated' && (await this.#wasReset())) return null;
        throw new RunLostError(this.id, ending.code, error);
    }
  }

  async #askForResult(cause: unknown): Promise<RunResult> {
    let answer: unknown;
    try {
      answer = await this.#query(NAMES.queries.result);
    } catch (error) {
      throw new RunLostError(this.id, 'cancelled', new AggregateError([cause, error], 'No worker answered.'));
    }
    const result = readResult(answer);
    if (result === null) throw new RunLostError(this.id, 'no_result', cause);
    return result;
  }

  async #wasReset(): Promise<boolean> {
    const { status } = await this.workflow.describe();
    return status.name !== 'TERMINATED';
  }

  #query<T>(name: string): Promise<T> {
    return this.#client.withDeadline(Date.now() + QUERY_MS, () => this.workflow.query<T>(name));
  }

  /**
   * Where the run stands, answered by a worker of its task queue; a closed run answers too.
   *
   * @throws RunNotFoundError; Temporal's errors where no worker answers
   */
  async progress(): Promise<RunProgress> {
    try {
      return await this.#query<RunProgress>(NAMES.queries.progress);
    } catch (error) {
      throw isMissing(error) ? new RunNotFoundError(this.id, error) : error;
    }
  }

  /**
   * What happens to the run, as it happens, until it has ended. Read from its history: any number may watch, no worker
   * is asked, and nothing of it stands in the run. Loops that are left early leave one request behind, of a minute at
   * most; `signal` ends the watch at any time.
   *
   * @throws InvalidOffsetError; RunNotFoundError; Temporal's errors: go on with the offset of the last event
   */
  watch(options: WatchOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    return watchRun(this.#client, this.id, options);
  }

  /**
   * The run as Temporal holds it, and its progress where a worker answers.
   *
   * @throws RunNotFoundError
   */
  async describe(): Promise<RunDescription> {
    try {
      const [info, progress] = await Promise.all([
        this.workflow.describe(),
        this.progress().catch(() => null),
      ]);
      return {
        id: this.id,
        workflowRunId: info.runId,
        workflowStatus: info.status.name,
        taskQueue: info.taskQueue,
        startTime: info.startTime,
        closeTime: info.closeTime ?? null,
        historyLength: info.historyLength,
        progress,
      };
    } catch (error) {
      throw isMissing(error) ? new RunNotFoundError(this.id, error) : error;
    }
  }

  /**
   * Asks for the run's cancellation and does not wait for it: its attempt is cancelled at the provider,
   * then {@link outcome} gives a result with the code `cancelled`. A run that has ended is left as it is.
   *
   * @throws RunNotFoundError
   */
  async cancel(options: CancelOptions = {}): Promise<void> {
    const { reason } = options;
    try {
      if (reason === undefined) await this.workflow.cancel();
      else await this.#cancelWithReason(reason);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#requireExists(error);
    }
  }

  async #cancelWithReason(reason: string): Promise<void> {
    const { namespace, identity } = this.#client.options;
    await this.#client.workflowService.requestCancelWorkflowExecution({
      namespace,
      identity,
      requestId: randomUUID(),
      workflowExecution: { workflowId: this.id },
      reason: reason.slice(0, REASON_CHARS).toWellFormed(),
    });
  }

  /** Temporal says "not found" of a closed workflow too. */
  async #requireExists(cause: unknown): Promise<void> {
    try {
      await this.workflow.describe();
    } catch (error) {
      throw isMissing(error) ? new RunNotFoundError(this.id, cause) : error;
    }
  }

  /**
   * Calls of the run that wait on people, with their arguments, in the order in which they came.
   *
   * @throws RunNotFoundError; Temporal's errors where no worker answers
   */
  async waiting(): Promise<readonly WaitingCall[]> {
    try {
      return await this.#query<readonly WaitingCall[]>(NAMES.queries.waiting);
    } catch (error) {
      throw isMissing(error) ? new RunNotFoundError(this.id, error) : error;
    }
  }

  /**
   * Decides on a call that waits; returns once the decision counts. It is bound to the arguments that were shown.
   *
   * @throws DecisionRefusedError where it does not count, with why in its `code`; RunNotFoundError; Temporal's errors where
   *   no worker has answered in 150 seconds: then it may count yet, and `waiting()` tells
   */
  decide(decision: Decision): Promise<void> {
    return this.#tell(() => sendDecision(this.workflow, decision));
  }

  /** Lets a call run that needs approval. Throws as {@link decide}. */
  approve(call: CallShown, words: DecisionWords = {}): Promise<void> {
    return this.decide({ ...shownOf(call), ...words, outcome: 'approve' });
  }

  /** Refuses a call; the model reads the reason. Throws as {@link decide}. */
  reject(call: CallShown, words: DecisionWords = {}): Promise<void> {
    return this.decide({ ...shownOf(call), ...words, outcome: 'reject' });
  }

  /** Gives a call its output, in the place of its tool. Throws as {@link decide}. */
  answer(call: CallShown, output: string, words: DecisionWords = {}): Promise<void> {
    return this.decide({ ...shownOf(call), ...words, outcome: 'answer', output });
  }

  /**
   * Says what became of an effect whose outcome is unknown, as {@link decide} does with `done`, `not_done` and `end`.
   * The run goes on, or ends, by it.
   *
   * @throws DecisionRefusedError, RunNotFoundError
   */
  settleEffect(answer: SettleEffect): Promise<void> {
    return this.#tell(() => sendSettlement(this.workflow, answer));
  }

  async #tell(send: () => Promise<void>): Promise<void> {
    try {
      await this.#client.withDeadline(Date.now() + DECISION_MS, send);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#requireExists(error);
      throw closedRun(this.id, error);
    }
  }
}
