/** A worker as the SDK's samples start one, for the drivers that are not Drover. */
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { readConnectionSettings } from '../src/connection.ts';
import { readEnvironment } from '../src/env.ts';

export interface PlainWorkerOptions {
  readonly workflowsPath: URL;
  readonly activities: Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;
}

/** Tells the parent process when it takes work, and runs until it is told to stop. */
export async function runPlainWorker(options: PlainWorkerOptions): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('WARN') });
  const settings = readConnectionSettings();
  const connection = await NativeConnection.connect(settings.options);
  const worker = await Worker.create({
    connection,
    namespace: settings.namespace,
    taskQueue: readEnvironment().taskQueue ?? 'bench',
    workflowsPath: fileURLToPath(options.workflowsPath),
    activities: options.activities,
    shutdownForceTime: '10 seconds',
  });
  const running = worker.run();
  // Whoever started it is gone.
  process.on('disconnect', () => process.exit(1));
  process.send?.('ready');
  await running;
  await connection.close();
  process.exit(0);
}
