import { CompleteAsyncError } from '@temporalio/activity';
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

let server: CannedServer;
beforeAll(async () => {
  server = await startCannedServer();
  server.answerWith(() => ({ body: { id: 'run_1' } }));
});
afterAll(() => server.close());

/** Acts once at the provider, as a step that the workflow tells so. */
function actIn(env: MockActivityEnvironment, events?: number): Promise<unknown> {
  const wire = openWire('legacy', { baseURL: server.url, apiKey: 'key' });
  const told = { suspect: false, not_before_ms: 0, deadline_ms: Date.now() + 60_000 };
  return env.run(() =>
    actAtProvider<unknown>({
      backend: 'legacy',
      told: events === undefined ? told : { ...told, events },
      act: async (_suspect, signal) =>
        (await wire.call('post', '/threads/x/runs', { what: 'creating', signal })).body,
    }),
  );
}

describe('a local step', () => {
  const act = (stoppedMs: number): Promise<unknown> => {
    const env = new MockActivityEnvironment(
      { isLocal: true, startToCloseTimeoutMs: 60_000 },
      { client: clientThatStops(stoppedMs) },
    );
    return actIn(env, 3);
  };

  test('acts in its own turn', async () => {
    await expect(act(0)).resolves.toEqual({ id: 'run_1' });
    expect(server.seen).toHaveLength(1);
  });

  test('is tried again where the provider hangs: it may have acted', async () => {
    const env = new MockActivityEnvironment(
      { isLocal: true, startToCloseTimeoutMs: 600 },
      { client: clientThatStops(0) },
    );
    server.answerWith(() => ({ hang: true }));
    await expect(actIn(env, 3)).resolves.toMatchObject({ kind: 'again', suspect: true });
    server.answerWith(() => ({ body: { id: 'run_1' } }));
  });

  test('sends nothing where its process was stopped after it saw that it was its turn', async () => {
    const before = server.seen.length;
    await expect(act(3_000)).resolves.toMatchObject({ kind: 'again', suspect: false });
    expect(server.seen).toHaveLength(before);
  });
});

describe('a plain step', () => {
  /** A try that was scheduled anew, as by a reset, while the server says that `pending` is at it. */
  const act = (pending: { readonly attempt: number; readonly lastWorkerIdentity: string } | null) => {
    const describing = {
      raw: { pendingActivities: pending === null ? [] : [{ activityId: 'a', ...pending }] },
    };
    const client = {
      options: { identity: 'me' },
      withAbortSignal: (_signal: AbortSignal, run: () => unknown) => run(),
      withDeadline: (_at: number, run: () => unknown) => run(),
      activity: { heartbeat: () => Promise.resolve() },
      workflow: { getHandle: () => ({ describe: () => Promise.resolve(describing) }) },
    } as unknown as Client;
    const env = new MockActivityEnvironment(
      {
        activityId: 'a',
        attempt: 1,
        scheduledTimestampMs: Date.now() - 10_000,
        currentAttemptScheduledTimestampMs: Date.now(),
        startToCloseTimeoutMs: 60_000,
      },
      { client },
    );
    return actIn(env);
  };

  test('acts where the server says that it is at it', async () => {
    await expect(act({ attempt: 1, lastWorkerIdentity: 'me' })).resolves.toEqual({ id: 'run_1' });
  });

  test('does nothing, and says nothing, where another worker is at it by now', async () => {
    const before = server.seen.length;
    await expect(act({ attempt: 1, lastWorkerIdentity: 'other' })).rejects.toThrow(CompleteAsyncError);
    await expect(act({ attempt: 2, lastWorkerIdentity: 'me' })).rejects.toThrow(CompleteAsyncError);
    await expect(act(null)).rejects.toThrow(CompleteAsyncError);
    expect(server.seen).toHaveLength(before);
  });
});
