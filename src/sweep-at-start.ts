/** A worker's sweep once it takes work: what runs terminated meanwhile have left alive is cancelled. */
import { Client } from '@temporalio/client';
import type { RunningWorker } from './run-worker.ts';
import { sweep, SWEEP_UNSETTLED } from './sweep.ts';

/**
 * For {@link RunWorkerOptions.onRunning}: sweeps the last day's runs of the worker's task queue, one log line
 * for each attempt that lived. Ends early when the worker is told to stop.
 */
export async function sweepAtStart(worker: RunningWorker): Promise<void> {
  const { config, connection, namespace, taskQueue, logger, signal } = worker;
  const { dataConverter } = config;
  const client = new Client({
    connection,
    namespace,
    ...(dataConverter === undefined ? {} : { dataConverter }),
  });
  for await (const swept of sweep({ client, config, taskQueue, signal })) {
    const { id, backend, attemptId, outcome, detail } = swept;
    const facts = { runId: id, backend, attemptId, outcome, ...(detail === null ? {} : { detail }) };
    if (outcome === 'cancelled') logger.info(facts, 'cancelled the attempt of a terminated run');
    else if (SWEEP_UNSETTLED.has(outcome) && !signal.aborted) {
      logger.warn(facts, 'the attempt of a terminated run may live on');
    }
  }
}
