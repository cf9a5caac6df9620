import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { guardActs } from '../../src/backends/act-guard.ts';
import { openWire } from '../../src/backends/openai-wire.ts';
import { startCannedServer, type CannedServer } from '../support/backend-canned-server.ts';
import { stopProcess } from '../support/stop-process.ts';

describe('a process that was stopped while it was about to act', () => {
  let server: CannedServer;
  beforeAll(async () => {
    server = await startCannedServer();
    server.answerWith(() => ({ body: { id: 'run_1' } }));
  });
  afterAll(() => server.close());

  const wireThatStops = (ms: number) =>
    openWire('legacy', {
      baseURL: server.url,
      apiKey: () => {
        stopProcess(ms);
        return 'key';
      },
    });
  const call = (wire: ReturnType<typeof openWire>, method: 'get' | 'post') =>
    wire.call(method, '/threads/x/runs', { what: 'creating', signal: new AbortController().signal });

  test('sends nothing that acts when it wakes up, and says that nothing was sent', async () => {
    const seen = server.seen.length;
    await expect(guardActs(() => call(wireThatStops(3_000), 'post'))).rejects.toMatchObject({
      kind: 'unreachable',
      code: 'DROVER_STOPPED',
      answerLost: false,
    });
    expect(server.seen).toHaveLength(seen);
  });

  test('still reads', async () => {
    await expect(guardActs(() => call(wireThatStops(3_000), 'get'))).resolves.toMatchObject({
      body: { id: 'run_1' },
    });
  });

  test('acts where it was not stopped, and outside of a guard', async () => {
    await expect(guardActs(() => call(wireThatStops(0), 'post'))).resolves.toMatchObject({
      body: { id: 'run_1' },
    });
    await expect(call(wireThatStops(3_000), 'post')).resolves.toMatchObject({ body: { id: 'run_1' } });
  });
});
