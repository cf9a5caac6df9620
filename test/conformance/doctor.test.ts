/** The doctor's try at a run, over HTTP. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { responses } from '../../src/backends/responses.ts';
import type { ResponsesOptions } from '../../src/backends/responses.ts';
import { tryBackend } from '../../src/doctor-backends.ts';
import type { Finding } from '../../src/doctor-finding.ts';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import { loadConfig } from '../../src/load-config.ts';
import { creates } from '../support/backend-responses-harness.ts';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startEmulator({
    scripts: { bot: { attempts: [{ steps: [{ think_ms: 50 }, { answer: 'Pong.' }] }] } },
  });
  return () => emulator.close();
});
afterEach(() => emulator.clearFaults());

async function tryIt(options: Partial<ResponsesOptions>): Promise<Finding> {
  const config = loadConfig({
    backends: { local: responses({ baseURL: emulator.url, apiKey: 'test', ...options }) },
    assistants: { bot: { model: 'bot' } },
  });
  return await tryBackend([...config.backends.values()][0]!, config);
}

describe('a try at a backend in the foreground', () => {
  test('makes its call', async () => {
    expect(await tryIt({ mode: 'foreground' })).toMatchObject({
      state: 'ok',
      message: expect.stringContaining('answered in the foreground (completed)'),
    });
    expect(creates(emulator)).toHaveLength(1);
  });

  test('fails where the call is refused', async () => {
    emulator.addFault({ match: { method: 'POST' }, do: { status: 404 } });
    expect((await tryIt({ mode: 'foreground' })).state).toBe('fail');
  });
});

test('a try in the background creates a run and cancels it', async () => {
  expect(await tryIt({})).toMatchObject({
    state: 'ok',
    message: expect.stringContaining('it was cancelled'),
  });
  expect(creates(emulator)).toHaveLength(1);
});
