import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { actAtProvider } from '../../src/activities/act-at-provider.ts';
import { openWire } from '../../src/backends/openai-wire.ts';
import { startCannedServer, type CannedServer } from '../support/backend-canned-server.ts';
import { stopProcess } from '../support/stop-process.ts';

/** A client whose history has this worker's own task under way; the process is stopped once that was read. */
const clientThatStops = (ms: number): Client =>
  ({
    options: { identity: 'me' },
    withAbortSignal: (_signal: AbortSignal, run: () => unknown) => run(),
    workflowService: {
      getWorkflowExecutionHistoryReverse: async () => {
        setImmediate(() => stopProcess(ms));
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        // By a clock that is ahead, so that only the guard can tell how long the process was stopped.
        const eventTime = { seconds: Date.now() / 1_000 + 60 };
        return {
          history: {
            events: [{ eventId: 3, eventTime, workflowTaskStartedEventAttributes: { identity: 'me' } }],
          },
        };
      },
    },
  }) as unknown as Client;

describe('a local step', () => {
  let server: CannedServer;
  beforeAll(async () => {
    server = await startCannedServer();
    server.answerWith(() => ({ body: { id: 'run_1' } }));
  });
  afterAll(() => server.close());

  const act = (stoppedMs: number): Promise<unknown> => {
    const wire = openWire('legacy', { baseURL: server.url, apiKey: 'key' });
    const env = new MockActivityEnvironment(
      { isLocal: true, startToCloseTimeoutMs: 60_000 },
      { client: clientThatStops(stoppedMs) },
    );
    return env.run(() =>
      actAtProvider<unknown>({
        backend: 'legacy',
        told: { suspect: false, events: 3, not_before_ms: 0, deadline_ms: Date.now() + 60_000 },
        act: async (_suspect, signal) =>
          (await wire.call('post', '/threads/x/runs', { what: 'creating', signal })).body,
      }),
    );
  };

  test('acts in its own turn', async () => {
    await expect(act(0)).resolves.toEqual({ id: 'run_1' });
    expect(server.seen).toHaveLength(1);
  });

  test('sends nothing where its process was stopped after it saw that it was its turn', async () => {
    const before = server.seen.length;
    await expect(act(3_000)).resolves.toMatchObject({ kind: 'again', suspect: false });
    expect(server.seen).toHaveLength(before);
  });
});
