/** What the stage tells a worker's process, by environment variables of its own. */
const names = {
  emulatorUrl: 'FAULTS_EMULATOR_URL',
  toolJournal: 'FAULTS_TOOL_JOURNAL',
  bundle: 'FAULTS_BUNDLE',
  taskQueue: 'FAULTS_TASK_QUEUE',
  address: 'FAULTS_TEMPORAL_ADDRESS',
  namespace: 'FAULTS_TEMPORAL_NAMESPACE',
} as const;

export type WorkerEnv = Readonly<Record<keyof typeof names, string>>;

export function toEnvironment(env: WorkerEnv): Readonly<Record<string, string>> {
  const keys = Object.keys(names) as (keyof typeof names)[];
  return Object.fromEntries(keys.map((key) => [names[key], env[key]]));
}

/** @throws Error that names what is missing */
export function readWorkerEnv(): WorkerEnv {
  const keys = Object.keys(names) as (keyof typeof names)[];
  const missing = keys.filter((key) => process.env[names[key]] === undefined).map((key) => names[key]);
  if (missing.length > 0) throw new Error(`A worker of the fault runs lacks ${missing.join(', ')}.`);
  return Object.fromEntries(keys.map((key) => [key, process.env[names[key]] ?? ''])) as WorkerEnv;
}

/** By this header the provider's journal tells which process asked: whatever a driver says of itself. */
export const WORKER_HEADER = 'x-faults-worker';

/** How a worker is named in Temporal's histories. */
export const workerIdentity = (pid: number): string => `faults-${pid}`;

export function pidOfIdentity(identity: string): number | null {
  const found = /^faults-(\d+)$/.exec(identity)?.[1];
  return found === undefined ? null : Number(found);
}
