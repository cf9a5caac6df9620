/** The door for workers: Drover in a worker of one's own, or a worker built by Drover. Loads Temporal's native worker. */
export { ConfigError, isConfigError } from './config-error.ts';
export { loadConfigFile } from './config-file.ts';
export type { LoadedConfig } from './config.ts';
export { connectClient, readConnectionSettings } from './connection.ts';
export type { ConnectionSettings } from './connection.ts';
export { createWorker } from './create-worker.ts';
export type { CreateWorkerOptions } from './create-worker.ts';
export { droverPlugin } from './drover-plugin.ts';
export { loadConfig } from './load-config.ts';
export { runWorker } from './run-worker.ts';
export type { RunningWorker, RunWorkerOptions } from './run-worker.ts';
export { sweep } from './sweep.ts';
export type { SweepOptions, SweepOutcome, Swept } from './sweep.ts';
export { sweepAtStart } from './sweep-at-start.ts';
