/** What every scenario plays on: one Temporal server and one provider, each in a process of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { connectClient } from '../src/connection.ts';
import { findTemporal } from '../src/dev/find-temporal.ts';
import { findFreePorts } from '../src/dev/ports.ts';
import { startTemporalServer } from '../src/dev/temporal-server.ts';
import type { TemporalServer, TemporalServerOptions } from '../src/dev/temporal-server.ts';
import { startProvider } from './provider/provider.ts';
import type { Provider } from './provider/provider.ts';

export interface Stage {
  readonly client: Client;
  readonly address: string;
  readonly provider: Provider;
  readonly serverPid: number;
  /** Where the server's own counters stand, as Prometheus reads them. */
  readonly serverMetrics: string;
  /** Of the server, as it says itself. */
  readonly serverVersion: string;
  /** Of logs, profiles and the provider's journal. */
  readonly folder: string;
  /** Where the tool `work_long` says when it starts. */
  readonly toolJournal: string;
  /** What a worker needs to find both. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface StageOptions {
  /** The folder stays, for a look at logs and profiles. */
  readonly keep: boolean;
  /** Workers write a profile of their processor time into the folder when they end. */
  readonly profile: boolean;
}

async function findCli(): Promise<string> {
  const found = await findTemporal();
  if (found.kind !== 'address') return found.path;
  throw new Error(
    `TEMPORAL_ADDRESS is set to ${found.address}: unset it, the bench starts a server of its own.`,
  );
}

/** The first is the server's own, which it drops where it is given any. */
const PRAGMAS = ['journal_mode=wal', 'synchronous=off'];

/**
 * Its data stands in a file: in memory it is gone after half an hour of load (temporalio/temporal#3784). Commits are not
 * flushed, so that nobody measures a disk.
 */
async function startServer(
  dbFilename: string,
  options: Pick<TemporalServerOptions, 'cli' | 'promptTimers' | 'extraArgs'>,
): Promise<TemporalServer> {
  const server = await startTemporalServer({
    ...options,
    uiPort: null,
    dbFilename,
    extraArgs: [...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]), ...(options.extraArgs ?? [])],
  });
  return {
    ...server,
    stop: async () => {
      await server.stop();
      // Some gigabytes, which tell nobody anything.
      for (const suffix of ['', '-shm', '-wal']) rmSync(`${dbFilename}${suffix}`, { force: true });
    },
  };
}

/**
 * @throws where `TEMPORAL_ADDRESS` names a server: figures of somebody else's server mean nothing
 */
export async function setStage({ keep, profile }: StageOptions): Promise<Stage> {
  const cli = await findCli();
  const folder = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  const [metricsPort = 0] = await findFreePorts(1);
  const server = await startServer(join(folder, 'temporal.db'), {
    cli,
    extraArgs: ['--metrics-port', String(metricsPort)],
  });
  const provider = await startProvider(join(folder, 'provider.jsonl'));
  const toolJournal = join(folder, 'tools.txt');
  const { address, namespace } = server;
  const client = await connectClient({ address, namespace, options: { address } });
  const { serverVersion } = await client.workflowService.getSystemInfo({});
  return {
    client,
    address,
    provider,
    serverPid: server.pid,
    serverMetrics: `http://127.0.0.1:${metricsPort}/metrics`,
    serverVersion,
    folder,
    toolJournal,
    env: {
      DROVER_TOOL_JOURNAL: toolJournal,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      DROVER_EMULATOR_URL: provider.url,
      ...(profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(folder, 'profiles')}` } : {}),
    },
    stop: async () => {
      await provider.stop();
      await server.stop();
      if (!keep) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same stage, with a second server for its client and its workers: it hands out at once what was reset. */
export async function startPromptServer(stage: Stage): Promise<Stage> {
  const file = join(stage.folder, 'temporal-prompt.db');
  const server = await startServer(file, { cli: await findCli(), promptTimers: true });
  const { address } = server;
  return {
    ...stage,
    address,
    client: await connectClient({ address, namespace: server.namespace, options: { address } }),
    serverPid: server.pid,
    env: { ...stage.env, TEMPORAL_ADDRESS: address },
    stop: () => server.stop(),
  };
}
